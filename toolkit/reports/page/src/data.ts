// What toolkit/reports/page_time.py and page_lanes.py put into the page's data block, and how it is unpacked.

export type Column = (number | null)[];

/** One phase of one scenario; seconds since time 0. */
export interface Phase {
  scenario: string;
  name: string;
  start: number;
  end: number;
}

export interface Window {
  from: number;
  to: number;
}

/** `rows`: of each step bin, count, bin, count …; bin i lies between bounds i and i + 1. */
export interface Heat {
  bounds_ms: number[];
  rows: number[][];
}

/** What happened at one time, in seconds since time 0. */
export interface Mark {
  t: number;
  kind: "restart" | "birth" | "traceback";
  count: number;
  words: string;
}

/** `cpu` in cores, `rss` in MiB. */
export interface Worker {
  pid: number;
  cpu: Column;
  rss: Column;
}

export interface ServerLanes {
  name: string;
  columns: Record<string, Column>;
  workers: Worker[];
  /** All workers that are not listed. */
  others: { count: number; cpu: Column; rss: Column } | null;
  marks: Mark[];
  marks_left_out: number;
}

/** Every column has `count` values: one for each `step` seconds from second `first` on. `start` is the UTC time of second 0. */
export interface Timeline {
  start: number;
  step: number;
  first: number;
  count: number;
  columns: Record<string, Column>;
  heat: Heat | null;
  /** Requests that ended in each second from second 0 on, where the step is longer than that. */
  requests: number[] | null;
  phases: Phase[];
  worst: (Window & { p95_ms: number }) | null;
  servers: ServerLanes[];
  generator: Record<string, Column>;
}

export interface RunData {
  timeline: Timeline;
  /** Of each row of the table of requests: the first bin, then the counts of it and of those after it. */
  histograms: number[][];
}

/** The text of the data block `id`; empty where the page has none. */
export function blockText(id: string): string {
  return document.getElementById(id)?.textContent?.trim() ?? "";
}

/** The data block, or null where nothing was measured over time. */
export async function readRun(): Promise<RunData | null> {
  const text = blockText("timeline");
  if (text === "") return null;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text()) as RunData;
}
