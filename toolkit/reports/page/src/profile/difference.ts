// Two windows compared: how each side is normalised, and what is gone or new. Definitions: toolkit/analysis/windows.py.
import type { Fold } from "./fold";
import type { Normal } from "./state";
import type { Times } from "./tree";
import type { Side } from "./window";

/** How many requests ended between two times in seconds. */
export type RequestsIn = (from_s: number, to_s: number) => number;

const LATEST_S = 1e7; // after every run, and a number that a loop over seconds can have as its end

/** A side's microseconds are divided by its length in milliseconds or by its time, and multiplied with `constant`. */
export interface Normalised {
  by: "length" | "time";
  constant: number;
  /** What the result is multiplied with to be read: per second instead of per millisecond. */
  readable: number;
}

/** null where there is no such difference: no request ended in the window. */
export function normalised(normal: Normal, side: Side, requestsIn: RequestsIn): Normalised | null {
  if (normal === "share") return { by: "time", constant: 1, readable: 1 };
  if (normal === "second") return { by: "length", constant: 1, readable: 1000 };
  const { recorded } = side;
  const [from, to] = recorded ? [Math.ceil(recorded.from / 1000), Math.ceil(recorded.to / 1000)] : [0, LATEST_S];
  const requests = requestsIn(from, to);
  if (!(requests > 0)) return null;
  const length_ms = recorded ? (to - from) * 1000 : side.length_ms;
  return { by: "length", constant: length_ms / requests, readable: 1 };
}

/** The number that a side's microseconds are multiplied with; 0 where the side has nothing. */
export function factorOf({ by, constant, readable }: Normalised, side: Side): number {
  const divisor = by === "time" ? side.time : side.length_ms;
  return divisor > 0 ? (constant / divisor) * readable : 0;
}

/** Frames that one side alone has, below frames that both have; the heaviest first. */
export function aloneIn(fold: Fold, one: Times, other: Times): number[] {
  const found: number[] = [];
  for (let frame = 1; frame < fold.count; frame++) {
    const parent = fold.parent[frame]!;
    const topmost = parent === 0 || other.total[parent]! > 0;
    if (topmost && one.total[frame]! > 0 && other.total[frame] === 0) found.push(frame);
  }
  return found.sort((a, b) => one.total[b]! - one.total[a]!);
}
