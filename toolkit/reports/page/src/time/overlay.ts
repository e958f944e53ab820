// What lies over all lanes: the crosshair, the chosen windows, dragging, and the same by keyboard.
import type { Window } from "../data";
import { make } from "../profile/dom";
import type { Grid } from "./grid";

const LEAST_DRAG = 4; // pixels

export interface OverlayEvents {
  /** The crosshair moved to a second, or away (null). */
  read(second: number | null, byKeyboard: boolean): void;
  /** A window was dragged or made by keyboard; `second`: it is the one to compare with. */
  choose(window: Window | null, second: boolean): void;
}

export class Overlay {
  readonly element = make("div", "overlay");
  private readonly hair = make("div", "hair");
  private readonly bands = [make("div", "band"), make("div", "band base")];
  private visible: Window;
  private windows: (Window | null)[] = [null, null];
  private cursor: number | null = null;
  /** Where a drag or a selection by keyboard began, and which of the windows it makes. */
  private anchor: { second: number; x: number; which: number } | null = null;

  constructor(
    private readonly grid: Grid,
    private readonly events: OverlayEvents,
    /** Whether the reader chooses the second window now. */
    private readonly isSecond: () => boolean,
  ) {
    this.visible = grid.whole;
    const { element } = this;
    element.tabIndex = 0;
    element.role = "group";
    element.ariaLabel = "Time axis. Left and right move the crosshair; with Shift they choose a window, with Shift and Alt the one to compare with; Escape chooses the whole run.";
    element.append(...this.bands, this.hair);
    this.hair.hidden = true;
    element.addEventListener("pointerdown", (event) => { this.pressed(event); });
    element.addEventListener("pointermove", (event) => { this.moved(event); });
    element.addEventListener("pointerup", (event) => { this.released(event); });
    element.addEventListener("pointercancel", () => { this.forget(); });
    element.addEventListener("pointerleave", () => { if (!this.anchor) this.read(null, false); });
    // Else a drag that begins on selected text carries that away, and is no window.
    element.addEventListener("dragstart", (event) => { event.preventDefault(); });
    element.addEventListener("dblclick", () => { this.events.choose(null, this.isSecond()); });
    element.addEventListener("keydown", (event) => { this.typed(event); });
    element.addEventListener("blur", () => { this.read(null, false); });
  }

  show(visible: Window, windows: (Window | null)[]): void {
    this.visible = visible;
    this.windows = windows;
    this.paint(windows);
    this.hang();
  }

  private paint(windows: (Window | null)[]): void {
    this.bands.forEach((band, at) => {
      const window = windows[at] ?? null;
      band.hidden = !window || window.to <= this.visible.from || window.from >= this.visible.to;
      if (!window || band.hidden) return;
      const [left, right] = [Math.max(0, this.share(window.from)), Math.min(1, this.share(window.to))];
      band.style.left = `${String(left * 100)}%`;
      band.style.width = `${String((right - left) * 100)}%`;
    });
  }

  private hang(): void {
    this.hair.hidden = this.cursor === null || this.cursor < this.visible.from || this.cursor > this.visible.to;
    if (this.cursor !== null) this.hair.style.left = `${String(this.share(this.cursor) * 100)}%`;
  }

  private share(second: number): number {
    return (second - this.visible.from) / (this.visible.to - this.visible.from);
  }

  private secondAt(event: PointerEvent): number {
    const { left, width } = this.element.getBoundingClientRect();
    const share = Math.max(0, Math.min(1, (event.clientX - left) / Math.max(1, width)));
    return this.visible.from + share * (this.visible.to - this.visible.from);
  }

  private pressed(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.element.setPointerCapture(event.pointerId);
    const which = event.shiftKey !== this.isSecond() ? 1 : 0;
    this.anchor = { second: this.secondAt(event), x: event.clientX, which };
  }

  private moved(event: PointerEvent): void {
    const second = this.secondAt(event);
    this.read(second, false);
    const { anchor } = this;
    if (!anchor || Math.abs(event.clientX - anchor.x) < LEAST_DRAG) return;
    this.paint(this.windows.map((window, at) => (at === anchor.which ? this.grid.snapped(anchor.second, second) : window)));
  }

  private released(event: PointerEvent): void {
    const { anchor } = this;
    this.anchor = null;
    if (!anchor || Math.abs(event.clientX - anchor.x) < LEAST_DRAG) return;
    this.events.choose(this.grid.snapped(anchor.second, this.secondAt(event)), anchor.which === 1);
  }

  private forget(): void {
    this.anchor = null;
    this.paint(this.windows);
  }

  private typed(event: KeyboardEvent): void {
    const { from, to } = this.visible;
    const small = Math.max(this.grid.step, Math.round((to - from) / 200));
    const steps: Record<string, number> = { ArrowLeft: -small, ArrowRight: small, PageUp: -10 * small, PageDown: 10 * small, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (event.key === "Escape") {
      this.anchor = null;
      this.events.choose(null, event.altKey);
    } else if (step !== undefined) this.step(step, event);
    else return;
    event.preventDefault();
  }

  private step(step: number, { shiftKey, altKey }: KeyboardEvent): void {
    const { from, to } = this.visible;
    const before = this.cursor ?? Math.max(from, Math.min(to, this.windows[0]?.from ?? from));
    const second = Math.max(from, Math.min(to, before + step));
    this.hold(before, shiftKey ? Number(altKey !== this.isSecond()) : null);
    this.read(second, true);
    if (this.anchor && this.anchor.second !== second) this.events.choose(this.grid.snapped(this.anchor.second, second), this.anchor.which === 1);
  }

  /** With Shift a selection goes on from where it began, as long as it is of the same window. */
  private hold(second: number, which: number | null): void {
    if (which === null) this.anchor = null;
    else if (this.anchor?.which !== which) this.anchor = { second, x: 0, which };
  }

  private read(second: number | null, byKeyboard: boolean): void {
    this.cursor = second;
    if (second === null) this.anchor = null;
    this.hang();
    this.events.read(second, byKeyboard);
  }
}
