// What is shown: everything that the reader can choose, as it stands in the page's address.
import type { Labels, Naming } from "./labels";
import type { Profile } from "./profile";
import type { Scope } from "./fold";
import type { Window } from "./window";

export const VIEWS = ["wall", "cpu", "off", "gil"] as const;
export const SCOPES = ["all", "application", "package"] as const;
export const LOOKS = ["icicle", "flame", "sandwich", "table"] as const;
export const NORMALS = ["second", "share", "request"] as const;
export const PALETTES = ["red-blue", "colour-blind"] as const;

export type View = (typeof VIEWS)[number];
export type Look = (typeof LOOKS)[number];
export type Normal = (typeof NORMALS)[number];
export type PaletteName = (typeof PALETTES)[number];

export interface FlameState {
  /** Seconds since time 0; null (one or both): the whole run. */
  from: number | null;
  to: number | null;
  /** The second window, which the first is compared with; both null: no difference. */
  baseFrom: number | null;
  baseTo: number | null;
  view: View;
  server: string;
  /** "all" or a PID. */
  worker: string;
  scope: Scope;
  /** Whether two lines of one function are two frames. */
  lines: boolean;
  look: Look;
  inverted: boolean;
  normal: Normal;
  palette: PaletteName;
  /** Text, or `re:` and a regular expression. */
  search: string;
  /** The address of a frame (see tree.ts); "" is the root. */
  zoom: string;
  /** The label of the function in the middle of a sandwich. */
  focus: string;
}

/** What a page opens with: the CPU, for under wall most threads wait for work. */
export function initialState(profile: Profile): FlameState {
  return {
    ...{ from: null, to: null, baseFrom: null, baseTo: null },
    view: "cpu",
    server: profile.header.servers[0] ?? "",
    ...{ worker: "all", scope: "all", lines: false, look: "icicle", inverted: false },
    ...{ normal: "second", palette: "red-blue", search: "", zoom: "", focus: "" },
  };
}

/** `state` with what this profile does not have replaced: an address may come from another run, or from nowhere. */
export function settled(state: FlameState, profile: Profile): FlameState {
  const server = Math.max(0, profile.header.servers.indexOf(state.server));
  const offered = VIEWS.filter((view) => profile.offers(server, view));
  const fallback: View = offered.includes("cpu") ? "cpu" : (offered[0] ?? "cpu");
  const known = workersOf(profile, server).some(({ pid }) => String(pid) === state.worker);
  return {
    ...state,
    from: finite(state.from),
    to: finite(state.to),
    baseFrom: finite(state.baseFrom),
    baseTo: finite(state.baseTo),
    server: profile.header.servers[server] ?? "",
    view: offered.includes(state.view) ? state.view : fallback,
    worker: known ? state.worker : "all",
    scope: oneOf(SCOPES, state.scope),
    look: oneOf(LOOKS, state.look),
    normal: oneOf(NORMALS, state.normal),
    palette: oneOf(PALETTES, state.palette),
  };
}

export function namingOf({ scope, lines }: FlameState): Naming {
  if (scope === "package") return "packages";
  return lines ? "lines" : "functions";
}

/** The window between two times in seconds. */
export function windowOf(from: number | null, to: number | null): Window {
  if (from === null || to === null) return null;
  return { from: Math.round(from * 1000), to: Math.round(to * 1000) };
}

export function isCompared(state: FlameState): boolean {
  return state.baseFrom !== null && state.baseTo !== null;
}

/** The processes of a server, one for each PID, in order of it. */
export function workersOf(profile: Profile, server: number): { pid: number; role: string }[] {
  const known = new Map(profile.header.workers.filter((worker) => worker.server === server).map((one) => [one.pid, one]));
  return [...known.values()].sort((a, b) => a.pid - b.pid);
}

/** The label that `focus` names, also when it was chosen with or without lines; -1 where this profile has none. */
export function labelOf(labels: Labels, focus: string): number {
  const exact = labels.text.indexOf(focus);
  if (exact >= 0 || focus === "") return exact;
  const bare = withoutLine(focus);
  return labels.text.findIndex((text) => text === bare || withoutLine(text) === bare);
}

function withoutLine(label: string): string {
  return label.replace(/:\d+\)$/, ")");
}

function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}

function oneOf<T extends string>(all: readonly [T, ...T[]], value: T): T {
  return all.includes(value) ? value : all[0];
}
