// Would a frame's difference be another had the chunks fallen otherwise? A Poisson bootstrap over blocks of neighbouring
// slices; definitions (and the same numbers): toolkit/analysis/windows.py.
import type { Normalised } from "./difference";
import type { Fold } from "./fold";
import type { Profile } from "./profile";
import type { Times, Tree } from "./tree";
import { addSlice, lengthOf } from "./window";
import type { Selection, Side } from "./window";

export const LEAST_SHARE = 0.002;
export const FEWEST_SLICES = 4;
const ROUNDS = 200;
const MOST_BLOCKS = 64;
const OUTSIDE = 6; // of 200 sorted differences, number 5 must be above 0 or number 194 below

/** What can be told of a frame's difference. */
export const UNJUDGED = 0;
export const NOISE = 1;
export const CHANGED = 2;

export interface Compared {
  profile: Profile;
  fold: Fold;
  selection: Selection;
  now: Side;
  base: Side;
  normalNow: Normalised;
  normalBase: Normalised;
}

/** One side's blocks: times of the judged frames, block after block, with the length and the whole time of each block. */
interface Blocks {
  count: number;
  times: Float64Array;
  divisor: Float64Array;
  constant: number;
}

/** A verdict for each frame of a tree; null where a side has too few slices to tell. */
export function judgeFrames(compared: Compared, tree: Tree): Uint8Array | null {
  const judged = heavy(compared, tree.now, tree.base);
  // Everything counts on the deepest judged frame above it.
  const bucket = new Int32Array(tree.count).fill(judged.length);
  judged.forEach((frame, index) => (bucket[frame] = index));
  for (let frame = 1; frame < tree.count; frame++) {
    if (bucket[frame] === judged.length) bucket[frame] = bucket[tree.parent[frame]!]!;
  }
  const above = judged.map((frame) => (frame === 0 ? judged.length : bucket[tree.parent[frame]!]!));
  const place = compared.fold.ofNode.map((frame) => {
    const home = tree.home ? tree.home[frame]! : frame;
    return home < 0 ? judged.length : bucket[home]!;
  });
  const addUp = (sums: Float64Array, times: Float64Array) => {
    for (let index = judged.length - 1; index >= 0; index--) {
      times[index] = sums[index]!;
      sums[above[index]!]! += sums[index]!;
    }
  };
  return judge(compared, judged, tree.count, { place, width: judged.length + 1, addUp });
}

/** A verdict for each function (label); null where a side has too few slices to tell. */
export function judgeFunctions(compared: Compared, now: Times, base: Times): Uint8Array | null {
  const judged = heavy(compared, now, base);
  const { fold } = compared;
  const index = new Int32Array(fold.labels.count).fill(-1);
  judged.forEach((label, at) => (index[label] = at));
  const counted = fold.label.map((label, frame) => (frame > 0 && fold.outermost[frame] === 1 ? index[label]! : -1));
  const addUp = (sums: Float64Array, times: Float64Array) => {
    for (let frame = fold.count - 1; frame > 0; frame--) {
      sums[fold.parent[frame]!]! += sums[frame]!;
      if (counted[frame]! >= 0) times[counted[frame]!]! += sums[frame]!;
    }
  };
  return judge(compared, judged, now.total.length, { place: fold.ofNode, width: fold.count, addUp });
}

function heavy({ now: nowSide, base: baseSide }: Compared, now: Times, base: Times | null): number[] {
  const found: number[] = [];
  const [least, leastBase] = [nowSide.time * LEAST_SHARE, baseSide.time * LEAST_SHARE];
  for (let at = 0; at < now.total.length; at++) {
    const [here, there] = [now.total[at]!, base ? base.total[at]! : 0];
    if ((here > 0 && here >= least) || (there > 0 && there >= leastBase)) found.push(at);
  }
  return found;
}

/** How the nodes' times of one block become the times of what is judged. */
interface Spread {
  /** For each node of the profile where its time is summed up, below `width`. */
  place: Int32Array;
  width: number;
  /** From these sums (which it may change) to the times. */
  addUp(sums: Float64Array, times: Float64Array): void;
}

function judge(compared: Compared, judged: number[], count: number, spread: Spread): Uint8Array | null {
  const { now, base, normalNow, normalBase } = compared;
  if (now.slices.length < FEWEST_SLICES || base.slices.length < FEWEST_SLICES) return null;
  const a = blocksOf(compared, base, normalBase, judged.length, spread);
  const b = blocksOf(compared, now, normalNow, judged.length, spread);
  const [below, above] = [new Int32Array(judged.length), new Int32Array(judged.length)];
  const [valueA, valueB] = [new Float64Array(judged.length), new Float64Array(judged.length)];
  const random = mulberry32(1);
  for (let round = 0; round < ROUNDS; round++) {
    weigh(a, random, valueA);
    weigh(b, random, valueB);
    for (let index = 0; index < judged.length; index++) {
      const difference = valueB[index]! - valueA[index]!;
      if (difference <= 0) below[index]!++;
      if (difference >= 0) above[index]!++;
    }
  }
  const verdicts = new Uint8Array(count);
  judged.forEach((frame, index) => {
    verdicts[frame] = below[index]! >= OUTSIDE && above[index]! >= OUTSIDE ? NOISE : CHANGED;
  });
  return verdicts;
}

function blocksOf(compared: Compared, side: Side, normal: Normalised, width: number, spread: Spread): Blocks {
  const { profile, selection } = compared;
  const count = Math.min(MOST_BLOCKS, side.slices.length);
  const blocks: Blocks = { count, times: new Float64Array(count * width), divisor: new Float64Array(count), constant: normal.constant };
  const sums = new Float64Array(spread.width);
  partsOf(profile, side, count).forEach(({ slices, taken }, block) => {
    sums.fill(0);
    for (const slice of slices) addSlice(profile, slice, selection.workers, profile.slices.unit[slice]!, sums, spread.place);
    for (const slice of taken) addSlice(profile, slice, selection.workers, -profile.slices.unit[slice]!, sums, spread.place);
    const time = sums.reduce((sum, one) => sum + one, 0);
    blocks.divisor[block] = normal.by === "time" ? time : lengthOf(profile, slices);
    spread.addUp(sums, blocks.times.subarray(block * width, (block + 1) * width));
  });
  return blocks;
}

interface BlockSlices {
  slices: number[];
  taken: number[];
}

function partsOf({ slices: all }: Profile, side: Side, count: number): BlockSlices[] {
  const parts: BlockSlices[] = Array.from({ length: count }, () => ({ slices: [], taken: [] }));
  const blockOf = (index: number) => parts[Math.floor((index * count) / side.slices.length)]!;
  side.slices.forEach((slice, index) => blockOf(index).slices.push(slice));
  let at = 0;
  for (const slice of side.taken) {
    const middle = 2 * all.start[slice]! + all.length[slice]!;
    while (at + 1 < side.slices.length && 2 * all.start[side.slices[at + 1]!]! <= middle) at++;
    blockOf(at).taken.push(slice);
  }
  return parts;
}

/** One round of one side: draws the blocks' weights, and writes each judged frame's normalised time into `values`. */
function weigh({ count, times, divisor, constant }: Blocks, random: () => number, values: Float64Array): void {
  const width = values.length;
  let whole = 0;
  values.fill(0);
  for (let block = 0; block < count; block++) {
    const weight = poisson(random);
    if (weight === 0) continue;
    whole += weight * divisor[block]!;
    const first = block * width;
    for (let index = 0; index < width; index++) values[index]! += weight * times[first + index]!;
  }
  if (whole === 0) values.fill(0);
  else for (let index = 0; index < width; index++) values[index] = (values[index]! / whole) * constant;
}

const E_MINUS_1 = 0.36787944117144233;

/** Knuth's: how many steps until the product of random numbers is below e^-1. */
function poisson(random: () => number): number {
  let found = 0;
  for (let product = random(); product > E_MINUS_1; product *= random()) found++;
  return found;
}

/** The generator of that name: 32 bits of state, numbers in [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
