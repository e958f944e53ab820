// The steps of the time axis: which step a second lies in, and what a window of steps holds.
import type { Column, Heat, Timeline, Window } from "../data";

export class Grid {
  readonly first: number;
  readonly step: number;
  readonly count: number;
  /** The middle of each step: where a line has its point. */
  readonly middles: number[];

  constructor(timeline: Timeline) {
    ({ first: this.first, step: this.step, count: this.count } = timeline);
    this.middles = Array.from({ length: this.count }, (_, at) => this.first + (at + 0.5) * this.step);
  }

  get whole(): Window {
    return { from: this.first, to: this.first + this.count * this.step };
  }

  /** The step that a second lies in, or the nearest. */
  at(second: number): number {
    return Math.max(0, Math.min(this.count - 1, Math.floor((second - this.first) / this.step)));
  }

  /** A state whose windows end where the axis does: what an address says may be anything. Those that lie elsewhere are left out. */
  bounded<State extends Record<"window" | "base" | "zoom", Window | null>>(state: State): State {
    const within = (window: Window | null): Window | null => {
      const from = Math.max(window?.from ?? 0, this.whole.from);
      const to = Math.min(window?.to ?? 0, this.whole.to);
      return window && to > from ? { from, to } : null;
    };
    return { ...state, window: within(state.window), base: within(state.base), zoom: within(state.zoom) };
  }

  /** A window of whole steps, at least one, inside the axis. */
  snapped(one: number, other: number): Window {
    const [from, to] = [Math.min(one, other), Math.max(one, other)].map((second) => Math.round((second - this.first) / this.step));
    const start = Math.max(0, Math.min(this.count - 1, from ?? 0));
    const end = Math.max(start + 1, Math.min(this.count, to ?? 0));
    return { from: this.first + start * this.step, to: this.first + end * this.step };
  }

  /** The first step of a window and the one after its last; of the whole run where there is none. */
  steps(window: Window | null): [number, number] {
    if (!window) return [0, this.count];
    const start = Math.ceil((window.from - this.first) / this.step - 1e-9);
    const end = Math.ceil((window.to - this.first) / this.step - 1e-9);
    return [Math.max(0, start), Math.min(this.count, Math.max(start + 1, end))];
  }
}

/** The mean or the largest of the values in steps [start, end); null where there is none. */
export function summed(column: Column, [start, end]: [number, number], how: "mean" | "max"): number | null {
  let [sum, most, known] = [0, -Infinity, 0];
  for (let at = start; at < end; at++) {
    const value = column[at];
    if (value === null || value === undefined) continue;
    sum += value;
    most = Math.max(most, value);
    known++;
  }
  if (known === 0) return null;
  return how === "mean" ? sum / known : most;
}

/** Latencies at quantiles of the requests in steps [start, end), linear inside a bin; null of no request. */
export function quantiles(heat: Heat, [start, end]: [number, number], wanted: number[]): (number | null)[] {
  const counts = new Float64Array(heat.bounds_ms.length);
  let total = 0;
  for (let at = start; at < end; at++) {
    const row = heat.rows[at] ?? [];
    for (let item = 0; item < row.length; item += 2) {
      counts[row[item]!]! += row[item + 1]!;
      total += row[item + 1]!;
    }
  }
  return wanted.map((quantile) => (total ? inBins(counts, heat.bounds_ms, quantile * total) : null));
}

function inBins(counts: Float64Array, bounds: number[], place: number): number | null {
  let before = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin]!;
    if (count > 0 && before + count >= place) return bounds[bin]! + ((bounds[bin + 1]! - bounds[bin]!) * (place - before)) / count;
    before += count;
  }
  return null;
}
