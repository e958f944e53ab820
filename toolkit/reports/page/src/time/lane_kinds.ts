// What a lane is, and the lanes of the load. Colours are variables of base.css.
import type { Column, Heat, Mark, Timeline } from "../data";
import type { Unit } from "../words";

export interface Line {
  label: string;
  column: Column;
  colour: string;
  width?: number;
  dash?: number[];
  /** Filled down to the line below it (stacked lanes) or to zero. */
  filled?: boolean;
  /** What the reading of a window is. */
  over: "mean" | "max";
  /** Of a lane with many lines: read only where it is among the largest. */
  minor?: boolean;
}

export interface Lane {
  id: string;
  group: string;
  title: string;
  /** Said when the pointer rests on the title. */
  hint: string;
  unit: Unit;
  height: number;
  stacked?: boolean;
  lines: Line[];
  /** Drawn below the lines, on a logarithmic axis. */
  heat?: Heat;
  marks?: Mark[];
  /** Shown only when the reader asks for it. */
  spare?: boolean;
}

export const HEIGHT = 92;

/** The lanes of the load, then those of the generator; those with nothing to show are left out. */
export function loadLanes(timeline: Timeline): Lane[] {
  const { columns, heat } = timeline;
  const line = (name: string, label: string, colour: string, more: Partial<Line> = {}): Line[] => {
    const column = columns[name];
    return column && (more.over === undefined || hasValues(column)) ? [{ label, column, colour, over: "mean", ...more }] : [];
  };
  const some = (name: string, label: string, colour: string, more: Partial<Line> = {}) => line(name, label, colour, { over: "mean", ...more });
  const stacked = (name: string, label: string, colour: string) => some(name, label, colour, { filled: true });
  const lanes: Lane[] = [
    {
      ...{ id: "arrivals", group: "Load", title: "Arrivals", unit: "/s", height: 76 },
      hint: "Virtual users per second: as the schedule meant them to begin, and as their first request did",
      lines: [...line("achieved", "achieved", "--accent", { filled: true }), ...line("offered", "offered", "--ink", { dash: [4, 3], width: 1.2 })],
    },
    {
      ...{ id: "requests", group: "Load", title: "Requests", unit: "/s", height: HEIGHT + 12, stacked: true },
      hint: "Requests that ended in each second, by answer; dashed: those that started",
      lines: [
        ...stacked("status_2xx", "2xx", "--calm"),
        ...stacked("status_0", "socket", "--calm-2"),
        ...stacked("status_3xx", "3xx", "--calm-3"),
        ...stacked("accepted", "accepted", "--calm-3"),
        ...stacked("status_4xx", "4xx", "--amber"),
        ...stacked("status_5xx", "5xx", "--red"),
        ...stacked("errors", "no answer", "--ink"),
        ...some("started", "started", "--quiet", { dash: [3, 3], width: 1.1 }),
      ],
    },
    {
      ...{ id: "latency", group: "Load", title: "Latency", unit: "ms", height: 168 },
      hint: "Of the requests that ended in each second: the darker, the more of them took so long",
      lines: [
        ...some("p99_ms", "p99", "--red", { width: 1.3 }),
        ...some("p95_ms", "p95", "--amber", { width: 1.5 }),
        ...some("p50_ms", "p50", "--ink", { width: 1.5 }),
      ],
      ...(heat ? { heat } : {}),
    },
    {
      ...{ id: "errors", group: "Load", title: "Failed", unit: "/s", height: 64 },
      hint: "Requests that failed, each in one line",
      lines: [
        ...some("status_4xx", "4xx", "--amber", { dash: [6, 3] }),
        ...some("status_5xx", "5xx", "--red", { filled: true }),
        ...some("errors", "no answer", "--ink", { dash: [2, 2] }),
        ...some("checks_alone", "failed check", "--violet", { dash: [5, 2] }),
      ],
    },
  ];
  return [...lanes.filter((lane) => lane.lines.length > 0 || (lane.id === "errors" && columns.requests)), ...generatorLanes(timeline)];
}

/** Of which of the generator's columns which lane is made, and what they are called there. */
const GENERATOR: { id: string; title: string; unit: Unit; hint: string; names: Record<string, string> }[] = [
  { id: "lag", title: "Send lag", unit: "ms", hint: "From when a request was meant to start to when it did", names: { send_lag_p50_ms: "p50", send_lag_p99_ms: "p99", loop_p99_ms: "loop p99" } },
  { id: "canary", title: "Canary", unit: "ms", hint: "A separate small process that asks one address: where the generator says slow and the canary says fast, the generator is the bottleneck", names: { canary_p50_ms: "p50", canary_p95_ms: "p95" } },
  { id: "generator-cpu", title: "Generator's CPU", unit: "cores", hint: "All engines, their busiest thread, and the whole machine", names: { generator_busiest: "busiest", generator_cpu: "engines", host_cpu: "machine" } },
];
const HUES = ["--accent", "--amber", "--quiet", "--violet", "--teal"];

function generatorLanes({ generator }: Timeline): Lane[] {
  const lines = (names: [string, string][]): Line[] => names.flatMap(([name, label], at) => (generator[name] ? [{ label, column: generator[name], colour: HUES[at % HUES.length]!, over: "max" as const }] : []));
  const known = new Set(GENERATOR.flatMap(({ names }) => Object.keys(names)));
  const others = Object.keys(generator).filter((name) => !known.has(name));
  return [
    ...GENERATOR.map(({ names, ...about }) => ({ ...about, group: "Load generator", height: 64, lines: lines(Object.entries(names)) })),
    { id: "generator-other", title: "Others", unit: "" as const, hint: "What else was measured of the generator", group: "Load generator", height: 64, lines: lines(others.map((name) => [name, name.replaceAll("_", " ")])) },
  ].filter((lane) => lane.lines.length > 0);
}

export function hasValues(column: Column | undefined): boolean {
  return column?.some((value) => value !== null && value > 0) ?? false;
}
