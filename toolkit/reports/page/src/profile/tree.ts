// A tree with times, as it is drawn: the stacks themselves, or regrouped from a leaf or a function.
import type { Fold } from "./fold";
import type { Labels } from "./labels";

/** Microseconds of every frame of a fold, for one side. */
export interface Times {
  /** Of stacks that end in the frame. */
  own: Float64Array;
  /** With everything below it. */
  total: Float64Array;
}

/** Frame 0 is the root; a parent has a lower number than its children, which come in order of their labels' text. */
export interface Tree {
  labels: Labels;
  count: number;
  parent: Int32Array;
  /** -1: all. */
  label: Int32Array;
  firstChild: Int32Array;
  nextSibling: Int32Array;
  now: Times;
  /** The other side of a difference. */
  base: Times | null;
  /** For each frame of the fold, the deepest frame here that its own time is part of; null: itself; -1: none. */
  home: Int32Array | null;
}

/** The times of the frames of a fold, from those of the profile's nodes. */
export function timesOf(fold: Fold, self: Float64Array): Times {
  const own = new Float64Array(fold.count);
  for (let node = 0; node < self.length; node++) own[fold.ofNode[node]!]! += self[node]!;
  const total = own.slice();
  for (let frame = fold.count - 1; frame > 0; frame--) total[fold.parent[frame]!]! += total[frame]!;
  return { own, total };
}

/** The stacks as they were, from the outermost function to the leaf. */
export function stacks(fold: Fold, now: Times, base: Times | null): Tree {
  const { labels, count, parent, label, firstChild, nextSibling } = fold;
  return { labels, count, parent, label, firstChild, nextSibling, now, base, home: null };
}

/** Times of functions (labels), recursion counted once. */
export function functionsOf(fold: Fold, { own, total }: Times): Times {
  const found = { own: new Float64Array(fold.labels.count), total: new Float64Array(fold.labels.count) };
  for (let frame = 1; frame < fold.count; frame++) {
    found.own[fold.label[frame]!]! += own[frame]!;
    if (fold.outermost[frame] === 1) found.total[fold.label[frame]!]! += total[frame]!;
  }
  return found;
}

/** The labels from the root (without it) to a frame. */
export function pathTo(tree: Tree, frame: number): number[] {
  const path: number[] = [];
  for (let at = frame; at > 0; at = tree.parent[at]!) path.push(tree.label[at]!);
  return path.reverse();
}

/** A short name of a frame's path, for an address: its depth and a hash of the labels. The root has none. */
export function addressOf(tree: Tree, frame: number): string {
  const path = pathTo(tree, frame);
  if (path.length === 0) return "";
  const hash = path.reduce((above, label) => mix(above, tree.labels.hash[label]!), 0);
  return `${String(path.length)}.${(hash >>> 0).toString(36)}`;
}

/** The frame of an address; 0 (the root) where this tree has none. */
export function frameAt(tree: Tree, address: string): number {
  if (address === "") return 0;
  const [depthText = "", hashText = ""] = address.split(".");
  const wanted = parseInt(hashText, 36) | 0;
  const depth = Number(depthText);
  const depths = new Int32Array(tree.count);
  const hashes = new Int32Array(tree.count);
  for (let frame = 1; frame < tree.count; frame++) {
    const parent = tree.parent[frame]!;
    depths[frame] = depths[parent]! + 1;
    hashes[frame] = mix(hashes[parent]!, tree.labels.hash[tree.label[frame]!]!);
    if (depths[frame] === depth && hashes[frame] === wanted) return frame;
  }
  return 0;
}

function mix(above: number, own: number): number {
  const mixed = Math.imul(above ^ (above >>> 15), 0x2c1b3c6d) + own;
  return Math.imul(mixed ^ (mixed >>> 13), 0x297a2d39);
}
