// Of a difference: how the two windows are normalised, what the colours mean, and what vanished and appeared.
import { Choice } from "./choice";
import { STEPS } from "./colours";
import type { Palette } from "./colours";
import { pathWords } from "./describe";
import { aloneIn } from "./difference";
import { button, make, swatch } from "./dom";
import { CHANGED, LEAST_SHARE } from "./noise";
import type { Scene } from "./scene";
import { isCompared } from "./state";
import type { FlameState, Normal, PaletteName } from "./state";
import { addressOf, pathTo } from "./tree";
import { comparable, span } from "./words";

const MOST_LISTED = 16;

export class Comparing {
  readonly element = make("div", "fv-comparing");
  readonly lists = make("div", "fv-lists");
  private readonly headline = make("p", "fv-headline");
  private readonly normal: Choice<Normal>;
  private readonly palette: Choice<PaletteName>;
  private readonly scale = make("div", "fv-legend");

  constructor(private readonly change: (state: Partial<FlameState>) => void) {
    this.normal = new Choice("normal", NORMALS, (normal) => {
      change({ normal });
    });
    this.palette = new Choice("palette", PALETTES, (palette) => {
      change({ palette });
    });
    this.element.append(this.headline, make("div", "fv-row", this.normal.element, this.palette.element, this.scale));
  }

  show(scene: Scene, palette: Palette, isJudged: boolean): void {
    const { state, base } = scene;
    this.element.hidden = this.lists.hidden = !isCompared(state);
    if (this.element.hidden) return;
    this.headline.textContent = scene.incomparable || headline(scene, isJudged);
    this.headline.classList.toggle("fv-bad", scene.incomparable !== "");
    this.normal.show(state.normal);
    this.palette.show(state.palette);
    this.scale.replaceChildren(...(base ? legend(palette, isJudged) : []));
    this.lists.replaceChildren(...(base ? this.changes(scene) : []));
  }

  private changes(scene: Scene): HTMLElement[] {
    const base = scene.base!;
    const { fold, times, now, state, stacks } = scene;
    const listed = (frames: number[], total: Float64Array, whole: number) => frames.filter((frame) => total[frame]! >= whole * LEAST_SHARE);
    const value = (total: Float64Array, factor: number) => (frame: number) => comparable(total[frame]! * factor, state.normal);
    const gone = listed(aloneIn(fold, base.times, times), base.times.total, base.side.time);
    const come = listed(aloneIn(fold, times, base.times), times.total, now.time);
    return [
      this.list("Vanished", gone, scene, value(base.times.total, base.factorBase), null),
      this.list("Appeared", come, scene, value(times.total, base.factorNow), (frame) => {
        this.change({ look: "icicle", inverted: false, zoom: addressOf(stacks, frame) });
      }),
    ];
  }

  private list(title: string, frames: number[], scene: Scene, value: (frame: number) => string, chosen: ((frame: number) => void) | null): HTMLElement {
    const section = make("section", "fv-list", make("h4", "", `${title} (${frames.length.toLocaleString("en")})`));
    section.dataset.part = title.toLowerCase();
    if (frames.length === 0) section.append(make("p", "fv-quiet", "Nothing of at least 0.2 % of its window."));
    const { stacks } = scene;
    const verdicts = scene.verdictsOf(stacks);
    const list = make("ol");
    const isSure = (frame: number) => verdicts === null || verdicts[frame] === CHANGED;
    // What may be chance comes last.
    const sorted = [...frames.filter(isSure), ...frames.filter((frame) => !isSure(frame))];
    for (const frame of sorted.slice(0, MOST_LISTED)) {
      const path = pathTo(stacks, frame);
      const words = stacks.labels.short(path.at(-1)!);
      const name = chosen ? button(words, "fv-link", () => { chosen(frame); }) : make("span", "", words);
      name.title = pathWords(stacks.labels, path);
      const caller = path.length > 1 ? make("span", "fv-quiet", `in ${stacks.labels.short(path.at(-2)!)}`) : null;
      list.append(make("li", isSure(frame) ? "" : "fv-within", make("span", "fv-value", value(frame)), name, caller));
    }
    section.append(list);
    if (frames.length > MOST_LISTED) section.append(make("p", "fv-quiet", `and ${(frames.length - MOST_LISTED).toLocaleString("en")} more, lighter or less certain`));
    return section;
  }
}

const NORMALS = [
  { value: "second", words: "Per second", hint: "Time per second of the window" },
  { value: "share", words: "Share", hint: "Share of all time of the window" },
  { value: "request", words: "Per request", hint: "Time per request that ended in the window" },
] satisfies { value: Normal; words: string; hint: string }[];

const PALETTES = [
  { value: "red-blue", words: "Red–blue" },
  { value: "colour-blind", words: "Orange–violet", hint: "For colour-blind readers" },
] satisfies { value: PaletteName; words: string; hint?: string }[];

function headline({ state, now, base }: Scene, isJudged: boolean): string {
  const { factorNow, factorBase, side } = base!;
  const sides = `${span(state.from, state.to)} (${comparable(now.time * factorNow, state.normal)}) against ${span(state.baseFrom, state.baseTo)} (${comparable(side.time * factorBase, state.normal)})`;
  return isJudged ? sides : `${sides}. Too few chunks to tell change from noise: at least 4 on each side are needed.`;
}

/** The same on paper: how the two windows were made comparable, and what the colours say. */
export function comparedWords(scene: Scene, isJudged: boolean): string {
  const { normal, palette } = scene.state;
  const [less, more] = palette === "red-blue" ? ["blue", "red"] : ["violet", "orange"];
  const grey = isJudged ? ", grey within the noise or too small to judge" : "";
  return `${NORMALS.find(({ value }) => value === normal)!.words}: ${headline(scene, isJudged)} Frames are ${less} where less was done, ${more} where more${grey}.`;
}

function legend(palette: Palette, isJudged: boolean): HTMLElement[] {
  const steps = [...palette.less.slice().reverse(), ...palette.more].map(({ fill }) => swatch(fill));
  const ticks = make("span", "fv-scale", ...steps);
  ticks.title = `Changed by up to ${STEPS.slice(1).map((step) => `${String(step * 100)} %`).join(", ")} of the larger side, or more`;
  const scale = [make("span", "", "less, gone"), ticks, make("span", "", "more, new")];
  return isJudged ? [...scale, make("span", "fv-key", swatch(palette.grey.fill), "within the noise, or too small to judge")] : scale;
}
