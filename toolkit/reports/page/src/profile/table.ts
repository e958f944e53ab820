// The table of functions: sorted by a heading, narrowed by the search; a name shows its callers and callees. A service has
// thousands of functions: the first are shown, and more when asked for.
import { button, make, swatch } from "./dom";
import type { Palette } from "./colours";
import { rowsOf, sortRows } from "./functions";
import type { Key, Row } from "./functions";
import { CHANGED, NOISE } from "./noise";
import type { Scene } from "./scene";
import { comparable, duration, percent, ratio } from "./words";

const FIRST = 100;
const MORE = 400;

interface Column {
  key: Key;
  words: string;
  number: boolean;
  cell(row: Row): string | HTMLElement;
}

export class FunctionTable {
  readonly element = make("div", "fv-table");
  private readonly table = make("table");
  private readonly more = make("p", "fv-more");
  private key: Key = "own";
  private descending = true;
  private limit = FIRST;
  private scene: Scene | null = null;
  private rows: Row[] = [];

  /** `chosen` is told the label of a function. */
  constructor(private readonly chosen: (label: number) => void) {
    this.element.append(make("div", "fv-scroll", this.table), this.more);
  }

  show(scene: Scene, palette: Palette): void {
    this.scene = scene;
    const { found } = scene;
    this.rows = rowsOf(scene).filter((row) => !found || found.mistake !== "" || found.labels[row.label] === 1);
    this.fill(palette);
  }

  private fill(palette: Palette): void {
    const scene = this.scene!;
    const columns = columnsOf(scene, (row) => this.nameOf(row, palette));
    if (!columns.some(({ key }) => key === this.key)) this.key = "own";
    sortRows(this.rows, this.key, this.descending);
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.key : undefined;
    this.table.replaceChildren(this.head(columns, palette), make("tbody", "", ...this.rows.slice(0, this.limit).map((row) => bodyRow(row, columns, scene.functionVerdicts !== null))));
    if (focused) this.table.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    this.tellMore(palette);
  }

  private head(columns: Column[], palette: Palette): HTMLElement {
    const cells = columns.map(({ key, words, number }) => {
      const sort = button(words, "", () => {
        // Numbers first show their largest: that is what a reader looks for. Names start at A.
        this.descending = this.key === key ? !this.descending : number;
        this.key = key;
        this.fill(palette);
      });
      sort.dataset.key = key;
      const cell = make("th", number ? "fv-number" : "", sort);
      cell.scope = "col";
      if (this.key === key) cell.ariaSort = this.descending ? "descending" : "ascending";
      return cell;
    });
    return make("thead", "", make("tr", "", ...cells));
  }

  private nameOf(row: Row, palette: Palette): HTMLElement {
    const name = button(row.name, "fv-link", () => {
      this.chosen(row.label);
    });
    const owner = this.scene!.fold.labels.owner[row.label]!;
    return make("span", "fv-function", swatch(palette.owner[owner]![0]!.fill), name);
  }

  private tellMore(palette: Palette): void {
    const { length } = this.rows;
    if (length <= this.limit) {
      this.more.replaceChildren(make("span", "fv-quiet", length === 0 ? "No function to show." : `${length.toLocaleString("en")} functions`));
      return;
    }
    const more = button(`Show ${Math.min(MORE, length - this.limit).toLocaleString("en")} more`, "fv-plain", () => {
      this.limit += MORE;
      this.fill(palette);
    });
    this.more.replaceChildren(make("span", "fv-quiet", `The first ${this.limit.toLocaleString("en")} of ${length.toLocaleString("en")} functions (the CSV has all of them). `), more);
  }
}

/** `judged`: this is a difference with enough chunks to tell noise from change. */
function bodyRow(row: Row, columns: Column[], judged: boolean): HTMLElement {
  const cells = columns.map(({ key, number, cell }) => {
    const made = make(key === "name" ? "th" : "td", number ? "fv-number" : "", cell(row));
    if (key === "name") made.setAttribute("scope", "row");
    return made;
  });
  const isGrey = judged && row.verdict !== CHANGED;
  const made = make("tr", isGrey ? "fv-within" : "", ...cells);
  if (isGrey) made.title = row.verdict === NOISE ? "The difference is within the noise" : "Too small to judge";
  return made;
}

function columnsOf(scene: Scene, name: (row: Row) => HTMLElement): Column[] {
  const file = (row: Row) => make("code", "", row.file);
  const words: Column[] = [
    { key: "name", words: "Function", number: false, cell: name },
    ...(scene.state.scope === "package" ? [] : [{ key: "file" as const, words: "File", number: false, cell: file }]),
    { key: "owner", words: "Whose", number: false, cell: (row) => row.owner },
  ];
  return [...words, ...(scene.base ? compared(scene) : plain(scene))];
}

function plain({ now }: Scene): Column[] {
  const figures = (time: number) => make("span", "fv-figures", bar(time / now.time), make("span", "", duration(time)), make("span", "fv-quiet", percent(time, now.time)));
  return [
    { key: "own", words: "Self", number: true, cell: (row) => figures(row.own) },
    { key: "total", words: "Total", number: true, cell: (row) => figures(row.total) },
  ];
}

function compared({ state: { normal } }: Scene): Column[] {
  return [
    { key: "own", words: "Self", number: true, cell: (row) => comparable(row.own, normal) },
    { key: "baseOwn", words: "before", number: true, cell: (row) => comparable(row.baseOwn, normal) },
    { key: "total", words: "Total", number: true, cell: (row) => comparable(row.total, normal) },
    { key: "baseTotal", words: "before", number: true, cell: (row) => comparable(row.baseTotal, normal) },
    { key: "change", words: "Change of total", number: true, cell: (row) => `${ratio(row.total, row.baseTotal)} · ${comparable(row.total - row.baseTotal, normal)}` },
  ];
}

function bar(share: number): HTMLElement {
  const made = make("span", "fv-bar");
  made.style.setProperty("--share", `${String(Math.min(100, share * 100))}%`);
  return made;
}
