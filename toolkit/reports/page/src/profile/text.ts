// Names as safe, short text. What a service calls its functions is not ours to trust: the same rules as
// toolkit/reports/flamegraph_text.py.

const LONGEST = 400; // characters of a name that are shown

const UNSEEN =
  // eslint-disable-next-line no-control-regex, no-misleading-character-class -- these are what it looks for
  /[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\u{e0000}-\u{e0fff}]/gu;
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|[\u{1f300}-\u{3fffd}]/u;
const PLAIN = /^[\x20-\x7e]*$/;

/** `text` with every character that cannot be seen, or that XML forbids, written as its escape (`\u202e`). */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => escape(character.codePointAt(0) ?? 0));
}

/** `text`, or its first and last characters with its length where it is too long to read. */
export function bounded(text: string): string {
  if (text.length <= LONGEST) return text;
  const characters = [...text];
  if (characters.length <= LONGEST) return text;
  const half = LONGEST / 2;
  return `${characters.slice(0, half).join("")}…${characters.slice(-half).join("")} [${String(characters.length)} characters]`;
}

/** A name as it is shown. */
export function shown(name: string): string {
  return bounded(visible(name));
}

/** `text` cut to `room` columns of a fixed-width font, with `…` where it was cut; empty below three columns. */
export function fit(text: string, room: number): string {
  if (room < 3) return "";
  if (PLAIN.test(text)) return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
  const characters = [...text];
  let columns = 0;
  for (const [index, character] of characters.entries()) {
    columns += WIDE.test(character) ? 2 : 1;
    if (columns > room || (columns === room && index < characters.length - 1)) return `${characters.slice(0, index).join("")}…`;
  }
  return text;
}

/** `text` for an XML text node or quoted attribute. */
export function xml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`);
}

/** The last part of a path. */
export function lastPart(file: string): string {
  return file.replaceAll("\\", "/").split("/").pop() ?? file;
}

function escape(code: number): string {
  const digits = code.toString(16);
  if (code <= 0xff) return `\\x${digits.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
}
