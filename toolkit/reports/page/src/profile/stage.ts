// The stage: a canvas in a box that scrolls, the frames under the pointer and the keyboard, and what they say.
import { drawRows, sized } from "./canvas";
import type { Picture } from "./canvas";
import { make } from "./dom";
import { neighbour, placeAt } from "./layout";
import type { Layout } from "./layout";
import { ROW } from "./paint";
import { Tooltip } from "./tooltip";

export interface StageEvents {
  /** A frame was chosen, by a click or by Enter; `sandwich`: its function is wanted in the middle of one. */
  chosen(place: number, sandwich: boolean, byKeyboard: boolean): void;
  back(): void;
  search(): void;
}

/** For each arrow key where it goes when children lie below; where they lie above, up and down change places. */
const ARROWS: Record<string, "in" | "out" | "left" | "right"> = { ArrowDown: "in", ArrowUp: "out", ArrowLeft: "left", ArrowRight: "right" };

export class Stage {
  readonly element: HTMLElement;
  /** The frame that the keyboard is on; -1: none yet. */
  focused = -1;
  private readonly box = make("div", "fv-stage");
  private readonly sheet = make("div", "fv-sheet");
  private readonly canvas = make("canvas");
  private readonly hoverMark = make("div", "fv-mark fv-hover");
  /** Around the function in the middle of a sandwich. */
  private readonly middleMark = make("div", "fv-mark fv-middle");
  private readonly focusMark = make("div", "fv-mark fv-focus");
  private readonly said = make("p", "fv-unseen");
  private readonly tooltip = new Tooltip();
  private picture: Picture | null = null;
  private offset = 0;
  private tallest = 0;

  constructor(private readonly events: StageEvents) {
    this.said.setAttribute("aria-live", "polite");
    this.said.dataset.part = "said";
    this.sheet.append(this.canvas, this.middleMark, this.hoverMark, this.focusMark);
    this.box.append(this.sheet);
    this.box.tabIndex = 0;
    this.box.role = "application";
    this.box.ariaLabel = "Flamegraph. Arrow keys move, Enter zooms, S shows callers and callees, Escape goes back, slash searches.";
    this.box.ariaRoleDescription = "flamegraph";
    this.element = make("div", "fv-frame", this.box, this.said, this.tooltip.element);
    this.listen();
  }

  /** CSS pixels that the picture may be wide. */
  get width(): number {
    return this.box.clientWidth;
  }

  /** Shows a picture; `anew`: it is another one than before, not the same with other numbers. */
  show(picture: Picture, anew: boolean): void {
    this.picture = picture;
    const height = picture.layout.rows * ROW + 1;
    // While a window is dragged, the page below must not jump up and down.
    this.tallest = anew ? height : Math.max(this.tallest, height);
    this.box.style.height = `${String(this.tallest + 2)}px`;
    const room = this.box.clientHeight;
    this.offset = isUpwards(picture.layout) ? Math.max(0, room - height) : 0;
    this.sheet.style.height = `${String(height + this.offset)}px`;
    if (anew) this.box.scrollTop = isUpwards(picture.layout) ? height : 0;
    if (anew || this.focused >= picture.layout.count) this.focused = -1;
    this.hide(this.hoverMark);
    this.tooltip.hide();
    this.mark(this.middleMark, picture.layout.parts.length > 1 ? this.firstPlace() : -1);
    this.markFocus();
    // What was read aloud of the picture before is not true of this one.
    this.said.textContent = this.focused < 0 ? "" : picture.describing.sentence(this.focused);
    this.draw();
  }

  focus(): void {
    this.box.focus({ preventScroll: true });
  }

  /** Moves the keyboard to a place, and says what is there. */
  focusOn(place: number): void {
    if (place < 0 || !this.picture || place >= this.picture.layout.count) return;
    this.focused = place;
    this.markFocus();
    this.reveal(place);
    this.said.textContent = this.picture.describing.sentence(place);
    this.explain(place, null);
  }

  /** Where a place is in the browser's window, scrolled away or not; CSS pixels. */
  boxOf(place: number): { left: number; top: number; width: number } {
    const { left, top } = this.sheet.getBoundingClientRect();
    const { layout } = this.picture!;
    return { left: left + layout.left[place]! * this.width, top: top + this.offset + layout.row[place]! * ROW, width: layout.width[place]! * this.width };
  }

  private draw(): void {
    const { picture, canvas, box } = this;
    if (!picture) return;
    const height = Math.min(box.clientHeight, picture.layout.rows * ROW + 1 + this.offset);
    const context = sized(canvas, box.clientWidth, height, devicePixelRatio, picture.palette.paper);
    if (context) drawRows(context, picture, { width: box.clientWidth, height, top: box.scrollTop - this.offset, ratio: devicePixelRatio });
  }

  private listen(): void {
    const { box } = this;
    box.addEventListener("scroll", () => {
      this.hide(this.hoverMark);
      this.draw();
    });
    box.addEventListener("pointermove", (event) => {
      this.hover(event);
    });
    box.addEventListener("pointerleave", () => {
      this.hide(this.hoverMark);
      this.tooltip.hide();
    });
    box.addEventListener("click", (event) => {
      const place = this.placeUnder(event);
      if (place >= 0) this.events.chosen(place, event.shiftKey, false);
    });
    box.addEventListener("keydown", (event) => {
      this.pressed(event);
    });
    box.addEventListener("focus", () => {
      if (this.focused < 0 && box.matches(":focus-visible")) this.focusOn(this.firstPlace());
      else this.markFocus();
    });
    box.addEventListener("blur", () => {
      this.hide(this.focusMark);
      this.tooltip.hide();
    });
  }

  private hover(event: PointerEvent): void {
    const place = this.placeUnder(event);
    this.mark(this.hoverMark, place);
    this.box.classList.toggle("fv-on-frame", place >= 0);
    if (place < 0) this.tooltip.hide();
    else this.explain(place, event);
  }

  private pressed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.picture) return;
    const arrow = ARROWS[event.key];
    const actions: Record<string, () => void> = {
      Enter: () => { if (this.focused >= 0) this.events.chosen(this.focused, event.shiftKey, true); },
      s: () => { if (this.focused >= 0) this.events.chosen(this.focused, true, true); },
      Escape: () => { this.events.back(); },
      "/": () => { this.events.search(); },
      Home: () => { this.focusOn(this.firstPlace()); },
    };
    const action = arrow ? () => { this.walk(arrow); } : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  private walk(direction: "in" | "out" | "left" | "right"): void {
    const { layout } = this.picture!;
    if (this.focused < 0) {
      this.focusOn(this.firstPlace());
      return;
    }
    const part = layout.parts[layout.part[this.focused]!]!;
    const vertical = direction === "in" || direction === "out";
    const to = vertical && part.upwards ? (direction === "in" ? "out" : "in") : direction;
    const next = neighbour(layout, this.focused, to);
    this.focusOn(next >= 0 ? next : this.acrossTheMiddle(direction));
  }

  /** From the middle of a sandwich up to its callers, and back. */
  private acrossTheMiddle(direction: string): number {
    const { layout } = this.picture!;
    if (layout.parts.length < 2) return -1;
    const isMiddle = layout.part[this.focused] === 1 && layout.frame[this.focused] === 0;
    const row = layout.row[this.focused]! + (direction === "out" ? -1 : direction === "in" ? 1 : NaN);
    if (!(row >= 0) || (!isMiddle && direction === "out")) return -1;
    return layout.firstOfRow[row] ?? -1;
  }

  /** The root, or the middle of a sandwich. */
  private firstPlace(): number {
    const { layout } = this.picture!;
    for (let place = 0; place < layout.count; place++) {
      if (layout.parent[place] === -1 && layout.part[place] === layout.parts.length - 1) return place;
    }
    return -1;
  }

  private placeUnder(event: MouseEvent): number {
    if (!this.picture) return -1;
    const { left, top } = this.sheet.getBoundingClientRect();
    const row = Math.floor((event.clientY - top - this.offset) / ROW);
    return placeAt(this.picture.layout, row, (event.clientX - left) / this.width);
  }

  private explain(place: number, pointer: MouseEvent | null): void {
    const { left, top } = this.boxOf(place);
    this.tooltip.show(this.picture!.describing.describe(place), pointer?.clientX ?? left, pointer?.clientY ?? top + ROW);
  }

  private reveal(place: number): void {
    const top = this.picture!.layout.row[place]! * ROW + this.offset;
    if (top < this.box.scrollTop) this.box.scrollTop = top - ROW;
    const bottom = top + 2 * ROW - this.box.clientHeight;
    if (bottom > this.box.scrollTop) this.box.scrollTop = bottom;
  }

  private markFocus(): void {
    this.mark(this.focusMark, this.box.matches(":focus-visible") ? this.focused : -1);
  }

  private mark(mark: HTMLElement, place: number): void {
    if (place < 0 || !this.picture) {
      this.hide(mark);
      return;
    }
    const { layout } = this.picture;
    mark.hidden = false;
    mark.style.left = `${String(layout.left[place]! * this.width)}px`;
    mark.style.top = `${String(layout.row[place]! * ROW + this.offset)}px`;
    mark.style.width = `${String(Math.max(2, layout.width[place]! * this.width))}px`;
  }

  private hide(mark: HTMLElement): void {
    mark.hidden = true;
  }
}

function isUpwards({ parts }: Layout): boolean {
  return parts.length === 1 && parts[0]!.upwards;
}
