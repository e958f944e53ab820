// The flamegraph below the time axis: the profile is decoded once, and shows the window that is chosen above.
import type { PageState } from "./address";
import { blockText } from "./data";
import type { Timeline } from "./data";
import { DamagedProfile, FlameView, initialState, openProfile, settled } from "./profile";
import type { FlameState, Profile } from "./profile";
import { make } from "./profile/dom";

/** What a link may choose that another run does not have. */
const CHOICES = ["server", "view", "worker"] as const;

export class Flames {
  readonly initial: FlameState;
  private readonly view: FlameView;
  /** What the view shows, so that it is not made again without need. */
  private shown = "";

  private constructor(host: HTMLElement, private readonly profile: Profile, timeline: Timeline | null, changed: (flame: Partial<FlameState>) => void) {
    this.initial = initialState(profile);
    this.view = new FlameView(host, profile, {
      requestsIn: (from, to) => requestsIn(timeline, from, to),
      onState: (state) => {
        this.shown = JSON.stringify(state);
        changed(state);
      },
    });
  }

  /** null where the page has no profile. */
  static async open(timeline: Timeline | null, changed: (flame: Partial<FlameState>) => void): Promise<Flames | null> {
    const host = document.querySelector<HTMLElement>("#flame");
    const packed = blockText("profile");
    if (!host) return null;
    try {
      if (packed) return new Flames(host, await openProfile(packed), timeline, changed);
      host.append(make("p", "none", "No view of the stacks can be shown: see Servers for why."));
    } catch (error) {
      if (!(error instanceof DamagedProfile)) throw error;
      host.append(make("p", "bad", error.message));
    }
    return null;
  }

  /** What of an address this profile does not have. */
  unknown(flame: Partial<FlameState>): string[] {
    const known = settled({ ...this.initial, ...flame }, this.profile);
    return CHOICES.filter((name) => flame[name] !== undefined && flame[name] !== known[name]);
  }

  show({ window, base, flame }: PageState): void {
    const nothing = { from: null, to: null };
    const [{ from, to }, { from: baseFrom, to: baseTo }] = [window ?? nothing, base ?? nothing];
    const wanted: FlameState = { ...this.initial, ...flame, from, to, baseFrom, baseTo };
    const text = JSON.stringify(wanted);
    if (text === this.shown) return;
    this.shown = text;
    this.view.show(wanted);
  }
}

/** How many requests ended in the seconds that begin in [from, to). */
function requestsIn(timeline: Timeline | null, from: number, to: number): number {
  if (!timeline) return 0;
  const each = timeline.requests ?? timeline.columns.requests ?? [];
  const first = timeline.requests ? 0 : timeline.first;
  let sum = 0;
  for (let at = Math.max(0, Math.ceil(from) - first); at < Math.min(each.length, Math.ceil(to) - first); at++) sum += each[at] ?? 0;
  return sum;
}
