// What is shown as plain records: what tests compare with other ways to the same numbers.
import type { Scene } from "./scene";
import { pathTo } from "./tree";
import type { Tree } from "./tree";

/** Times are microseconds; labels are as recorded. Of a sandwich, the callers' paths begin at the function in the middle. */
export interface FrameRecord {
  part: "stacks" | "callers" | "callees";
  path: string[];
  total: number;
  own: number;
  baseTotal: number;
  baseOwn: number;
  /** 0 not judged, 1 within the noise, 2 beyond it. */
  verdict: number;
}

export function framesOf(scene: Scene): FrameRecord[] {
  const parts = scene.parts(true);
  return parts.flatMap(({ tree, upwards }) => recordsOf(scene, tree, parts.length === 1 ? "stacks" : upwards ? "callers" : "callees"));
}

function recordsOf(scene: Scene, tree: Tree, part: FrameRecord["part"]): FrameRecord[] {
  const verdicts = scene.verdictsOf(tree) ?? new Uint8Array(tree.count);
  const base = tree.base ?? { own: new Float64Array(tree.count), total: new Float64Array(tree.count) };
  const first = tree.label[0]! >= 0 ? [tree.label[0]!] : [];
  const records: FrameRecord[] = [];
  for (let frame = 0; frame < tree.count; frame++) {
    const [total, baseTotal] = [tree.now.total[frame]!, base.total[frame]!];
    if (total === 0 && baseTotal === 0) continue;
    const path = [...first, ...pathTo(tree, frame)].map((label) => tree.labels.text[label]!);
    records.push({ part, path, total, own: tree.now.own[frame]!, baseTotal, baseOwn: base.own[frame]!, verdict: verdicts[frame]! });
  }
  return records;
}
