// What frames are called: with lines, without them, or by package. Frames of one label are one.
import type { Profile } from "./profile";
import { lastPart, shown } from "./text";

export type Naming = "lines" | "functions" | "packages";

/** The owner of what is nobody's code: the root, and stacks without any function of the application. */
export const NOBODY = 4;
export const NO_APPLICATION = "(no application function)";

export interface Labels {
  count: number;
  /** As recorded: what two labels are compared by. */
  text: string[];
  /** The label of each frame of the profile. */
  ofFrame: Int32Array;
  /** The label of stacks without any function of the application. */
  outside: number;
  owner: Uint8Array;
  /** Where each label stands when they are sorted by their text. */
  rank: Int32Array;
  /** A number that follows from the text alone: shades and addresses are made of it. */
  hash: Int32Array;
  /** As it is written into a frame: `function (file.py:12)` with the last part of the path, safe to show. */
  short(label: number): string;
  /** The parts, safe to show; `file` and `line` may be empty. */
  place(label: number): Place;
}

export interface Place {
  name: string;
  file: string;
  line: string;
}

/** The labels of all frames. */
export function makeLabels(profile: Profile, naming: Naming): Labels {
  const { frames } = profile;
  const known = new Map<string, number>();
  const first: number[] = [];
  const ofFrame = new Int32Array(frames.name.length);
  for (let frame = 0; frame < ofFrame.length; frame++) {
    const text = textOf(profile, frame, naming);
    let label = known.get(text);
    if (label === undefined) {
      label = known.size;
      known.set(text, label);
      first.push(frame);
    }
    ofFrame[frame] = label;
  }
  const outside = known.size;
  const text = [...known.keys(), NO_APPLICATION];
  const places: Place[] = [];
  const shorts: string[] = [];
  const place = (label: number): Place => (places[label] ??= placeOf(profile, first[label], naming));
  return {
    count: text.length,
    text,
    ofFrame,
    outside,
    owner: Uint8Array.from([...first.map((frame) => frames.owner[frame] ?? NOBODY), NOBODY]),
    rank: ranked(text),
    hash: Int32Array.from(text, hashOf),
    place,
    short: (label) => (shorts[label] ??= shortened(place(label))),
  };
}

/** The parts of a frame as recorded; a line of 0 is not known or not wanted. */
function partsOf({ header, frames }: Profile, frame: number, naming: Naming): { name: string; file: string; line: number } {
  if (naming === "packages") return { name: header.packages[frames.package[frame]!]!, file: "", line: 0 };
  const line = naming === "lines" ? frames.line[frame]! : 0;
  return { name: header.names[frames.name[frame]!]!, file: header.files[frames.file[frame]!]!, line };
}

function textOf(profile: Profile, frame: number, naming: Naming): string {
  const { name, file, line } = partsOf(profile, frame, naming);
  if (!file) return name;
  return line > 0 ? `${name} (${file}:${String(line)})` : `${name} (${file})`;
}

function placeOf(profile: Profile, frame: number | undefined, naming: Naming): Place {
  if (frame === undefined) return { name: NO_APPLICATION, file: "", line: "" };
  const { name, file, line } = partsOf(profile, frame, naming);
  return { name: shown(name) || "(no name)", file: shown(file), line: line > 0 ? String(line) : "" };
}

function shortened({ name, file, line }: Place): string {
  if (!file) return name;
  return `${name} (${lastPart(file)}${line && ":"}${line})`;
}

/** The whole label, safe to show. */
export function full({ name, file, line }: Place): string {
  if (!file) return name;
  return `${name} (${file}${line && ":"}${line})`;
}

function ranked(text: string[]): Int32Array {
  const order = text.map((_, label) => label);
  order.sort((a, b) => (text[a]! < text[b]! ? -1 : 1));
  const rank = new Int32Array(text.length);
  order.forEach((label, at) => (rank[label] = at));
  return rank;
}

/** FNV-1a over UTF-16 units. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}
