// The way from the root to the zoomed frame; each step goes back to it.
import { button, make } from "./dom";
import type { Scene } from "./scene";
import { addressOf } from "./tree";
import { duration, percent } from "./words";

const NEAREST = 4; // frames above the zoomed one that are named

export class Crumbs {
  readonly element = make("nav", "fv-crumbs");

  constructor(private readonly zoom: (address: string) => void) {
    this.element.ariaLabel = "Zoomed into";
  }

  show(scene: Scene): void {
    const { look } = scene.state;
    const part = look === "icicle" || look === "flame" ? scene.parts()[0] : undefined;
    if (look === "sandwich") this.element.replaceChildren(middle(scene));
    else if (!part || part.zoom === 0) this.element.replaceChildren(make("span", "fv-quiet", hintFor(scene)));
    else this.element.replaceChildren(...this.steps(scene));
  }

  private steps(scene: Scene): HTMLElement[] {
    const { tree, zoom } = scene.parts()[0]!;
    const path: number[] = [];
    for (let frame = zoom; frame > 0; frame = tree.parent[frame]!) path.unshift(frame);
    const words = (frame: number) => tree.labels.place(tree.label[frame]!).name;
    const above = path.slice(0, -1);
    const skipped = Math.max(0, above.length - NEAREST);
    const steps = [
      this.step("all", ""),
      ...(skipped > 0 ? [make("span", "fv-quiet fv-skipped", `… ${String(skipped)} more`)] : []),
      ...above.slice(skipped).map((frame) => this.step(words(frame), addressOf(tree, frame))),
    ];
    const here = make("strong", "", words(zoom));
    here.ariaCurrent = "true";
    return [...steps, here, make("span", "fv-quiet", `${duration(tree.now.total[zoom]!)} · ${percent(tree.now.total[zoom]!, scene.now.time)}`)];
  }

  private step(words: string, address: string): HTMLElement {
    const made = button(words, "fv-link", () => {
      this.zoom(address);
    });
    made.dataset.zoom = address;
    return made;
  }
}

function hintFor(scene: Scene): string {
  if (scene.state.look === "table") return "A function's name shows its callers and callees.";
  return scene.state.zoom
    ? "The frame that was zoomed was not sampled in this window: this is all of it."
    : "Click a frame to zoom, Shift-click for its callers and callees; arrow keys, Enter, Escape and / work too.";
}

function middle(scene: Scene): HTMLElement {
  const focus = scene.focus;
  if (focus < 0) return make("span", "fv-quiet", "Nothing was sampled.");
  const { own, total } = scene.functions;
  const figures = `total ${duration(total[focus]!)} · ${percent(total[focus]!, scene.now.time)}, self ${duration(own[focus]!)} · ${percent(own[focus]!, scene.now.time)}`;
  return make("span", "", "Callers above, callees below: ", make("strong", "", scene.fold.labels.short(focus)), " ", make("span", "fv-quiet", figures));
}
