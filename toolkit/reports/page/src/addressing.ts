// Keeps the address and the page together: a change is written, a pasted or edited address is read.
import { addressOf, parseAddress } from "./address";
import type { PageState } from "./address";
import { button, make } from "./profile/dom";
import type { FlameState } from "./profile";

const SAID_MS = 4000;
const PAUSE_MS = 120; // browsers refuse too many changes of the address

export class Addressing {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private written = "";

  private initial: Partial<FlameState> = {};

  constructor(private readonly found: (state: PageState) => void) {}

  /** From now on takes over what the address says, if it says anything. `initial` of the flamegraph is not written. */
  start(initial: Partial<FlameState>): void {
    this.initial = initial;
    addEventListener("hashchange", () => { this.read(); });
    this.read();
  }

  private read(): void {
    const state = parseAddress(location.hash);
    if (state && location.hash.slice(1) !== this.written) this.found(state);
  }

  write(state: PageState): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.flush(state); }, PAUSE_MS);
  }

  /** Puts the link into the clipboard, or where that is refused, shows it to be copied. */
  async copy(state: PageState): Promise<void> {
    this.flush(state);
    try {
      await navigator.clipboard.writeText(location.href);
      this.say("The link is in the clipboard.");
    } catch {
      this.say("This is the link:", location.href);
    }
  }

  private flush(state: PageState): void {
    clearTimeout(this.timer);
    this.written = addressOf(state, this.initial);
    history.replaceState(null, "", `#${this.written}`);
  }

  /** Says something for some seconds; a link stays until it is closed. */
  say(words: string, link = ""): void {
    document.querySelector(".toast")?.remove();
    const toast = make("div", "toast", words);
    toast.role = "status";
    if (link) {
      const field = make("input");
      field.value = link;
      field.readOnly = true;
      field.ariaLabel = "Link";
      toast.append(field, button("Close", "plain", () => { toast.remove(); }));
    }
    document.body.append(toast);
    if (link) toast.querySelector("input")?.select();
    else setTimeout(() => { toast.remove(); }, SAID_MS);
  }
}
