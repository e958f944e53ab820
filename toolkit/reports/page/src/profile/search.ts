// Search: which labels match, and which share of the time is below a match.
import type { Fold } from "./fold";
import { full } from "./labels";
import type { Labels } from "./labels";
import type { Times } from "./tree";

/** What a search begins with that is a regular expression. */
export const REGEX = "re:";

export interface Found {
  /** 1 for each label that matches. */
  labels: Uint8Array;
  count: number;
  /** What is wrong with the regular expression. */
  mistake: string;
}

/** The labels that contain `search`, or match it where it begins with `REGEX`; null where nothing is searched. */
export function find(labels: Labels, search: string): Found | null {
  if (search === "" || search === REGEX) return null;
  const found: Found = { labels: new Uint8Array(labels.count), count: 0, mistake: "" };
  let matches: (text: string) => boolean;
  try {
    matches = matcher(search);
  } catch (error) {
    return { ...found, mistake: error instanceof Error ? error.message : String(error) };
  }
  for (let label = 0; label < labels.count; label++) {
    // What is searched is what is shown: bounded, so that no name makes an expression run for ever.
    if (!matches(full(labels.place(label)))) continue;
    found.labels[label] = 1;
    found.count++;
  }
  return found;
}

function matcher(search: string): (text: string) => boolean {
  if (search.startsWith(REGEX)) {
    const compiled = new RegExp(search.slice(REGEX.length), "iu");
    return (text) => compiled.test(text);
  }
  const needle = search.toLowerCase();
  return (text) => text.toLowerCase().includes(needle);
}

/** Microseconds of stacks with a match anywhere. */
export function matchedTime(fold: Fold, { total }: Times, { labels }: Found): number {
  const covered = new Uint8Array(fold.count);
  let sum = 0;
  for (let frame = 1; frame < fold.count; frame++) {
    if (covered[fold.parent[frame]!] === 1) covered[frame] = 1;
    else if (labels[fold.label[frame]!] === 1) {
      covered[frame] = 1;
      sum += total[frame]!;
    }
  }
  return sum;
}
