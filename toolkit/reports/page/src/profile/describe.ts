// One frame in words: for the tooltip, the live region and the SVG's titles.
import type { Fold } from "./fold";
import { NOBODY, full } from "./labels";
import type { Labels } from "./labels";
import type { Layout } from "./layout";
import { CHANGED, NOISE } from "./noise";
import type { Style } from "./paint";
import { OWNERS } from "./profile";
import type { Profile } from "./profile";
import type { Scene } from "./scene";
import { samplesOf } from "./window";
import { comparable, duration, percent, ratio } from "./words";

/** A headline, where it is, and pairs of a name and a value. */
export interface Description {
  name: string;
  file: string;
  facts: [string, string][];
}

const MOST_LINES = 4;

export class Describing {
  private samples: { total: Float64Array; approximate: boolean } | null = null;
  private lines: Map<number, Map<number, number>> | null = null;

  constructor(
    private readonly scene: Scene,
    private readonly layout: Layout,
    private readonly style: Style,
    private readonly rootWords: string,
  ) {}

  describe(place: number): Description {
    const { tree } = this.layout.parts[this.layout.part[place]!]!;
    const label = tree.label[this.layout.frame[place]!]!;
    const facts = [...this.times(place), ...ownerOf(tree.labels, label), ...this.difference(place)];
    if (label < 0) return { name: this.rootWords, file: "", facts };
    const { name, file, line } = tree.labels.place(label);
    return { name, file: `${file}${line && ":"}${line}${this.linesOf(label)}`, facts };
  }

  /** In one sentence, for who cannot see the picture. */
  sentence(place: number): string {
    const { name, file, facts } = this.describe(place);
    const share = percent(this.layout.width[place]!, 1);
    return [name, file, ...facts.map(([fact, value]) => `${fact} ${value}`), `${share} of the width`].filter(Boolean).join(", ");
  }

  private times(place: number): [string, string][] {
    const { tree } = this.layout.parts[this.layout.part[place]!]!;
    const frame = this.layout.frame[place]!;
    const [total, own] = [tree.now.total[frame]!, tree.now.own[frame]!];
    const whole = this.scene.now.time;
    const facts: [string, string][] = [["total", `${duration(total)} · ${percent(total, whole)}`]];
    if (own > 0) facts.push([this.isBackwards(place) ? "outermost" : "self", `${duration(own)} · ${percent(own, whole)}`]);
    if (tree.home === null && this.scene.state.view !== "off") facts.push(["samples", this.samplesAt(frame)]);
    return facts;
  }

  private isBackwards(place: number): boolean {
    return this.scene.state.inverted || (this.layout.parts.length > 1 && this.layout.part[place] === 0);
  }

  private difference(place: number): [string, string][] {
    if (!this.scene.base) return [];
    const { normal } = this.scene.state;
    const { now, base } = this.style.compared(place);
    const change = `${ratio(now, base)}${now > 0 && base > 0 ? ` (${now >= base ? "+" : ""}${comparable(now - base, normal)})` : ""}`;
    return [
      ["now", comparable(now, normal)],
      ["before", comparable(base, normal)],
      ["change", change],
      ["certainty", this.certainty(place)],
    ];
  }

  private certainty(place: number): string {
    if (!this.style.isJudged) return "cannot be told: too few slices";
    const verdict = this.style.verdict(place);
    if (verdict === NOISE) return "within the noise";
    return verdict === CHANGED ? "beyond the noise" : "too small to judge (below 0.2 %)";
  }

  private samplesAt(frame: number): string {
    if (!this.samples) {
      const { profile, selection, now, fold } = this.scene;
      const { counts, approximate } = samplesOf(profile, selection, now);
      this.samples = { total: rolledUp(fold, counts), approximate };
    }
    const { total, approximate } = this.samples;
    return `${approximate ? "about " : ""}${Math.round(total[frame]!).toLocaleString("en")}`;
  }

  /** The lines of a function, where the label does not have one: those with the most time. */
  private linesOf(label: number): string {
    const { state, profile, fold, now } = this.scene;
    if (state.lines || state.scope === "package") return "";
    this.lines ??= linesByLabel(profile, fold.labels, now.self);
    const times = [...(this.lines.get(label) ?? [])].filter(([line]) => line > 0).sort((a, b) => b[1] - a[1]);
    if (times.length === 0) return "";
    const first = times.slice(0, MOST_LINES).map(([line]) => String(line));
    return `:${first.join(", ")}${times.length > MOST_LINES ? ", …" : ""}`;
  }
}

function ownerOf(labels: Labels, label: number): [string, string][] {
  const owner = label < 0 ? NOBODY : labels.owner[label]!;
  return owner === NOBODY ? [] : [["owner", OWNERS[owner] ?? ""]];
}

function rolledUp(fold: Fold, counts: Float64Array): Float64Array {
  const total = new Float64Array(fold.count);
  for (let node = 0; node < counts.length; node++) total[fold.ofNode[node]!]! += counts[node]!;
  for (let frame = fold.count - 1; frame > 0; frame--) total[fold.parent[frame]!]! += total[frame]!;
  return total;
}

/** Microseconds by label and line, of stacks through it. */
function linesByLabel(profile: Profile, labels: Labels, self: Float64Array): Map<number, Map<number, number>> {
  const total = self.slice();
  const found = new Map<number, Map<number, number>>();
  for (let node = total.length - 1; node >= 0; node--) {
    const time = total[node]!;
    if (time <= 0) continue;
    if (profile.nodeParent[node]! >= 0) total[profile.nodeParent[node]!]! += time;
    const frame = profile.nodeFrame[node]!;
    const label = labels.ofFrame[frame]!;
    const line = profile.frames.line[frame]!;
    const lines = found.get(label) ?? new Map<number, number>();
    lines.set(line, (lines.get(line) ?? 0) + time);
    found.set(label, lines);
  }
  return found;
}

/** The path of a frame, as it is read. */
export function pathWords(labels: Labels, path: number[]): string {
  return path.map((label) => full(labels.place(label))).join(" › ");
}
