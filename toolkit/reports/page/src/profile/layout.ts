// Where each frame stands: rows and shares of the width. No pixels of a screen, and nothing that is too narrow to be seen.
import type { Tree } from "./tree";

/** A tree in a picture; a sandwich has two. */
export interface Part {
  tree: Tree;
  /** The frame that is as wide as the picture; those above it are drawn as wide. */
  zoom: number;
  /** Whether children stand above their parent. */
  upwards: boolean;
}

/** The placed frames, in order of rows from the top and from left to right; all arrays have `count` places. */
export interface Layout {
  parts: Part[];
  count: number;
  rows: number;
  part: Uint8Array;
  frame: Int32Array;
  /** Shares of the picture's width, 0 to 1. */
  left: Float64Array;
  width: Float64Array;
  row: Int32Array;
  /** Of each frame the place of its parent; -1: none is shown. */
  parent: Int32Array;
  /** The places of row r are those from firstOfRow[r] to before firstOfRow[r + 1]. */
  firstOfRow: Int32Array;
}

interface Placed {
  part: number;
  frame: number;
  left: number;
  width: number;
  depth: number;
  parent: number;
}

/** Lays the parts out from top to bottom; frames narrower than `least` (a share of the width) are left out. */
export function layOut(parts: Part[], least: number): Layout {
  const placed: Placed[] = [];
  const heights = parts.map((part, index) => {
    const first = placed.length;
    place(part, index, least, placed);
    let deepest = -1;
    for (let at = first; at < placed.length; at++) deepest = Math.max(deepest, placed[at]!.depth);
    return deepest + 1;
  });
  const rows = heights.reduce((sum, height) => sum + height, 0);
  let top = 0;
  const tops = heights.map((height) => (top += height) - height);
  const row = placed.map(({ part, depth }) => tops[part]! + (parts[part]!.upwards ? heights[part]! - 1 - depth : depth));
  return sorted(parts, placed, row, rows);
}

function place(part: Part, index: number, least: number, placed: Placed[]): void {
  const { tree, zoom } = part;
  if (tree.now.total[zoom]! <= 0) return;
  const path: number[] = [];
  for (let frame = zoom; frame >= 0; frame = tree.parent[frame]!) path.push(frame);
  if (isRootless(part)) path.pop();
  let above = -1;
  path.reverse().forEach((frame, depth) => {
    placed.push({ part: index, frame, left: 0, width: 1, depth, parent: above });
    above = placed.length - 1;
  });
  below(part, { part: index, frame: zoom, left: 0, width: 1, depth: path.length - 1, parent: above }, least, placed);
}

/** Both parts of a sandwich have the same root: that of the callers is left out. */
function isRootless({ tree, upwards }: Part): boolean {
  return upwards && tree.label[0]! >= 0;
}

/** Places everything below `top`, whose own place is `top.parent` (-1: it has none). */
function below({ tree, zoom }: Part, top: Placed, least: number, placed: Placed[]): void {
  const { total } = tree.now;
  const whole = total[zoom]!;
  const todo = [top];
  for (let from = todo.pop(); from; from = todo.pop()) {
    const first = placed.length;
    let left = from.left;
    for (let child = tree.firstChild[from.frame]!; child >= 0; child = tree.nextSibling[child]!) {
      const width = total[child]! / whole;
      if (width >= least) placed.push({ ...from, frame: child, left, width, depth: from.depth + 1 });
      left += width;
    }
    for (let next = first; next < placed.length; next++) todo.push({ ...placed[next]!, parent: next });
  }
}

function sorted(parts: Part[], placed: Placed[], row: number[], rows: number): Layout {
  const count = placed.length;
  const firstOfRow = new Int32Array(rows + 1);
  for (const one of row) firstOfRow[one + 1]!++;
  for (let at = 0; at < rows; at++) firstOfRow[at + 1]! += firstOfRow[at]!;
  const order = placed.map((_, at) => at).sort((a, b) => row[a]! - row[b]! || placed[a]!.left - placed[b]!.left);
  const place = new Int32Array(count);
  order.forEach((at, to) => (place[at] = to));
  const inOrder = order.map((at) => placed[at]!);
  return {
    parts,
    count,
    rows,
    part: Uint8Array.from(inOrder, (one) => one.part),
    frame: Int32Array.from(inOrder, (one) => one.frame),
    left: Float64Array.from(inOrder, (one) => one.left),
    width: Float64Array.from(inOrder, (one) => one.width),
    row: Int32Array.from(order, (at) => row[at]!),
    parent: Int32Array.from(inOrder, (one) => (one.parent < 0 ? -1 : place[one.parent]!)),
    firstOfRow,
  };
}

/** The place at a row and a share of the width; -1 where there is none. */
export function placeAt(layout: Layout, row: number, share: number): number {
  if (row < 0 || row >= layout.rows) return -1;
  let low = layout.firstOfRow[row]!;
  let high = layout.firstOfRow[row + 1]! - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (share < layout.left[middle]!) high = middle - 1;
    else if (share >= layout.left[middle]! + layout.width[middle]!) low = middle + 1;
    else return middle;
  }
  return -1;
}

/** The next place in a direction; -1 where there is none. Inwards goes to the widest child. */
export function neighbour(layout: Layout, from: number, direction: "in" | "out" | "left" | "right"): number {
  if (direction === "out") return layout.parent[from]!;
  if (direction === "in") return widestChild(layout, from);
  const to = from + (direction === "right" ? 1 : -1);
  return to >= 0 && to < layout.count && layout.row[to] === layout.row[from] ? to : -1;
}

function widestChild(layout: Layout, from: number): number {
  let widest = -1;
  for (let place = 0; place < layout.count; place++) {
    if (layout.parent[place] !== from) continue;
    if (widest < 0 || layout.width[place]! > layout.width[widest]!) widest = place;
  }
  return widest;
}
