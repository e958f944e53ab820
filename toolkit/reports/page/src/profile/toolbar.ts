// The controls above the flamegraph: what is sampled, how it is drawn, and of a difference how it is normalised.
import { Choice, Select, Toggle } from "./choice";
import type { Option } from "./choice";
import { button, make } from "./dom";
import type { Profile } from "./profile";
import type { Scene } from "./scene";
import { Searching } from "./searching";
import { VIEWS, isCompared, workersOf } from "./state";
import type { FlameState, View } from "./state";

export interface ToolbarEvents {
  change(state: Partial<FlameState>): void;
  back(): void;
  /** The reader is done with the search field. */
  leaveSearch(): void;
  save(what: "png" | "svg" | "csv"): void;
}

const VIEW_HINTS: Record<View, string> = {
  wall: "All time of all threads, also while they wait",
  cpu: "Time in which a thread was computing",
  off: "wall − cpu: time in which a thread waited",
  gil: "Time in which a thread held the interpreter's lock",
};

export class Toolbar {
  readonly element: HTMLElement;
  readonly searching: Searching;
  private readonly view: Choice<FlameState["view"]>;
  private readonly server: Select;
  private readonly worker: Select;
  private readonly scope: Choice<FlameState["scope"]>;
  private readonly lines: Toggle;
  private readonly look: Choice<FlameState["look"]>;
  private readonly inverted: Toggle;
  private readonly back: HTMLButtonElement;
  private readonly pictures: HTMLButtonElement[];

  constructor(
    private readonly profile: Profile,
    events: ToolbarEvents,
  ) {
    const { change } = events;
    this.view = new Choice("view", VIEWS.map((value) => ({ value, words: value === "off" ? "off-CPU" : value, hint: VIEW_HINTS[value] })), (view) => {
      change({ view });
    });
    this.server = new Select("Server", (server) => {
      change({ server, worker: "all" });
    });
    this.worker = new Select("Process", (worker) => {
      change({ worker });
    });
    this.scope = new Choice("scope", SCOPES, (scope) => {
      change({ scope, zoom: "" });
    });
    this.lines = new Toggle("lines", "Lines", "Two lines of one function are two frames", () => {
      change({ lines: !this.state.lines, zoom: "" });
    });
    this.look = new Choice("look", LOOKS, (look) => {
      change({ look });
    });
    this.inverted = new Toggle("inverted", "Inverted", "The function that ran first, then who called it", () => {
      change({ inverted: !this.state.inverted, zoom: "" });
    });
    this.searching = new Searching((search) => {
      change({ search });
    }, events.leaveSearch);
    this.back = button("Back", "fv-plain", events.back);
    this.back.title = "What was shown before (Escape)";
    this.back.dataset.choice = "back";
    const saves = (["png", "svg", "csv"] as const).map((what) => saveButton(what, events));
    this.pictures = saves.slice(0, 2);
    const first = make("div", "fv-row", this.view.element, this.server.element, this.worker.element, this.scope.element, this.lines.element);
    const second = make("div", "fv-row", this.look.element, this.inverted.element, this.back, this.searching.element, make("div", "fv-save", ...saves));
    this.element = make("div", "fv-toolbar", first, second);
    this.state = {} as FlameState;
  }

  private state: FlameState;

  show(scene: Scene, canGoBack: boolean): void {
    const state = (this.state = scene.state);
    const server = scene.selection.server;
    this.view.show(state.view, refusedViews(this.profile, server));
    this.server.show(this.profile.header.servers.map((name) => ({ value: name, words: name })), state.server);
    this.worker.show(processes(this.profile, server), state.worker);
    this.scope.show(state.scope);
    this.lines.show(state.lines && state.scope !== "package", state.scope === "package");
    this.look.show(state.look);
    this.inverted.show(state.inverted, state.look === "sandwich" || state.look === "table");
    this.back.disabled = !canGoBack;
    for (const one of this.pictures) one.disabled = state.look === "table";
    this.searching.show(scene);
    this.element.classList.toggle("fv-compared", isCompared(state));
  }
}

const SCOPES: Option<FlameState["scope"]>[] = [
  { value: "all", words: "All code" },
  { value: "application", words: "Application", hint: "Frames of libraries and of the server are left out" },
  { value: "package", words: "By package", hint: "A frame becomes its package; neighbours of one package merge" },
];

const LOOKS: Option<FlameState["look"]>[] = [
  { value: "icicle", words: "Icicle", hint: "The root at the top" },
  { value: "flame", words: "Flame", hint: "The root at the bottom" },
  { value: "sandwich", words: "Sandwich", hint: "One function in the middle: its callers above, what it calls below" },
  { value: "table", words: "Table", hint: "All functions with their own and their total time" },
];

function saveButton(what: "png" | "svg" | "csv", events: ToolbarEvents): HTMLButtonElement {
  const made = button(what.toUpperCase(), "fv-plain", () => {
    events.save(what);
  });
  made.dataset.choice = `save ${what}`;
  made.title = what === "csv" ? "Save the table of functions" : `Save this picture as ${what.toUpperCase()}`;
  return made;
}

function refusedViews(profile: Profile, server: number): Partial<Record<View, string>> {
  const refused: Partial<Record<View, string>> = {};
  for (const view of VIEWS) {
    if (profile.offers(server, view)) continue;
    if (view === "off") refused.off = "off-CPU needs the views wall and cpu";
    else refused[view] = profile.stateOf(server, view)?.note || "This view was not recorded";
  }
  return refused;
}

function processes(profile: Profile, server: number): { value: string; words: string }[] {
  const all = workersOf(profile, server).map(({ pid, role }) => ({ value: String(pid), words: pid === 0 ? "unknown" : `${String(pid)} · ${role}` }));
  return all.length > 1 ? [{ value: "all", words: "all" }, ...all] : [];
}
