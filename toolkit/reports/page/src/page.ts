// Starts everything that moves in report.html. The page reads completely without it: this adds order, time and flames.
import { emptyState, windowsIn } from "./address";
import type { PageState } from "./address";
import { Addressing } from "./addressing";
import { forgetColours } from "./colours";
import { offerCsv } from "./csv";
import { readRun } from "./data";
import type { RunData } from "./data";
import { makeExpanding } from "./expanding";
import { Flames } from "./flames";
import { Histograms } from "./histogram";
import { offerMoments } from "./moments";
import { followParts, goTo } from "./parts";
import { makeSortable } from "./tables";
import { offerThemes, restoreTheme } from "./theme";
import { TimeAxis } from "./time/axis";

/** One state, shown by every part and kept in the address. */
class Page {
  private state = emptyState();
  private readonly axis: TimeAxis | null;
  private readonly histograms: Histograms;
  private readonly addressing: Addressing;
  private flames: Flames | null = null;

  constructor(run: RunData | null) {
    const host = document.querySelector<HTMLElement>("#axis");
    const change = (some: Partial<PageState>) => { this.change(some); };
    this.addressing = new Addressing((state) => { this.open(state); });
    this.axis = run && host ? new TimeAxis(host, run.timeline, { change, copyLink: () => void this.addressing.copy(this.state) }) : null;
    this.histograms = new Histograms(run?.histograms ?? [], run?.timeline.heat?.bounds_ms ?? [], (open) => { change({ open }); });
    followParts((at) => { change({ at }); });
    if (this.axis) {
      offerMoments(this.axis.grid, (window) => {
        change({ window, at: "time" });
        goTo("time");
      });
    }
  }

  /** The flamegraph comes when its profile is unpacked; what the address says is shown then. */
  async start(run: RunData | null): Promise<void> {
    this.flames = await Flames.open(run?.timeline ?? null, (flame) => { this.change({ flame }); });
    this.addressing.start(this.flames?.initial ?? {});
  }

  redraw(): void {
    forgetColours();
    this.axis?.redraw();
  }

  private change(some: Partial<PageState>): void {
    this.state = { ...this.state, ...some };
    this.show();
    this.addressing.write(this.state);
  }

  private open(state: PageState): void {
    this.state = this.axis ? this.axis.grid.bounded(state) : state;
    this.show();
    goTo(state.at);
    const { window, base, zoom } = this.state;
    const unknown = this.flames?.unknown(state.flame) ?? [];
    this.state = { ...this.state, flame: without(this.state.flame, unknown) };
    const said = [window, base, zoom].filter((one) => one !== null).length < windowsIn(location.hash) ? ["A window of this link does not lie in this run: it was left out."] : [];
    said.push(...unknown.map((name) => `This run does not have the ${name} of this link.`));
    if (said.length > 0) {
      this.addressing.say(said.join(" "));
      this.addressing.write(this.state);
    }
  }

  private show(): void {
    this.axis?.show(this.state);
    this.flames?.show(this.state);
    this.histograms.show(this.state.open);
  }
}

function without(flame: PageState["flame"], names: readonly string[]): PageState["flame"] {
  return Object.fromEntries(Object.entries(flame).filter(([name]) => !names.includes(name)));
}

restoreTheme();
makeSortable();
makeExpanding();
offerCsv(document.title.split(" · ").at(-1) ?? "run");
void readRun().then((run) => {
  const page = new Page(run);
  offerThemes(() => { page.redraw(); });
  return page.start(run);
});
