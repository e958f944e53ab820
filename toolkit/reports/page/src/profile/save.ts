// Files for the reader: the picture as PNG and SVG, the functions as CSV. Made in the page, nothing is sent anywhere.
import { columnOf, drawRows, sized } from "./canvas";
import type { Picture } from "./canvas";
import { make } from "./dom";
import { certaintyOf, rowsOf, sortRows } from "./functions";
import { FONT, FONT_SIZE, ROW, TEXT_BASE, TEXT_LEFT, boxes } from "./paint";
import type { Scene } from "./scene";
import { xml } from "./text";

const HEAD = 52;
const LEADING = 15;
const MARGIN = 12;
const HIGHEST = 16_000; // pixels of a canvas that every browser can draw
const WORDS = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

/** `text` in lines of about so many pixels. */
function wrapped(text: string, width: number): string[] {
  const room = Math.max(40, Math.floor(width / 6));
  const lines: string[] = [];
  for (const word of text.split(" ").filter(Boolean)) {
    const last = lines.length - 1;
    if (last >= 0 && lines[last]!.length + word.length < room) lines[last] += ` ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** What stands above a saved picture, and the colours of its words. */
export interface Heading {
  title: string;
  detail: string;
  /** What a reader must know of it. */
  note: string;
  ink: string;
  quiet: string;
}

export async function pngOf(picture: Picture, heading: Heading, width: number): Promise<Blob | null> {
  const notes = wrapped(heading.note, width);
  const head = HEAD + notes.length * LEADING;
  const height = head + picture.layout.rows * ROW + MARGIN;
  const ratio = Math.min(2, HIGHEST / height);
  const canvas = make("canvas");
  const context = sized(canvas, width + 2 * MARGIN, height, ratio, picture.palette.paper);
  if (!context) return null;
  context.fillStyle = heading.ink;
  context.font = `600 15px ${WORDS}`;
  context.fillText(heading.title, MARGIN, 22, width);
  context.fillStyle = heading.quiet;
  context.font = `12px ${WORDS}`;
  for (const [at, text] of [heading.detail, ...notes].entries()) context.fillText(text, MARGIN, 41 + at * LEADING, width);
  context.setTransform(ratio, 0, 0, ratio, MARGIN * ratio, head * ratio);
  drawRows(context, picture, { width, height: picture.layout.rows * ROW, top: 0, ratio });
  return new Promise((done) => {
    canvas.toBlob(done, "image/png");
  });
}

/** An SVG that stands alone; every frame has its figures as a title. */
export function svgOf(picture: Picture, heading: Heading, width: number): Blob {
  const { layout, style, palette, describing } = picture;
  const notes = wrapped(heading.note, width);
  const head = HEAD + notes.length * LEADING;
  const [across, height] = [width + 2 * MARGIN, head + layout.rows * ROW + MARGIN];
  const context = make("canvas").getContext("2d");
  if (context) context.font = `${String(FONT_SIZE)}px ${FONT}`;
  const column = context ? columnOf(context) : FONT_SIZE * 0.62;
  const frames: string[] = [];
  for (const { place, x, y, width: wide, colour, label } of boxes(layout, style, width, 100, column, { first: 0, end: layout.rows })) {
    const text = label ? `<text x="${short(x + TEXT_LEFT)}" y="${short(y + TEXT_BASE)}" fill="${colour.ink}">${xml(label)}</text>` : "";
    frames.push(`<g><title>${xml(describing.sentence(place))}</title><rect x="${short(x)}" y="${String(y)}" width="${short(wide)}" height="${String(ROW - 1)}" fill="${colour.fill}"/>${text}</g>`);
  }
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${String(across)}" height="${String(height)}" viewBox="0 0 ${String(across)} ${String(height)}" role="img" aria-label="${xml(heading.title)}">`,
    `<rect width="100%" height="100%" fill="${palette.paper}"/>`,
    `<g font-family="${xml(WORDS)}"><text x="${String(MARGIN)}" y="22" font-size="15" font-weight="600" fill="${heading.ink}">${xml(heading.title)}</text>`,
    ...[heading.detail, ...notes].map((text, at) => `<text x="${String(MARGIN)}" y="${String(41 + at * LEADING)}" font-size="12" fill="${heading.quiet}">${xml(text)}</text>`),
    "</g>",
    `<g transform="translate(${String(MARGIN)} ${String(head)})" font-family="${xml(FONT)}" font-size="${String(FONT_SIZE)}" xml:space="preserve">`,
    ...frames,
    "</g>",
    "</svg>",
    "",
  ];
  return new Blob([lines.join("\n")], { type: "image/svg+xml" });
}

/** The functions of a scene, most own time first. Times are seconds, of a difference normalised (a share: of 1). */
export function csvOf(scene: Scene): Blob {
  const { base, now, state } = scene;
  const rows = sortRows(rowsOf(scene), "own", true);
  const seconds = (us: number) => (base && state.normal === "share" ? us : us / 1e6).toPrecision(9).replace(/\.?0+$|\.?0+(?=e)/, "");
  const share = (us: number) => (now.time > 0 ? (us / now.time).toFixed(6) : "");
  const unit = base ? { second: "s_per_s", share: "share", request: "s_per_request" }[state.normal] : "s";
  const heads = base
    ? ["function", "file", "owner", `self_${unit}`, `before_self_${unit}`, `total_${unit}`, `before_total_${unit}`, `change_of_total_${unit}`, "certainty"]
    : ["function", "file", "owner", "self_s", "self_share", "total_s", "total_share"];
  const lines = rows.map((row) =>
    base
      ? [row.name, row.file, row.owner, ...[row.own, row.baseOwn, row.total, row.baseTotal, row.total - row.baseTotal].map(seconds), certaintyOf(row.verdict)]
      : [row.name, row.file, row.owner, seconds(row.own), share(row.own), seconds(row.total), share(row.total)],
  );
  return new Blob([[heads, ...lines].map((line) => `${line.map(cell).join(",")}\r\n`).join("")], { type: "text/csv" });
}

/** Quoted where it must be; what a spreadsheet would take for a formula is text. */
function cell(text: string): string {
  const isNumber = /^-?[\d.]+(e[+-]?\d+)?$/.test(text);
  const safe = !isNumber && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Hands a file to the reader. */
export function save(blob: Blob, name: string): void {
  const link = make("a");
  link.href = URL.createObjectURL(blob);
  link.download = name.replace(/[^\w.-]+/g, "_").slice(0, 120);
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, 10_000);
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}
