// The profile's tree under the labels and the scope that the reader chose: nodes of one path of labels become one frame.
// It depends on no window, so it is made once for each choice.
import type { Labels } from "./labels";
import { APPLICATION } from "./profile";
import type { Profile } from "./profile";

export type Scope = "all" | "application" | "package";

/** Frame 0 is the root, which has no label (-1); a parent has a lower number than its children. */
export interface Fold {
  labels: Labels;
  count: number;
  parent: Int32Array;
  label: Int32Array;
  /** Children in order of their labels' text; -1 where there is none. */
  firstChild: Int32Array;
  nextSibling: Int32Array;
  /** Whether no frame above it has its label: totals of functions add up over these alone. */
  outermost: Uint8Array;
  /** The frame on which a stack counts that ends in a node of the profile. */
  ofNode: Int32Array;
}

export function makeFold(profile: Profile, labels: Labels, scope: Scope): Fold {
  const growing = new Growing(labels.count, profile.nodeParent.length + 2);
  const ofNode = placeNodes(profile, labels, scope, growing);
  if (scope === "application" && ofNode.includes(0)) {
    const outside = growing.child(0, labels.outside);
    for (let node = 0; node < ofNode.length; node++) if (ofNode[node] === 0) ofNode[node] = outside;
  }
  const count = growing.count;
  const parent = growing.parent.slice(0, count);
  const label = growing.label.slice(0, count);
  const fold = { labels, count, parent, label, ofNode, ...inOrder(parent, label, labels.rank) };
  return { ...fold, outermost: outermostOf(fold) };
}

/** The frame of each node; 0 where the scope has removed all frames down to it. */
function placeNodes({ nodeParent, nodeFrame, frames }: Profile, labels: Labels, scope: Scope, growing: Growing): Int32Array {
  const ofNode = new Int32Array(nodeParent.length);
  for (let node = 0; node < ofNode.length; node++) {
    const above = nodeParent[node]! < 0 ? 0 : ofNode[nodeParent[node]!]!;
    const frame = nodeFrame[node]!;
    const label = labels.ofFrame[frame]!;
    const left = scope === "application" && frames.owner[frame] !== APPLICATION;
    const merged = scope === "package" && above > 0 && growing.label[above] === label;
    ofNode[node] = left || merged ? above : growing.child(above, label);
  }
  return ofNode;
}

/** A tree that finds the child with a label by an open hash table of (parent, label). */
class Growing {
  count = 1;
  readonly parent: Int32Array;
  readonly label: Int32Array;
  private readonly slots: Int32Array;

  constructor(
    private readonly labelCount: number,
    most: number,
  ) {
    this.parent = new Int32Array(most).fill(-1);
    this.label = new Int32Array(most).fill(-1);
    this.slots = new Int32Array(2 ** Math.ceil(Math.log2(most * 2 + 2)));
  }

  child(parent: number, label: number): number {
    const mask = this.slots.length - 1;
    let slot = (Math.imul(parent * this.labelCount + label, 0x9e3779b1) >>> 7) & mask;
    for (let found = this.slots[slot]!; found !== 0; found = this.slots[slot]!) {
      if (this.parent[found] === parent && this.label[found] === label) return found;
      slot = (slot + 1) & mask;
    }
    const made = this.count++;
    this.slots[slot] = made;
    this.parent[made] = parent;
    this.label[made] = label;
    return made;
  }
}

function inOrder(parent: Int32Array, label: Int32Array, rank: Int32Array): { firstChild: Int32Array; nextSibling: Int32Array } {
  const count = parent.length;
  const firstChild = new Int32Array(count).fill(-1);
  const nextSibling = new Int32Array(count).fill(-1);
  // By label, last first: each is put before those that its parent has.
  const start = new Int32Array(rank.length + 1);
  for (let frame = 1; frame < count; frame++) start[rank[label[frame]!]! + 1]!++;
  for (let at = 0; at < rank.length; at++) start[at + 1]! += start[at]!;
  const order = new Int32Array(count - 1);
  for (let frame = 1; frame < count; frame++) order[start[rank[label[frame]!]!]!++] = frame;
  for (let at = order.length - 1; at >= 0; at--) {
    const frame = order[at]!;
    nextSibling[frame] = firstChild[parent[frame]!]!;
    firstChild[parent[frame]!] = frame;
  }
  return { firstChild, nextSibling };
}

function outermostOf({ labels, count, label, parent, firstChild, nextSibling }: Omit<Fold, "outermost">): Uint8Array {
  const outermost = new Uint8Array(count);
  const open = new Int32Array(labels.count);
  let frame = firstChild[0]!;
  while (frame > 0) {
    if (open[label[frame]!]!++ === 0) outermost[frame] = 1;
    if (firstChild[frame]! >= 0) {
      frame = firstChild[frame]!;
      continue;
    }
    while (frame > 0) {
      open[label[frame]!]!--;
      if (nextSibling[frame]! >= 0) break;
      frame = parent[frame]!;
    }
    if (frame > 0) frame = nextSibling[frame]!;
  }
  return outermost;
}
