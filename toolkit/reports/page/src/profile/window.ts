// A window of a view, added up: the definitions are the docstring of toolkit/analysis/windows.py.
import type { Profile } from "./profile";

/** Milliseconds since time 0, [from, to); null is the whole run. */
export type Window = { from: number; to: number } | null;

/** Whose time is added up; `workers` marks the processes by their index, null is all of them. */
export interface Selection {
  server: number;
  view: string;
  workers: Uint8Array | null;
}

/** One window, added up. */
export interface Side {
  window: Window;
  /** Microseconds of stacks that end in each node. */
  self: Float64Array;
  /** Microseconds of all of them. */
  time: number;
  /** Milliseconds of all slices that were added up (of off: of wall's). */
  length_ms: number;
  /** From when to when its slices were recorded; null of the whole run, or where none is known. */
  recorded: Window;
  /** The slices of the view (of off: of wall). */
  slices: number[];
  /** Of off alone: the slices of cpu. */
  taken: number[];
}

export function addUp(profile: Profile, selection: Selection, window: Window): Side {
  const off = selection.view === "off";
  const slices = slicesIn(profile, selection.server, off ? "wall" : selection.view, window);
  const taken = off ? slicesIn(profile, selection.server, "cpu", window && recordedIn(profile, slices)) : [];
  const self = new Float64Array(profile.nodeFrame.length);
  for (const slice of slices) addSlice(profile, slice, selection.workers, profile.slices.unit[slice]!, self);
  for (const slice of taken) addSlice(profile, slice, selection.workers, -profile.slices.unit[slice]!, self);
  let time = 0;
  for (let node = 0; node < self.length; node++) {
    if (self[node]! < 0) self[node] = 0;
    time += self[node]!;
  }
  return { window, self, time, length_ms: lengthOf(profile, slices), recorded: window && recordedIn(profile, slices), slices, taken };
}

function recordedIn(profile: Profile, slices: number[]): Window {
  const { start, length } = profile.slices;
  if (slices.length === 0) return null;
  return { from: Math.min(...slices.map((slice) => start[slice]!)), to: Math.max(...slices.map((slice) => start[slice]! + length[slice]!)) };
}

/** Milliseconds of slices. */
export function lengthOf(profile: Profile, slices: number[]): number {
  return slices.reduce((sum, slice) => sum + profile.slices.length[slice]!, 0);
}

/** Adds the counts of one slice, each times `unit`, to `into`: there a node's place is its number, or what `place` says. */
export function addSlice(profile: Profile, slice: number, workers: Uint8Array | null, unit: number, into: Float64Array, place?: Int32Array): void {
  const { firstGroup, groupWorker, firstEntry, entryNode, entryCount } = profile;
  for (let group = firstGroup[slice]!; group < firstGroup[slice + 1]!; group++) {
    if (workers && workers[groupWorker[group]!] === 0) continue;
    const end = firstEntry[group + 1]!;
    for (let entry = firstEntry[group]!; entry < end; entry++) {
      const node = entryNode[entry]!;
      into[place ? place[node]! : node]! += entryCount[entry]! * unit;
    }
  }
}

/** The slices whose middle lies in the window, else the one that it overlaps most; of the whole run all of them. */
export function slicesIn(profile: Profile, server: number, view: string, window: Window): number[] {
  const { slices } = profile;
  const wanted = profile.header.views.indexOf(view);
  const all: number[] = [];
  for (let slice = 0; slice < slices.count; slice++) if (slices.server[slice] === server && slices.view[slice] === wanted) all.push(slice);
  if (!window) return all;
  const found = all.filter((slice) => isIn(slices.start[slice]!, slices.length[slice]!, window));
  return found.length > 0 ? found : nearest(all.map((slice) => [slice, shared(slices.start[slice]!, slices.length[slice]!, window)]));
}

/** The slice that shares most with the window, the first of several; none where none shares anything. */
function nearest(candidates: [slice: number, shared: number][]): number[] {
  const best = candidates.reduce<[number, number]>((one, other) => (other[1] > one[1] ? other : one), [-1, 0]);
  return best[1] > 0 ? [best[0]] : [];
}

/** Milliseconds that a slice and a window have in common; below 0 where they are apart. */
function shared(start: number, length: number, { from, to }: { from: number; to: number }): number {
  return Math.min(start + length, to) - Math.max(start, from);
}

function isIn(start: number, length: number, { from, to }: { from: number; to: number }): boolean {
  const twice = 2 * start + length; // no half milliseconds
  return length > 0 && twice >= 2 * from && twice < 2 * to;
}

/** How many samples a side's time was made of, by node; an estimate where `approximate`. */
export function samplesOf(profile: Profile, selection: Selection, side: Side): { counts: Float64Array; approximate: boolean } {
  const counts = new Float64Array(profile.nodeFrame.length);
  const rate = profile.stateOf(selection.server, selection.view)?.rate_hz ?? 0;
  let approximate = false;
  for (const slice of side.slices) {
    const unit = profile.slices.unit[slice]!;
    // Slices of different rates that were merged count milliseconds, not samples.
    const merged = profile.header.coarsened && unit === 1000 && rate > 0 && rate !== 1000;
    approximate ||= merged;
    addSlice(profile, slice, selection.workers, merged ? (unit * rate) / 1e6 : 1, counts);
  }
  return { counts, approximate };
}
