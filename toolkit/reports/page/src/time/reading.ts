// What a lane reads in its margin: at the crosshair, or else over the chosen window.
import type { Window } from "../data";
import { make } from "../profile/dom";
import { number } from "../words";
import { quantiles, summed } from "./grid";
import type { Grid } from "./grid";
import type { Lane, Line } from "./lane_kinds";
import { marksIn, marksNear } from "./marks";

const MOST_MINOR = 4;
const QUANTILES: Record<string, number> = { p50: 0.5, p95: 0.95, p99: 0.99 };

/** Where the reading is taken: a second, with how far marks around it count; or a window (null: the whole run). */
export type At = { second: number; reach: number } | { window: Window | null };

interface Entry {
  line: Line;
  value: number | null;
}

export class Reading {
  readonly element: HTMLElement;

  constructor(
    private readonly lane: Lane,
    private readonly grid: Grid,
  ) {
    this.element = make("dl", "reading");
  }

  show(at: At): void {
    const { lane } = this;
    if (lane.marks) {
      const words = "second" in at ? marksNear(lane.marks, at.second, at.reach) : this.marksOf(at.window);
      this.element.replaceChildren(make("dd", "words", words || "–"));
      return;
    }
    const entries = lane.lines.map((line, index) => ({ line, value: "second" in at ? (line.column[this.grid.at(at.second)] ?? null) : this.over(index, at.window) }));
    this.element.replaceChildren(...shownOf(entries).map((entry) => pair(entry, lane, "second" in at)));
  }

  /** All in one sentence, for who cannot see it. */
  sentence(second: number, reach: number): string {
    const { lane, grid } = this;
    if (lane.marks) {
      const words = marksNear(lane.marks, second, reach);
      return words ? `${lane.title}: ${words}` : "";
    }
    const at = grid.at(second);
    const said = shownOf(lane.lines.map((line) => ({ line, value: line.column[at] ?? null }))).map(({ line, value }) => `${line.label} ${number(value, lane.unit)}`);
    return `${lane.title}: ${said.join(", ")}${lane.unit ? ` ${lane.unit}` : ""}`;
  }

  private marksOf(window: Window | null): string {
    const { from, to } = window ?? this.grid.whole;
    return marksIn(this.lane.marks ?? [], from, to);
  }

  private over(index: number, window: Window | null): number | null {
    const line = this.lane.lines[index]!;
    const steps = this.grid.steps(window);
    const quantile = QUANTILES[line.label];
    if (this.lane.heat && quantile !== undefined) return quantiles(this.lane.heat, steps, [quantile])[0] ?? null;
    return summed(line.column, steps, line.over);
  }
}

/** Of lines of which there may be many, those with the largest values, and always their sum. */
function shownOf(entries: Entry[]): Entry[] {
  const minor = entries.filter(({ line }) => line.minor);
  const sorted = [...minor].sort((a, b) => (b.value ?? -1) - (a.value ?? -1));
  const kept = new Set(sorted.slice(0, MOST_MINOR));
  const others = entries.filter(({ line }) => !line.minor);
  return minor.length === 0 ? entries : [...others, ...sorted.filter((entry) => kept.has(entry))];
}

function pair({ line, value }: Entry, lane: Lane, isMoment: boolean): HTMLElement {
  const swatch = make("i", line.dash ? "dashed" : "");
  swatch.style.setProperty("--of", `var(${line.colour})`);
  // Of a window it follows from the heatmap's bins.
  const about = isMoment || value === null ? "" : kindOf(line, lane);
  const made = make("div", "", make("dt", "", swatch, line.label), make("dd", "", about + number(value, lane.unit)));
  if (!isMoment && !lane.heat) made.title = line.over === "max" ? "at most" : "mean";
  return made;
}

/** What kind of number a window's is: of several seconds the largest, or one that is only about right. */
function kindOf(line: Line, lane: Lane): string {
  if (lane.heat) return "≈\u2009";
  return line.over === "max" ? "≤\u2009" : "";
}
