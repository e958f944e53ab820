// The head of the time axis: phases by name (each chooses its window), and the times below them.
import type { Phase, Window } from "../data";
import { make } from "../profile/dom";
import { clock, span } from "../profile/words";

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];
const ROOM = 76; // pixels that a time needs
const LAST = 34; // pixels that the last one needs
const LEAST = 3; // pixels: a phase that is narrower has no button

export class Ticks {
  readonly element = make("div", "ticks");

  constructor(
    private readonly phases: Phase[],
    private readonly choose: (window: Window, asBase: boolean) => void,
  ) {}

  show(visible: Window, width: number): void {
    const focused = this.element.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset.phase : undefined;
    const x = (second: number) => ((second - visible.from) / (visible.to - visible.from)) * width;
    const scenarios = [...new Set(this.phases.map((phase) => phase.scenario))];
    const rows = scenarios.map((scenario) => this.row(scenario, scenarios.length > 1, x, width));
    this.element.replaceChildren(...rows, times(visible, width, x));
    if (focused !== undefined) this.element.querySelector<HTMLElement>(`[data-phase="${focused}"]`)?.focus();
  }

  private row(scenario: string, several: boolean, x: (second: number) => number, width: number): HTMLElement {
    let place = 0;
    const buttons = this.phases.flatMap((phase, number) => {
      const [left, right] = [Math.max(0, x(phase.start)), Math.min(width, x(phase.end))];
      if (phase.scenario !== scenario || right - left < LEAST) return [];
      const name = several ? `${scenario}: ${phase.name}` : phase.name;
      const button = make("button", place++ % 2 === 1 ? "shaded" : "", name);
      button.type = "button";
      button.dataset.phase = String(number);
      button.title = `${name}, ${span(Math.round(phase.start), Math.round(phase.end))}: choose it`;
      button.style.left = `${String(left)}px`;
      button.style.width = `${String(right - left)}px`;
      button.addEventListener("click", (event) => {
        this.choose({ from: phase.start, to: phase.end }, event.shiftKey);
      });
      return [button];
    });
    return make("div", "phases", ...buttons);
  }
}

function times({ from, to }: Window, width: number, x: (second: number) => number): HTMLElement {
  const step = STEPS.find((one) => ((to - from) / one) * ROOM <= width) ?? STEPS.at(-1)!;
  const row = make("div", "times");
  for (let second = Math.ceil(from / step) * step; second <= to && x(second) < width - LAST; second += step) {
    const tick = make("span", "", clock(second));
    tick.style.left = `${String(x(second))}px`;
    row.append(tick);
  }
  return row;
}
