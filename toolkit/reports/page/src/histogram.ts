// The latencies of one request as bars, below its row.
import type { Heat } from "./data";
import { button, make } from "./profile/dom";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, BELOW, LEFT] = [900, 150, 22, 46];

export class Histograms {
  private open: { number: number; row: HTMLTableRowElement } | null = null;
  private readonly openers = new Map<number, HTMLButtonElement>();

  /** `changed` is told which row the reader opened; null: none. */
  constructor(
    private readonly counts: number[][],
    private readonly bounds: Heat["bounds_ms"],
    private readonly changed: (open: number | null) => void,
  ) {
    for (const body of document.querySelectorAll<HTMLTableSectionElement>("tbody[data-request]")) this.wire(body);
  }

  show(number: number | null): void {
    if (this.open?.number === number) return;
    this.close();
    const opener = number === null ? undefined : this.openers.get(number);
    if (number === null || !opener) return;
    const body = opener.closest("tbody")!;
    const cell = make("td", "", this.draw(number, opener.textContent));
    cell.colSpan = body.rows[0]!.cells.length;
    const row = make("tr", "detail", cell);
    body.append(row);
    opener.ariaExpanded = "true";
    this.open = { number, row };
  }

  private close(): void {
    if (!this.open) return;
    this.open.row.remove();
    this.openers.get(this.open.number)!.ariaExpanded = "false";
    this.open = null;
  }

  private wire(body: HTMLTableSectionElement): void {
    const number = Number(body.dataset.request);
    const name = body.rows[0]?.querySelector("th");
    if (!name || !(this.counts[number]?.length ?? 0)) return;
    const opener = button("", "opens", () => {
      const open = this.open?.number === number ? null : number;
      this.show(open);
      this.changed(open);
    });
    opener.append(...name.childNodes);
    opener.ariaExpanded = "false";
    name.append(opener);
    this.openers.set(number, opener);
  }

  private draw(number: number, name: string): HTMLElement {
    const [first = 0, ...counts] = this.counts[number] ?? [];
    const most = Math.max(1, ...counts);
    const svg = element("svg", { viewBox: `0 0 ${String(WIDTH)} ${String(HEIGHT + BELOW)}`, class: "histogram", role: "img", "aria-label": `Latencies of ${name}` });
    const room = WIDTH - LEFT;
    const width = Math.min(26, room / counts.length);
    counts.forEach((count, at) => {
      const height = (count / most) * (HEIGHT - 14);
      const bar = element("rect", { x: String(LEFT + at * width + 0.5), y: String(HEIGHT - height), width: String(Math.max(0.5, width - 1)), height: String(height) });
      const title = element("title", {});
      title.textContent = `${this.edge(first + at)} to ${this.edge(first + at + 1)} ms: ${count.toLocaleString("en")}`;
      bar.append(title);
      svg.append(bar);
    });
    const every = Math.max(1, Math.ceil(46 / width));
    for (let at = 0; at <= counts.length; at += every) svg.append(label(LEFT + at * width, HEIGHT + 15, this.edge(first + at), LEFT + at * width > WIDTH - 24 ? "end" : "middle"));
    svg.append(label(LEFT - 6, 20, most.toLocaleString("en"), "end"), element("line", { x1: String(LEFT), x2: String(LEFT + counts.length * width), y1: String(HEIGHT), y2: String(HEIGHT) }));
    return make("figure", "", make("figcaption", "", "Answered requests by latency, ms"), svg as unknown as HTMLElement);
  }

  private edge(bin: number): string {
    return Number((this.bounds[bin] ?? 0).toPrecision(2)).toLocaleString("en");
  }
}

function element(name: string, attributes: Record<string, string>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function label(x: number, y: number, words: string, anchor: string): SVGElement {
  const made = element("text", { x: String(x), y: String(y), "text-anchor": anchor });
  made.textContent = words;
  return made;
}
