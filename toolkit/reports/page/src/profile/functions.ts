// The rows of the table: one function each, with its own and its total time, of both sides of a difference.
import { CHANGED, NOISE } from "./noise";
import { OWNERS } from "./profile";
import type { Scene } from "./scene";

export interface Row {
  label: number;
  name: string;
  file: string;
  owner: string;
  /** Microseconds; of a difference normalised (see difference.ts). */
  own: number;
  total: number;
  baseOwn: number;
  baseTotal: number;
  verdict: number;
}

export type Key = "name" | "file" | "owner" | "own" | "total" | "baseOwn" | "baseTotal" | "change";

/** Every function that was sampled on either side. */
export function rowsOf(scene: Scene): Row[] {
  const { functions, base, fold } = scene;
  const verdicts = scene.functionVerdicts ?? new Uint8Array(fold.labels.count);
  const nothing = new Float64Array(fold.labels.count);
  const before = scene.baseFunctions ?? { own: nothing, total: nothing };
  const { factorNow, factorBase } = base ?? { factorNow: 1, factorBase: 0 };
  const rows: Row[] = [];
  for (let label = 0; label < functions.total.length; label++) {
    if (functions.total[label] === 0 && before.total[label] === 0) continue;
    const { name, file, line } = fold.labels.place(label);
    rows.push({
      label,
      name,
      file: `${file}${line && ":"}${line}`,
      owner: OWNERS[fold.labels.owner[label]!] ?? "",
      own: functions.own[label]! * factorNow,
      total: functions.total[label]! * factorNow,
      baseOwn: before.own[label]! * factorBase,
      baseTotal: before.total[label]! * factorBase,
      verdict: verdicts[label]!,
    });
  }
  return rows;
}

/** Sorted in place; equal ones by name. */
export function sortRows(rows: Row[], key: Key, descending: boolean): Row[] {
  const sign = descending ? -1 : 1;
  return rows.sort((a, b) => sign * compare(valueOf(a, key), valueOf(b, key)) || compare(a.name, b.name) || compare(a.file, b.file));
}

function valueOf(row: Row, key: Key): number | string {
  return key === "change" ? row.total - row.baseTotal : row[key];
}

function compare(a: number | string, b: number | string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function certaintyOf(verdict: number): string {
  if (verdict === NOISE) return "within the noise";
  return verdict === CHANGED ? "beyond the noise" : "not judged";
}
