// Trees that begin elsewhere than at the outermost function: inverted (at the leaf), and the callers and callees of one
// function. They depend on the window, and could have a frame for each pair of a leaf and a frame above it: so they are grown
// level by level, and only where they are at least as heavy as asked for.
import type { Fold } from "./fold";
import type { Times, Tree } from "./tree";

const MOST_FRAMES = 400_000;

export interface Source {
  fold: Fold;
  now: Times;
  base: Times | null;
}

/** Frames below these totals are left out (both sides must be below); 0 keeps all that were sampled. */
export interface Least {
  now: number;
  base: number;
}

/** The leaf first: below the root are the functions in which stacks end, below each its callers. */
export function inverted(source: Source, least: Least): Tree {
  const { now, base, fold } = source;
  const leaves = framesWhere(fold, (frame) => now.own[frame]! > 0 || (base !== null && base.own[frame]! > 0));
  const growing = new Growing(source, least, leaves, now.own, base?.own ?? null, -1);
  return growing.grow((item) => (growing.level === 0 ? item : fold.parent[item]!));
}

/** Who calls a function: it is the root, below each frame are its callers. */
export function callers(source: Source, least: Least, label: number): Tree {
  const { fold } = source;
  const growing = new Growing(source, least, callsOf(fold, label), source.now.total, source.base?.total ?? null, label);
  return growing.grow((item) => fold.parent[item]!);
}

/** What a function calls: it is the root. Calls of itself lie below it. */
export function callees(source: Source, least: Least, label: number): Tree {
  const { now, base, fold } = source;
  const growing = new Growing(source, least, callsOf(fold, label), now.total, base?.total ?? null, label);
  return growing.grow("children");
}

/** The outermost frames of a label: each sampled stack through it is below exactly one. */
function callsOf(fold: Fold, label: number): Int32Array {
  return framesWhere(fold, (frame) => fold.label[frame] === label && fold.outermost[frame] === 1);
}

function framesWhere(fold: Fold, wanted: (frame: number) => boolean): Int32Array {
  const found = new Int32Array(fold.count);
  let count = 0;
  for (let frame = 1; frame < fold.count; frame++) if (wanted(frame)) found[count++] = frame;
  return found.subarray(0, count);
}

/** Where the walk goes from a frame of the fold: to one other (0 or less: it ends), or to all its children. */
type Step = ((frame: number) => number) | "children";

/** Frames of the fold on their way, in order of the frames of the growing tree that they belong to. */
class Travellers {
  readonly at: Int32Array;
  readonly source: Int32Array;
  count = 0;

  constructor(most: number) {
    this.at = new Int32Array(most);
    this.source = new Int32Array(most);
  }
}

class Growing {
  level = 0;
  private readonly label: number[] = [];
  private readonly parent: number[] = [];
  private readonly firstChild: number[] = [];
  private readonly nextSibling: number[] = [];
  private readonly sums: number[][] = [[], [], [], []]; // total, own, total and own of the base
  private readonly home: Int32Array;
  private readonly slot: Int32Array;
  private readonly heavy: Float64Array;
  private readonly heavyBase: Float64Array;
  private readonly members: Int32Array;

  constructor(
    private readonly from: Source,
    private readonly least: Least,
    private readonly start: Int32Array,
    private readonly weight: Float64Array,
    private readonly baseWeight: Float64Array | null,
    rootLabel: number,
  ) {
    const labels = from.fold.labels.count;
    this.home = new Int32Array(from.fold.count).fill(-1);
    this.slot = new Int32Array(labels);
    this.members = new Int32Array(labels);
    this.heavy = new Float64Array(labels);
    this.heavyBase = new Float64Array(labels);
    this.add(-1, rootLabel, this.weigh(start, weight), baseWeight ? this.weigh(start, baseWeight) : 0);
  }

  grow(step: Step): Tree {
    const most = Math.max(this.start.length, step === "children" ? this.from.fold.count : 0) + 1;
    let [here, next] = [new Travellers(most), new Travellers(most)];
    const scratch = new Travellers(most);
    here.at.set(this.start);
    here.source.set(this.start);
    here.count = this.start.length;
    for (const frame of this.start) this.home[frame] = 0;
    let ends = [here.count];
    for (let first = 0; ends.length > 0 && this.label.length < MOST_FRAMES; this.level++) {
      const count = this.label.length;
      const nextEnds: number[] = [];
      next.count = 0;
      ends.forEach((end, index) => {
        const begin = index === 0 ? 0 : ends[index - 1]!;
        this.step(step, first + index, here, begin, end, scratch);
        this.settle(first + index, scratch, next, nextEnds);
      });
      first = count;
      ends = nextEnds;
      [here, next] = [next, here];
    }
    return this.tree();
  }

  /** Moves the travellers of one frame on; those whose walk ends count as the frame's own. */
  private step(step: Step, frame: number, here: Travellers, begin: number, end: number, moved: Travellers): void {
    moved.count = 0;
    for (let item = begin; item < end; item++) {
      const at = here.at[item]!;
      if (step === "children") {
        this.sums[1]![frame]! += this.from.now.own[at]!;
        if (this.from.base) this.sums[3]![frame]! += this.from.base.own[at]!;
        this.descend(at, moved);
        continue;
      }
      const to = step(at);
      const source = here.source[item]!;
      if (to > 0) {
        moved.at[moved.count] = to;
        moved.source[moved.count++] = source;
        continue;
      }
      this.sums[1]![frame]! += this.weight[source]!;
      if (this.baseWeight) this.sums[3]![frame]! += this.baseWeight[source]!;
    }
  }

  private descend(at: number, moved: Travellers): void {
    const { firstChild, nextSibling } = this.from.fold;
    for (let child = firstChild[at]!; child >= 0; child = nextSibling[child]!) {
      if (this.weight[child] === 0 && (!this.baseWeight || this.baseWeight[child] === 0)) continue;
      moved.at[moved.count] = child;
      moved.source[moved.count++] = child;
    }
  }

  /** Makes a child of `frame` for each label among the travellers that is heavy enough, and lines those up in `next`. */
  private settle(frame: number, moved: Travellers, next: Travellers, ends: number[]): void {
    const { label, labels } = this.from.fold;
    const found = this.gather(moved);
    found.sort((a, b) => labels.rank[a]! - labels.rank[b]!);
    for (const one of found) {
      const kept = this.heavy[one]! >= this.least.now || (this.baseWeight !== null && this.heavyBase[one]! >= this.least.base);
      this.slot[one] = kept ? next.count : -1;
      if (!kept) continue;
      this.add(frame, one, this.heavy[one]!, this.heavyBase[one]!);
      next.count += this.members[one]!;
      ends.push(next.count);
      this.members[one] = this.label.length - 1; // from here on: the frame that was made
    }
    for (let item = 0; item < moved.count; item++) {
      const one = label[moved.at[item]!]!;
      const slot = this.slot[one]!;
      if (slot < 0) continue;
      next.at[slot] = moved.at[item]!;
      next.source[slot] = moved.source[item]!;
      this.home[moved.source[item]!] = this.members[one]!;
      this.slot[one] = slot + 1;
    }
    for (const one of found) this.members[one] = this.heavy[one] = this.heavyBase[one] = 0;
  }

  /** The labels of the travellers; their numbers and weights are added up by label. */
  private gather(moved: Travellers): number[] {
    const { label } = this.from.fold;
    const found: number[] = [];
    for (let item = 0; item < moved.count; item++) {
      const one = label[moved.at[item]!]!;
      const source = moved.source[item]!;
      if (this.members[one]!++ === 0) found.push(one);
      this.heavy[one]! += this.weight[source]!;
      if (this.baseWeight) this.heavyBase[one]! += this.baseWeight[source]!;
    }
    return found;
  }

  private add(parent: number, label: number, total: number, baseTotal: number): void {
    const frame = this.label.length;
    // Children of one frame are made one after the other.
    if (parent >= 0 && this.firstChild[parent]! < 0) this.firstChild[parent] = frame;
    else if (parent >= 0) this.nextSibling[frame - 1] = frame;
    this.label.push(label);
    this.parent.push(parent);
    this.firstChild.push(-1);
    this.nextSibling.push(-1);
    this.sums.forEach((sum, index) => sum.push(index === 0 ? total : index === 2 ? baseTotal : 0));
  }

  private weigh(frames: Int32Array, weight: Float64Array): number {
    let sum = 0;
    for (const frame of frames) sum += weight[frame]!;
    return sum;
  }

  private tree(): Tree {
    const { fold } = this.from;
    // What hangs below a frame whose callers or callees are shown, or was too light to be shown, belongs to the frame above.
    if (this.label[0]! >= 0) {
      for (let frame = 1; frame < fold.count; frame++) {
        if (this.home[frame]! < 0 && fold.parent[frame]! > 0) this.home[frame] = this.home[fold.parent[frame]!]!;
      }
    }
    const [total, own, baseTotal, baseOwn] = this.sums.map((sum) => Float64Array.from(sum)) as [Float64Array, Float64Array, Float64Array, Float64Array];
    return {
      labels: fold.labels,
      count: this.label.length,
      parent: Int32Array.from(this.parent),
      label: Int32Array.from(this.label),
      firstChild: Int32Array.from(this.firstChild),
      nextSibling: Int32Array.from(this.nextSibling),
      now: { total, own },
      base: this.baseWeight ? { total: baseTotal, own: baseOwn } : null,
      home: this.home,
    };
  }
}
