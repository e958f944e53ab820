// Draws a layout onto a surface: a canvas, or an SVG. Which colour, which words, where exactly.
import { changed, owned } from "./colours";
import type { Fill, Palette } from "./colours";
import { NOBODY } from "./labels";
import type { Layout, Part } from "./layout";
import { NOISE, UNJUDGED } from "./noise";
import type { Scene } from "./scene";
import { fit } from "./text";

export const ROW = 18; // CSS pixels
export const NARROWEST = 0.6; // CSS pixels of a frame that is still drawn
const PADDING = 4;
export const FONT_SIZE = 11;
export const FONT = 'ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace';

/** One frame as it is drawn; CSS pixels. */
export interface Box {
  place: number;
  x: number;
  y: number;
  width: number;
  colour: Fill;
  label: string;
}

/** How the frames of a scene look. */
export class Style {
  private readonly verdicts: (Uint8Array | null)[];

  constructor(
    private readonly scene: Scene,
    private readonly layout: Layout,
    private readonly palette: Palette,
    private readonly rootWords: string,
  ) {
    this.verdicts = layout.parts.map(({ tree }) => scene.verdictsOf(tree));
  }

  /** The words of a place, uncut. A difference says its direction also without colour. */
  words(place: number): string {
    const { tree } = this.part(place);
    const frame = this.layout.frame[place]!;
    const label = tree.label[frame]!;
    const words = label < 0 ? this.rootWords : tree.labels.short(label);
    if (!this.scene.base || this.verdict(place) !== 2) return words;
    const { now, base } = this.compared(place);
    return `${now >= base ? "▲" : "▼"} ${words}`;
  }

  colour(place: number): Fill {
    const { palette, scene } = this;
    const { tree } = this.part(place);
    const label = tree.label[this.layout.frame[place]!]!;
    const isHit = this.isFound(label);
    // In a difference colours mean less and more: what is searched for keeps its own, and the rest goes pale.
    if (scene.base && (isHit || !scene.found)) return this.difference(place);
    if (isHit) return palette.hit;
    const fills = scene.found || this.isAboveZoom(place) ? palette.faded : palette.owner;
    return label < 0 ? owned(fills, NOBODY, 0) : owned(fills, tree.labels.owner[label]!, tree.labels.hash[label]!);
  }

  private isFound(label: number): boolean {
    return label >= 0 && this.scene.found?.labels[label] === 1;
  }

  private isAboveZoom(place: number): boolean {
    const { tree, zoom } = this.part(place);
    const frame = this.layout.frame[place]!;
    if (this.layout.width[place] !== 1) return false;
    for (let at = tree.parent[zoom]!; at >= 0; at = tree.parent[at]!) if (at === frame) return true;
    return false;
  }

  /** The normalised times of a place, of both sides of a difference. */
  compared(place: number): { now: number; base: number } {
    const { tree } = this.part(place);
    const frame = this.layout.frame[place]!;
    const { factorNow = 0, factorBase = 0 } = this.scene.base ?? {};
    return { now: tree.now.total[frame]! * factorNow, base: (tree.base?.total[frame] ?? 0) * factorBase };
  }

  verdict(place: number): number {
    return this.verdicts[this.layout.part[place]!]?.[this.layout.frame[place]!] ?? UNJUDGED;
  }

  /** Whether noise can be told from change at all: each side has enough slices. */
  get isJudged(): boolean {
    return this.verdicts.every((verdicts) => verdicts !== null);
  }

  private difference(place: number): Fill {
    const verdict = this.verdict(place);
    if (verdict === NOISE || (verdict === UNJUDGED && this.isJudged)) return this.palette.grey;
    const { now, base } = this.compared(place);
    return changed(this.palette, now, base);
  }

  private part(place: number): Part {
    return this.layout.parts[this.layout.part[place]!]!;
  }
}

/** The boxes of the rows from `firstRow` to before `endRow`, on a picture of `width` CSS pixels; edges on whole `1 / grid`. */
export function* boxes(layout: Layout, style: Style, width: number, grid: number, column: number, rows: { first: number; end: number }): Generator<Box> {
  const from = layout.firstOfRow[Math.max(0, rows.first)] ?? 0;
  const to = layout.firstOfRow[Math.min(layout.rows, rows.end)] ?? layout.count;
  for (let place = from; place < to; place++) {
    const left = Math.round(layout.left[place]! * width * grid) / grid;
    const right = Math.round((layout.left[place]! + layout.width[place]!) * width * grid) / grid;
    // A hair between neighbours, where there is room for one.
    const drawn = right - left > 2 ? right - left - 1 / grid : right - left;
    const room = Math.floor((drawn - 2 * PADDING + 2) / column);
    const label = room >= 3 ? fit(style.words(place), room) : "";
    yield { place, x: left, y: layout.row[place]! * ROW, width: Math.max(1 / grid, drawn), colour: style.colour(place), label };
  }
}

export const TEXT_LEFT = PADDING;
export const TEXT_BASE = 12.5; // of the text, below a row's top
