// The page's state in its address: `#w=12..42&d=0..10&view=wall`. What is as at first is left out, so that links stay short.
import type { Window } from "./data";
import type { FlameState } from "./profile";

/** Everything that a pasted link opens again. */
export interface PageState {
  window: Window | null;
  /** The window to compare with. */
  base: Window | null;
  /** What of the time axis is visible. */
  zoom: Window | null;
  toggled: string[];
  flame: Partial<FlameState>;
  /** The row of the table of requests whose histogram is open. */
  open: number | null;
  /** The part of the page that it opens at. */
  at: string;
}

const WINDOWS = { w: "window", d: "base", z: "zoom" } as const;
/** The flamegraph's own state; its windows are the page's. */
const FLAME = ["view", "server", "worker", "scope", "lines", "look", "inverted", "normal", "palette", "search", "zoom", "focus"] as const;
const LONGEST = 4000;

export function emptyState(): PageState {
  return { window: null, base: null, zoom: null, toggled: [], flame: {}, open: null, at: "" };
}

/** null: the address names a part of the page, or nothing; it is no state. */
export function parseAddress(hash: string): PageState | null {
  const text = hash.replace(/^#/, "");
  if (!text.includes("=")) return null;
  const said = new URLSearchParams(text);
  const state = emptyState();
  for (const [key, name] of Object.entries(WINDOWS) as [keyof typeof WINDOWS, (typeof WINDOWS)[keyof typeof WINDOWS]][]) state[name] = windowOf(said.get(key));
  state.toggled = (said.get("lanes") ?? "").split(",").filter(Boolean);
  state.flame = flameOf(said);
  const open = Number(said.get("open") ?? NaN);
  state.open = Number.isInteger(open) && open >= 0 ? open : null;
  state.at = said.get("at") ?? "";
  return state;
}

/** How many windows an address names, whether they make sense or not. */
export function windowsIn(hash: string): number {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  return Object.keys(WINDOWS).filter((key) => said.has(key)).length;
}

function flameOf(said: URLSearchParams): Partial<FlameState> {
  const found: Record<string, string | boolean> = {};
  for (const name of FLAME) {
    const value = said.get(`f.${name}`);
    if (value !== null) found[name] = name === "lines" || name === "inverted" ? value === "1" : value.slice(0, LONGEST);
  }
  return found as Partial<FlameState>;
}

/** The address of a state, without what is as in `initial`; empty where nothing differs. */
export function addressOf(state: PageState, initial: Partial<FlameState>): string {
  const said = new URLSearchParams();
  for (const [key, name] of Object.entries(WINDOWS)) {
    const window = state[name];
    if (window) said.set(key, `${short(window.from)}..${short(window.to)}`);
  }
  if (state.toggled.length > 0) said.set("lanes", state.toggled.join(","));
  for (const name of FLAME) {
    const value = state.flame[name];
    if (value !== undefined && value !== initial[name]) said.set(`f.${name}`, written(value));
  }
  if (state.open !== null) said.set("open", String(state.open));
  if (state.at) said.set("at", state.at);
  return said.toString();
}

function written(value: string | boolean): string {
  return typeof value === "boolean" ? String(Number(value)) : value.slice(0, LONGEST);
}

function windowOf(text: string | null): Window | null {
  const found = /^(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)$/.exec(text ?? "");
  if (!found) return null;
  const [from, to] = [Number(found[1]), Number(found[2])];
  return to > from ? { from, to } : null;
}

function short(second: number): string {
  return String(Math.round(second * 1000) / 1000);
}
