// Above the lanes: which window is chosen and compared with, presets, zoom, and which lanes are shown.
import type { Timeline, Window } from "../data";
import { button, make } from "../profile/dom";
import { clock, span } from "../profile/words";
import { milliseconds, seconds } from "../words";
import type { Grid } from "./grid";
import type { Lane } from "./lane_kinds";

export interface ToolbarEvents {
  choose(window: Window | null, second: boolean): void;
  zoom(window: Window | null): void;
  toggleLane(id: string): void;
  copyLink(): void;
}

export interface ToolbarState {
  window: Window | null;
  base: Window | null;
  zoom: Window | null;
  isShown(id: string): boolean;
}

export class Toolbar {
  readonly element = make("div", "axis-bar");
  /** Beside the heading. */
  readonly corner = make("div", "axis-corner");
  /** Whether presets, fields and drags choose the window to compare with. */
  isSecond = false;
  private readonly fields: [Fields, Fields];
  private readonly which: HTMLButtonElement;
  private readonly stop: HTMLButtonElement;
  private readonly zoomIn: HTMLButtonElement;
  private readonly zoomOut: HTMLButtonElement;
  private readonly checks = new Map<string, HTMLInputElement>();
  private state: ToolbarState | null = null;

  constructor(
    timeline: Timeline,
    grid: Grid,
    lanes: Lane[],
    private readonly events: ToolbarEvents,
  ) {
    const choose = (window: Window | null) => { events.choose(window, this.isSecond); };
    this.fields = [
      new Fields("Window", grid, (window) => { events.choose(window, false); }),
      new Fields("against", grid, (window) => { events.choose(window, true); }),
    ];
    this.which = button("Compare with …", "plain", () => { this.turn(!this.isSecond); });
    this.which.title = "The next window you choose is the one to compare with (or drag with Shift)";
    this.stop = button("Stop comparing", "plain", () => {
      this.turn(false);
      events.choose(null, true);
    });
    this.zoomIn = button("Zoom to it", "plain", () => { events.zoom(this.state?.window ?? null); });
    this.zoomIn.title = "The lanes show the window alone";
    this.zoomOut = button("Whole axis", "plain", () => { events.zoom(null); });
    const link = button("Copy link", "plain", events.copyLink);
    link.title = "An address that opens this view again";
    this.element.append(
      make("div", "bar-group", ...presets(timeline, choose)),
      make("div", "bar-group", this.fields[0].element, this.which),
      make("div", "bar-group", this.fields[1].element, this.stop),
      make("div", "bar-group", this.zoomIn, this.zoomOut),
    );
    this.corner.append(link, this.menu(lanes));
  }

  show(state: ToolbarState): void {
    this.state = state;
    this.fields[0].show(state.window);
    this.fields[1].show(state.base);
    const compares = this.isSecond || state.base !== null;
    this.fields[1].element.hidden = this.stop.hidden = !compares;
    this.which.hidden = state.base !== null && !this.isSecond;
    this.which.ariaPressed = String(this.isSecond);
    this.which.textContent = this.isSecond ? "Now choose what to compare with" : "Compare with …";
    this.zoomIn.hidden = state.window === null;
    this.zoomOut.hidden = state.zoom === null;
    for (const [id, check] of this.checks) check.checked = state.isShown(id);
  }

  /** A window was chosen: the next one is the first again. */
  settle(): void {
    this.isSecond = false;
  }

  private turn(on: boolean): void {
    this.isSecond = on;
    if (this.state) this.show(this.state);
  }

  private menu(lanes: Lane[]): HTMLElement {
    const groups = [...new Set(lanes.map((lane) => lane.group))].map((group) => {
      const items = lanes.filter((lane) => lane.group === group).map((lane) => this.check(lane));
      return make("fieldset", "", make("legend", "", group), ...items);
    });
    const menu = make("details", "menu", make("summary", "plain", "Lanes"), make("div", "menu-body", ...groups));
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      menu.open = false;
      menu.querySelector("summary")?.focus();
    });
    document.addEventListener("pointerdown", (event) => {
      if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
    });
    return menu;
  }

  private check(lane: Lane): HTMLElement {
    const check = make("input");
    check.type = "checkbox";
    check.dataset.lane = lane.id;
    check.addEventListener("change", () => { this.events.toggleLane(lane.id); });
    this.checks.set(lane.id, check);
    return make("label", "", check, lane.title);
  }
}

function presets({ worst, phases }: Timeline, choose: (window: Window | null) => void): HTMLElement[] {
  const whole = button("Whole run", "plain", () => { choose(null); });
  whole.dataset.preset = "whole";
  const made: HTMLElement[] = [whole];
  if (worst) {
    const seconds = String(worst.to - worst.from);
    const slow = button(`Worst ${seconds} s (p95 ≈ ${milliseconds(worst.p95_ms)} ms)`, "plain", () => { choose({ from: worst.from, to: worst.to }); });
    slow.dataset.preset = "worst";
    slow.title = `${span(worst.from, worst.to)}: the ${seconds} seconds with the highest p95`;
    made.push(slow);
  }
  if (phases.length > 0) made.push(phaseList(phases, choose));
  return made;
}

function phaseList(phases: Timeline["phases"], choose: (window: Window | null) => void): HTMLElement {
  const several = new Set(phases.map((phase) => phase.scenario)).size > 1;
  const first = make("option", "", "Phase …");
  const select = make("select", "plain", first, ...phases.map((phase) => make("option", "", `${several ? `${phase.scenario}: ` : ""}${phase.name} · ${span(Math.round(phase.start), Math.round(phase.end))}`)));
  select.ariaLabel = "Choose a phase";
  select.dataset.preset = "phase";
  select.addEventListener("change", () => {
    const phase = phases[select.selectedIndex - 1];
    select.selectedIndex = 0;
    if (phase) choose({ from: phase.start, to: phase.end });
  });
  return select;
}

/** Two fields of time: `0:12` to `0:42`. */
class Fields {
  readonly element: HTMLElement;
  private readonly inputs: [HTMLInputElement, HTMLInputElement];
  private window: Window | null = null;
  /** The field whose text is taken over now. */
  private taken: HTMLInputElement | null = null;

  constructor(
    name: string,
    private readonly grid: Grid,
    private readonly choose: (window: Window | null) => void,
  ) {
    this.inputs = [input(`${name} from`), input(`${name} to`)];
    const [from, to] = this.inputs;
    for (const one of this.inputs) {
      one.addEventListener("change", () => { this.take(one); });
      one.addEventListener("keydown", (event) => { if (event.key === "Enter") this.take(one); });
      one.addEventListener("blur", () => { this.write(); });
      one.addEventListener("focus", () => { one.select(); });
    }
    this.element = make("span", "fields", make("span", "quiet", name), from, "–", to);
  }

  show(window: Window | null): void {
    this.window = window;
    this.write();
  }

  private take(field: HTMLInputElement): void {
    const [from, to] = this.inputs.map((one) => one.value.trim());
    const { whole } = this.grid;
    this.taken = field;
    const ends = [seconds(from ?? ""), seconds(to ?? "")];
    const isTime = [from, to].every((text, at) => !text || ends[at] !== null);
    field.setCustomValidity(isTime ? "" : "Write a time as 0:12 or 12");
    if (!isTime) field.reportValidity();
    else if (!from && !to) this.choose(null);
    else this.choose(this.grid.snapped(ends[0] ?? whole.from, ends[1] ?? whole.to));
    this.taken = null;
  }

  /** A field in which the reader is typing is left alone. */
  private write(): void {
    const { window, grid: { whole } } = this;
    const ends = [window?.from, window?.to].map((end) => (end === undefined ? "" : clock(end)));
    const last = [whole.from, whole.to].map((end) => clock(end));
    this.inputs.forEach((field, at) => {
      field.placeholder = last[at]!;
      if (field !== document.activeElement || field === this.taken) field.value = ends[at]!;
    });
  }
}

function input(name: string): HTMLInputElement {
  const made = make("input", "time");
  made.ariaLabel = name;
  made.spellcheck = false;
  made.maxLength = 16;
  return made;
}
