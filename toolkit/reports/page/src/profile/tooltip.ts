// What is known of the frame under the pointer or the keyboard, beside it.
import type { Description } from "./describe";
import { make } from "./dom";

const GAP = 14;

export class Tooltip {
  readonly element = make("div", "fv-tooltip");

  constructor() {
    this.element.hidden = true;
    this.element.ariaHidden = "true"; // the live region says the same
  }

  /** Shows it near a point of the window, inside the window. */
  show({ name, file, facts }: Description, x: number, y: number): void {
    const { element } = this;
    const list = make("dl", "", ...facts.flatMap(([fact, value]) => [make("dt", "", fact), make("dd", "", value)]));
    element.replaceChildren(make("strong", "", name), ...(file ? [make("code", "", file)] : []), list);
    element.hidden = false;
    const { width, height } = element.getBoundingClientRect();
    const room = document.documentElement.clientWidth - width - GAP;
    element.style.left = `${String(Math.max(4, Math.min(x + GAP, room)))}px`;
    const below = y + GAP + height < innerHeight;
    element.style.top = `${String(Math.max(4, below ? y + GAP : y - height - GAP))}px`;
  }

  hide(): void {
    this.element.hidden = true;
  }
}
