// The flamegraph of the page: shows a state, and tells the page what its reader changed.
import type { Picture } from "./canvas";
import { SHADES, hexOf, makePalette } from "./colours";
import type { Palette } from "./colours";
import { Comparing, comparedWords } from "./comparing";
import { Crumbs } from "./crumbs";
import { Describing } from "./describe";
import { make, swatch } from "./dom";
import { framesOf } from "./frames";
import type { FrameRecord } from "./frames";
import { layOut } from "./layout";
import { NARROWEST, Style } from "./paint";
import { OWNERS } from "./profile";
import type { Profile } from "./profile";
import type { RequestsIn } from "./difference";
import { csvOf, pngOf, save, svgOf } from "./save";
import { Scenes } from "./scene";
import type { Scene } from "./scene";
import { Stage } from "./stage";
import { initialState, isCompared, settled } from "./state";
import type { FlameState } from "./state";
import { FunctionTable } from "./table";
import { shown, visible } from "./text";
import { Toolbar } from "./toolbar";
import { addressOf } from "./tree";
import { samplesOf } from "./window";
import { duration, span } from "./words";

export interface FlameOptions {
  requestsIn: RequestsIn;
  /** Told after each change that the reader made. */
  onState(state: FlameState): void;
}

const FEW = 400; // samples below which half of a view is known to ±5 percentage points or worse

/** What the reader goes back to. */
type Step = Pick<FlameState, "zoom" | "focus" | "look" | "inverted">;

export class FlameView {
  /** Milliseconds of the last change: making the numbers, and drawing them. */
  timing = { scene: 0, picture: 0 };
  private current: FlameState;
  private readonly scenes: Scenes;
  private scene: Scene;
  private picture: Picture | null = null;
  private steps: Step[] = [];
  private readonly root = make("div", "fv");
  private readonly headline = make("p", "fv-headline");
  private readonly legend = make("div", "fv-legend");
  private readonly note = make("p", "fv-note");
  /** What the note says, for what is saved. */
  private doubts = "";
  private readonly nothing = make("p", "fv-nothing");
  private readonly toolbar: Toolbar;
  private readonly comparing: Comparing;
  private readonly crumbs: Crumbs;
  private readonly stage: Stage;
  private readonly table: FunctionTable;

  constructor(
    host: HTMLElement,
    private readonly profile: Profile,
    private readonly options: FlameOptions,
  ) {
    this.current = initialState(profile);
    this.scenes = new Scenes(profile, options.requestsIn);
    this.toolbar = new Toolbar(profile, {
      change: (state) => { this.change(state); },
      back: () => { this.back(false); },
      leaveSearch: () => { this.stage.focus(); },
      save: (what) => void this.save(what),
    });
    this.comparing = new Comparing((state) => { this.change(state); });
    this.crumbs = new Crumbs((zoom) => { this.change({ zoom }); });
    this.stage = new Stage({
      chosen: (place, sandwich, byKeyboard) => { this.choose(place, sandwich, byKeyboard); },
      back: () => { this.back(true); },
      search: () => { this.toolbar.searching.focus(); },
    });
    this.table = new FunctionTable((label) => { this.change({ look: "sandwich", focus: this.scene.fold.labels.text[label] ?? "" }); });
    const { root, toolbar, comparing, crumbs, stage, table } = this;
    root.append(toolbar.element, comparing.element, make("div", "fv-under", this.headline, this.legend), crumbs.element, this.nothing, stage.element, table.element, comparing.lists, this.note);
    host.replaceChildren(root);
    this.current = settled(this.current, profile);
    this.scene = this.scenes.scene(this.current);
    this.update(true);
    this.follow();
  }

  /** The whole state, as it is shown. */
  get state(): FlameState {
    return { ...this.current };
  }

  /** Shows a change that came from elsewhere: the chart, the address. `onState` is not called. */
  show(state: Partial<FlameState>): void {
    this.apply(state);
  }

  /** Every sampled frame of what is shown, also those too narrow to be drawn: for tests. */
  frames(): FrameRecord[] {
    return framesOf(this.scene);
  }

  /** The drawn frames: their words, uncut, and where they are in the browser's window: for tests. */
  drawn(): { words: string; left: number; top: number; width: number }[] {
    const { picture } = this;
    if (!picture) return [];
    return Array.from({ length: picture.layout.count }, (_, place) => ({ words: picture.style.words(place), ...this.stage.boxOf(place) }));
  }

  private change(state: Partial<FlameState>, remember = true): void {
    const { zoom, focus, look, inverted } = this.current;
    this.apply(state);
    const moved = zoom !== this.current.zoom || focus !== this.current.focus || look !== this.current.look;
    if (moved && remember) {
      this.steps.push({ zoom, focus, look, inverted });
      this.toolbar.show(this.scene, true);
    }
    this.options.onState(this.state);
  }

  private back(byKeyboard: boolean): void {
    const step = this.steps.pop();
    if (step) this.change(step, false);
    else if (this.current.zoom) this.change({ zoom: "" }, false);
    if (byKeyboard) this.stage.focusOn(this.zoomedPlace());
  }

  private choose(place: number, sandwich: boolean, byKeyboard: boolean): void {
    const { layout } = this.picture!;
    const { tree } = layout.parts[layout.part[place]!]!;
    const frame = layout.frame[place]!;
    const label = tree.label[frame]!;
    const wantsSandwich = sandwich || this.current.look === "sandwich";
    if (wantsSandwich && label >= 0) this.change({ look: "sandwich", focus: tree.labels.text[label] ?? "" });
    else if (!wantsSandwich) this.change({ zoom: addressOf(tree, frame) });
    this.stage.focused = this.zoomedPlace();
    if (byKeyboard) this.stage.focusOn(this.stage.focused);
  }

  /** Where the zoomed frame stands, or the middle of a sandwich. */
  private zoomedPlace(): number {
    if (!this.picture) return -1;
    const { parts, count, frame, part } = this.picture.layout;
    const last = parts.length - 1;
    for (let place = 0; place < count; place++) if (part[place] === last && frame[place] === parts[last]!.zoom) return place;
    return -1;
  }

  private apply(state: Partial<FlameState>): void {
    const before = this.current;
    this.current = settled({ ...before, ...state }, this.profile);
    const anew = (["look", "scope", "zoom", "focus", "inverted", "server", "view", "lines"] as const).some((key) => before[key] !== this.current[key]);
    this.update(anew);
  }

  private update(anew: boolean): void {
    const start = performance.now();
    this.scene = this.scenes.scene(this.current);
    const parts = this.current.look === "table" ? [] : this.scene.parts();
    const made = performance.now();
    const palette = this.palette();
    this.draw(parts, palette, anew);
    this.toolbar.show(this.scene, this.steps.length > 0 || this.current.zoom !== "");
    this.comparing.show(this.scene, palette, this.picture?.style.isJudged ?? this.scene.functionVerdicts !== null);
    this.crumbs.show(this.scene);
    this.tell(palette);
    this.timing = { scene: made - start, picture: performance.now() - made };
  }

  private draw(parts: ReturnType<Scene["parts"]>, palette: Palette, anew: boolean): void {
    const { scene, stage, table } = this;
    const empty = scene.now.time === 0;
    const isTable = this.current.look === "table";
    this.nothing.hidden = !empty;
    this.nothing.textContent = emptyWords(scene);
    table.element.hidden = !isTable;
    stage.element.hidden = isTable || empty;
    this.picture = null;
    if (isTable) table.show(scene, palette);
    if (isTable || empty) return;
    const layout = layOut(parts, NARROWEST / Math.max(1, stage.width));
    const style = new Style(scene, layout, palette, rootWords(scene));
    this.picture = { layout, style, palette, describing: new Describing(scene, layout, style, rootWords(scene)) };
    stage.show(this.picture, anew);
  }

  private tell(palette: Palette): void {
    const { scene, profile } = this;
    this.headline.textContent = headlineOf(scene);
    this.legend.replaceChildren(...(scene.base ? [] : OWNERS.map((owner, at) => make("span", "fv-key", swatch(palette.owner[at]![SHADES - 4]!.fill), owner))));
    const views = scene.selection.view === "off" ? ["wall", "cpu"] : [scene.selection.view];
    const notes = views.map((view) => profile.stateOf(scene.selection.server, view)?.note ?? "");
    const said = [...new Set([...notes, profile.header.note ?? ""])].filter(Boolean);
    if (scene.state.from !== null && said.length > 0) said.unshift(...fewWords(scene), "Of the whole run:");
    this.doubts = visible(said.join(" "));
    this.note.textContent = this.doubts;
    this.note.hidden = this.note.textContent === "";
  }

  private async save(what: "png" | "svg" | "csv"): Promise<void> {
    const { scene, picture, stage } = this;
    const name = ["flamegraph", scene.state.server, scene.state.view, this.current.look, span(scene.state.from, scene.state.to)].join("-").replaceAll(":", ".");
    if (what === "csv") {
      save(csvOf(scene), `${name}.csv`);
      return;
    }
    if (!picture) return;
    const { color } = getComputedStyle(this.root);
    const against = isCompared(scene.state) ? `, against ${span(scene.state.baseFrom, scene.state.baseTo)}` : "";
    const how = isCompared(scene.state) ? comparedWords(scene, picture.style.isJudged) : "";
    const heading = { title: rootWords(scene), detail: headlineOf(scene) + against, note: `${how} ${this.doubts}`.trim(), ink: hexOf(color), quiet: hexOf(getComputedStyle(this.note).color) };
    const blob = what === "svg" ? svgOf(picture, heading, stage.width) : await pngOf(picture, heading, stage.width);
    if (blob) save(blob, `${name}.${what}`);
  }

  private palette(): Palette {
    return makePalette(hexOf(getComputedStyle(this.root).backgroundColor), this.current.palette);
  }

  /** Draws anew when the page becomes wider, changes its theme, or goes to paper. */
  private follow(): void {
    const redraw = () => { this.update(false); };
    let width = this.stage.width;
    new ResizeObserver(() => {
      const before = width;
      width = this.stage.width;
      if (width > 0 && width !== before) redraw();
    }).observe(this.root);
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", redraw);
  }
}

function rootWords({ state }: Scene): string {
  const who = state.worker === "all" ? "" : `, process ${state.worker}`;
  return `${shown(state.server)} · ${state.view === "off" ? "off-CPU" : state.view}${who} · ${span(state.from, state.to)}`;
}

function headlineOf(scene: Scene): string {
  const { now, state } = scene;
  const chunks = `${now.slices.length.toLocaleString("en")} ${now.slices.length === 1 ? "chunk" : "chunks"}${coveredWords(scene)}`;
  return `${rootWords(scene)}: ${duration(now.time)} of ${state.view === "off" ? "waiting" : `${state.view} time`} in ${duration(now.length_ms * 1000)} (${chunks})`;
}

/** From when to when the chunks of a window were recorded: they are shown whole. */
function coveredWords({ now, base }: Scene): string {
  const [one, other] = [recordedWords(now), base ? recordedWords(base.side) : ""];
  return other ? `${one}; of the other window${other.slice(1)}` : one;
}

function recordedWords({ recorded }: Scene["now"]): string {
  return recorded ? `, recorded ${span(Math.round(recorded.from / 100) / 10, Math.round(recorded.to / 100) / 10)}` : "";
}

/** How sure a window can be: the notes are of the whole run. The same numbers as in toolkit/analysis/view_notes.py. */
function fewWords({ profile, selection, now }: Scene): string[] {
  if (selection.view === "off" || now.slices.length === 0) return [];
  // From its time, for counting again would take as long as the window itself: exactly only where all slices have one rate.
  const units = new Set(now.slices.map((slice) => sampleTime(profile, selection, slice)));
  const counted = (): number => samplesOf(profile, selection, now).counts.reduce((sum, count) => sum + count, 0);
  const samples = Math.round(units.size === 1 ? now.time / [...units][0]! : counted());
  if (samples === 0 || samples >= FEW) return [];
  return [`Only ${samples === 1 ? "1 sample" : `${String(samples)} samples`} in this window: a share may be off by ${String(Math.round(98 / Math.sqrt(samples)))} percentage points.`];
}

/** Microseconds that a sample stands for; slices of different rates that were merged count milliseconds. */
function sampleTime(profile: Profile, selection: Scene["selection"], slice: number): number {
  const unit = profile.slices.unit[slice]!;
  const rate = profile.stateOf(selection.server, selection.view)?.rate_hz ?? 0;
  return profile.header.coarsened && unit === 1000 && rate > 0 ? 1e6 / rate : unit;
}

function emptyWords({ now, state }: Scene): string {
  if (now.slices.length === 0) return "No chunk of this view was recorded in this window.";
  return `No samples${state.worker === "all" ? "" : " of this process"} in this window: nothing to draw.`;
}
