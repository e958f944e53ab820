// The time axis: all lanes on one scale, with one crosshair and one choice of windows.
import type uPlot from "uplot";
import type { Timeline, Window } from "../data";
import { button, make } from "../profile/dom";
import { span } from "../profile/words";
import { moment } from "../words";
import { LEFT, RIGHT, drawLane } from "./chart";
import type { Scene } from "./chart";
import { Grid } from "./grid";
import { loadLanes } from "./lane_kinds";
import type { Lane } from "./lane_kinds";
import { Overlay } from "./overlay";
import { Reading } from "./reading";
import { serverLanes } from "./server_lanes";
import { Ticks } from "./ticks";
import { Toolbar } from "./toolbar";

export interface AxisState {
  window: Window | null;
  base: Window | null;
  zoom: Window | null;
  /** Lanes that are not as they are at first: hidden, or shown though spare. */
  toggled: string[];
}

export interface AxisEvents {
  change(state: Partial<AxisState>): void;
  copyLink(): void;
}

interface Row {
  lane: Lane;
  element: HTMLElement;
  plot: HTMLElement;
  reading: Reading;
  chart: uPlot | null;
}

export class TimeAxis {
  readonly grid: Grid;
  private readonly scene: Scene;
  private readonly rows: Row[];
  private readonly groups = new Map<string, HTMLElement>();
  private readonly toolbar: Toolbar;
  private readonly overlay: Overlay;
  private readonly ticks: Ticks;
  private readonly where = make("p", "where-now");
  private readonly spoken = make("p", "unseen");
  private state: AxisState = { window: null, base: null, zoom: null, toggled: [] };
  private second: number | null = null;
  private frame = 0;
  private readonly start: number;

  constructor(
    host: HTMLElement,
    timeline: Timeline,
    private readonly events: AxisEvents,
  ) {
    this.grid = new Grid(timeline);
    this.start = timeline.start;
    this.scene = { grid: this.grid, phases: timeline.phases, visible: this.grid.whole };
    const lanes = lanesOf(timeline);
    this.rows = lanes.map((lane) => this.row(lane));
    const choose = (window: Window | null, second: boolean) => { this.choose(window, second); };
    this.toolbar = new Toolbar(timeline, this.grid, lanes, {
      choose,
      zoom: (zoom) => { this.events.change({ zoom }); },
      toggleLane: (id) => { this.toggle(id); },
      copyLink: () => { this.events.copyLink(); },
    });
    this.overlay = new Overlay(this.grid, { choose, read: (second, byKeyboard) => { this.readAt(second, byKeyboard); } }, () => this.toolbar.isSecond);
    this.ticks = new Ticks(timeline.phases, (window, asBase) => { this.choose(window, asBase !== this.toolbar.isSecond); });
    this.spoken.role = "status";
    host.replaceChildren(this.build());
    this.show(this.state);
    new ResizeObserver(() => { this.resize(); }).observe(host);
    matchMedia("print").addEventListener("change", () => { this.resize(); });
  }

  show(state: AxisState): void {
    this.state = state;
    this.scene.visible = state.zoom ?? this.grid.whole;
    for (const row of this.rows) this.showLane(row);
    for (const [group, element] of this.groups) element.hidden = !this.rows.some((row) => row.lane.group === group && !row.element.hidden);
    this.toolbar.show({ ...state, isShown: (id) => this.isShown(id) });
    this.overlay.show(this.scene.visible, [state.window, state.base]);
    this.ticks.show(this.scene.visible, this.plotWidth);
    this.read();
  }

  /** A chart is made when its lane is first shown, and drawn again only where what is visible has changed. */
  private showLane(row: Row): void {
    const { lane, element, plot, chart } = row;
    const { from: min, to: max } = this.scene.visible;
    element.hidden = !this.isShown(lane.id);
    if (element.hidden) return;
    if (!chart) row.chart = drawLane(lane, this.scene, plot);
    else if (chart.scales.x?.min !== min || chart.scales.x.max !== max) chart.setScale("x", { min, max });
  }

  /** Draws anew in other colours. */
  redraw(): void {
    for (const { chart } of this.rows) chart?.redraw(false, true);
  }

  private build(): HTMLElement {
    const lanes = make("div", "lanes");
    let group = "";
    for (const row of this.rows) {
      if (row.lane.group !== group) {
        group = row.lane.group;
        const heading = make("h3", "lane-group", group);
        this.groups.set(group, heading);
        lanes.append(heading);
      }
      lanes.append(row.element);
    }
    lanes.append(this.overlay.element);
    const head = make("div", "lane axis-head", this.where, this.ticks.element);
    return make("div", "axis", this.toolbar.corner, make("div", "axis-top", this.toolbar.element, head), lanes, this.spoken);
  }

  private row(lane: Lane): Row {
    const reading = new Reading(lane, this.grid);
    const hide = button("×", "hide", () => { this.toggle(lane.id); });
    hide.ariaLabel = `Hide ${lane.title}`;
    const title = make("h4", "", lane.title, lane.unit ? make("small", "", lane.unit) : null);
    title.title = lane.hint;
    const plot = make("div", "plot");
    plot.role = "img";
    plot.ariaLabel = `${lane.title} over time. ${lane.hint}.`;
    const margin = make("div", "margin", make("div", "lane-title", title, hide), reading.element);
    const element = make("div", "lane", margin, plot);
    element.dataset.lane = lane.id;
    return { lane, element, plot, reading, chart: null };
  }

  private choose(window: Window | null, second: boolean): void {
    this.toolbar.settle();
    this.events.change(second ? { base: window } : { window });
  }

  private toggle(id: string): void {
    const { toggled } = this.state;
    this.events.change({ toggled: toggled.includes(id) ? toggled.filter((one) => one !== id) : [...toggled, id] });
  }

  private isShown(id: string): boolean {
    const spare = this.rows.find((row) => row.lane.id === id)?.lane.spare ?? false;
    return spare === this.state.toggled.includes(id);
  }

  private readAt(second: number | null, byKeyboard: boolean): void {
    this.second = second;
    if (!this.frame) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.read();
      });
    }
    if (byKeyboard && second !== null) {
      const said = this.rows.filter((row) => !row.element.hidden).map((row) => row.reading.sentence(second, this.reach));
      this.spoken.textContent = [moment(second, this.start), ...said].filter(Boolean).join(". ");
    }
  }

  private read(): void {
    const { second, state } = this;
    const at = second === null ? { window: state.window } : { second, reach: this.reach };
    for (const row of this.rows) if (!row.element.hidden) row.reading.show(at);
    this.where.textContent = second === null ? `over ${span(state.window?.from ?? null, state.window?.to ?? null).replace("whole", "the whole")}` : moment(this.grid.first + this.grid.at(second) * this.grid.step, this.start);
    this.where.classList.toggle("now", second !== null);
  }



  /** Seconds that a mark may be away from the crosshair to be read. */
  private get reach(): number {
    const { from, to } = this.scene.visible;
    return Math.max(this.grid.step / 2, ((to - from) / this.plotWidth) * 5);
  }

  private get plotWidth(): number {
    return Math.max(1, (this.rows.find((row) => !row.element.hidden)?.plot.clientWidth ?? 0) - LEFT - RIGHT);
  }

  private resize(): void {
    for (const { chart, plot, lane } of this.rows) {
      if (chart && plot.clientWidth > 0 && chart.width !== plot.clientWidth) chart.setSize({ width: plot.clientWidth, height: lane.height });
    }
    this.ticks.show(this.scene.visible, this.plotWidth);
  }
}

function lanesOf(timeline: Timeline): Lane[] {
  const servers = timeline.servers.flatMap((server, number) => serverLanes(server, number));
  return [...loadLanes(timeline), ...servers];
}
