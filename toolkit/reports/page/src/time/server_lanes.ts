// The lanes of one server: its workers' CPU and memory, what they do, its accept queue, and what happened.
import type { Column, ServerLanes } from "../data";
import type { Unit } from "../words";
import { HEIGHT, hasValues } from "./lane_kinds";
import type { Lane, Line } from "./lane_kinds";

const TINTS = 8; // --tint-0 … of base.css

export function serverLanes(server: ServerLanes, number: number): Lane[] {
  const group = `Server ${server.name}`;
  const { columns } = server;
  const lane = (id: string, title: string, unit: Unit, hint: string, lines: Line[], more: Partial<Lane> = {}): Lane[] =>
    lines.length > 0 ? [{ id: `s${String(number)}-${id}`, group, title, unit, hint, lines, height: 64, ...more }] : [];
  const line = (name: string, label: string, colour: string, more: Partial<Line> = {}): Line[] => {
    const column = columns[name];
    return column ? [{ label, column, colour, over: "max", ...more }] : [];
  };
  const used = (name: string, label: string, colour: string, more: Partial<Line> = {}) => (hasValues(columns[name]) ? line(name, label, colour, more) : []);
  const mean = { over: "mean" } as const;
  return [
    ...lane("cpu", "CPU by worker", "cores", "CPU of each worker, stacked", byWorker(server, "cpu", columns.workers_cpu), { stacked: true, height: HEIGHT }),
    ...lane("busy", "Busy workers", "", "Inside a request: from the stacks, a chunk's mean; by CPU: half a core or more in a second", [
      ...line("busy_workers", "by stacks", "--accent", { filled: true, over: "mean" }),
      ...line("busy_by_cpu", "by CPU", "--amber", mean),
      ...line("workers", "alive", "--quiet", { dash: [4, 3] }),
    ]),
    ...lane("queue", "Accept queue", "", "Connections that wait for a worker to take them; dashed: its limit, where it is near", queue(columns)),
    ...lane("rss", "RSS by worker", "MiB", "Resident memory of each worker, stacked; shared memory counts in each", byWorker(server, "rss", columns.workers_rss), { stacked: true }),
    ...lane("connections", "Connections", "", "TCP connections of the service", [
      ...line("connections", "open", "--accent", { filled: true }),
      ...used("connections_time_wait", "TIME_WAIT", "--quiet", { dash: [4, 3] }),
      ...used("connections_close_wait", "CLOSE_WAIT", "--red"),
      ...used("connections_syn_recv", "SYN_RECV", "--amber"),
      ...used("connections_out", "to others", "--teal"),
    ]),
    ...lane("events", "Events", "", eventsHint(server), server.marks.length > 0 ? [empty(columns)] : [], { marks: server.marks, height: 46 }),
    ...lane("threads", "Busy threads", "", "Threads inside a request, from the stacks", used("busy_threads", "busy threads", "--accent", { filled: true, over: "mean" }), { spare: true }),
    ...lane("host", "Host CPU", "cores", "CPU of the whole host", [
      ...line("cpu_user", "user", "--calm", { filled: true, over: "mean" }),
      ...line("cpu_system", "system", "--calm-2", { filled: true, over: "mean" }),
      ...used("cpu_iowait", "iowait", "--amber", { filled: true, over: "mean" }),
      ...used("cpu_steal", "steal", "--red", { filled: true, over: "mean" }),
      ...line("cores", "cores", "--quiet", { dash: [4, 3] }),
    ], { stacked: true, spare: true }),
    ...lane("memory", "Host memory", "MiB", "Memory that is available, and swap that is used", [...line("memory_available", "available", "--accent", mean), ...used("swap_used", "swap", "--red")], { spare: true }),
    ...lane("net", "Network", "MiB/s", "Of the host, without loopback", [...used("net_in", "in", "--accent", mean), ...used("net_out", "out", "--amber", mean)], { spare: true }),
    ...lane("disk", "Disk", "MiB/s", "Of the host", [...used("disk_read", "read", "--accent", mean), ...used("disk_write", "write", "--amber", mean)], { spare: true }),
    ...lane("pressure", "Pressure", "", "Part of the time in which something waited for CPU, memory or disk", [
      ...used("pressure_cpu_some", "CPU", "--accent", mean),
      ...used("pressure_memory_some", "memory", "--red", mean),
      ...used("pressure_io_some", "disk", "--amber", mean),
      ...used("cgroup_cpu_throttled", "held back by the CPU limit", "--violet", mean),
    ], { spare: true }),
    ...lane("load", "Load average", "", "Of one minute", line("load_1", "1 min", "--accent", mean), { spare: true }),
  ];
}

/** Each worker, then all others; where none is known the sum alone. */
function byWorker({ workers, others }: ServerLanes, what: "cpu" | "rss", sum: Column | undefined): Line[] {
  const over = what === "cpu" ? ("mean" as const) : ("max" as const);
  const lines: Line[] = workers
    .filter((worker) => worker[what].some((value) => value !== null))
    .map((worker, at) => ({ label: String(worker.pid), column: worker[what], colour: `--tint-${String(at % TINTS)}`, filled: true, minor: true, over }));
  if (others) lines.push({ label: `${String(others.count)} others`, column: others[what], colour: "--calm-3", filled: true, minor: true, over });
  if (sum?.some((value) => value !== null)) lines.push({ label: "all", column: sum, colour: "--ink", width: lines.length > 0 ? 0 : 1.4, over });
  return lines;
}

/** The limit is drawn where the queue comes near it; else it would press everything else to the ground. */
function queue(columns: ServerLanes["columns"]): Line[] {
  const { accept_queue: waiting, accept_queue_limit: limit } = columns;
  if (!waiting) return [];
  const most = Math.max(0, ...waiting.map((value) => value ?? 0));
  const least = limit ? Math.min(...limit.map((value) => value ?? Infinity)) : Infinity;
  const lines: Line[] = [{ label: "waiting", column: waiting, colour: "--red", filled: true, over: "max" }];
  if (limit && Number.isFinite(least)) lines.push({ label: "limit", column: limit, colour: "--quiet", dash: [4, 3], over: "max", width: most > least / 20 ? 1.2 : 0 });
  return lines;
}

function eventsHint({ marks_left_out: left }: ServerLanes): string {
  const said = "Workers that ended or were born, and tracebacks in the logs";
  return left > 0 ? `${said}; ${String(left)} too many for this page are left out` : said;
}

/** A lane of marks has no value; it has the axis. */
function empty(columns: ServerLanes["columns"]): Line {
  const length = Object.values(columns)[0]?.length ?? 0;
  return { label: "", column: new Array<null>(length).fill(null), colour: "--quiet", width: 0, over: "max" };
}
