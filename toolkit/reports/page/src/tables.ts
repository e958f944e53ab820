// Tables whose columns can be sorted: `<table class="sortable">`, cells with `data-sort` where the text would sort wrongly.
// Where each entry has a body of its own (a row and its details), bodies are sorted, else rows.

/** Puts a button into each heading of every sortable table. */
export function makeSortable(): void {
  for (const table of document.querySelectorAll<HTMLTableElement>("table.sortable")) {
    const headings = [...table.querySelectorAll<HTMLTableCellElement>("thead tr:last-child > th")];
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        sort(table, headings, column);
      });
    });
  }
}

function sort(table: HTMLTableElement, headings: HTMLTableCellElement[], column: number): void {
  const heading = headings[column];
  if (!heading) return;
  // Numbers first show their largest: that is what a reader looks for. Names start at A.
  const first = heading.classList.contains("number") ? "descending" : "ascending";
  const order = heading.ariaSort === first ? opposite(first) : first;
  for (const other of headings) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const [whole, parts] = partsOf(table);
  const keyed = parts.map((part) => ({ part, key: keyOf((part instanceof HTMLTableRowElement ? part : part.rows[0])?.cells[column]) }));
  keyed.sort((a, b) => sign * compare(a.key, b.key));
  whole.append(...keyed.map(({ part }) => part));
}

/** What is put in order, and what holds it. */
function partsOf(table: HTMLTableElement): [HTMLElement, (HTMLTableRowElement | HTMLTableSectionElement)[]] {
  const [body, ...others] = table.tBodies;
  return body && others.length === 0 ? [body, [...body.rows]] : [table, [...table.tBodies]];
}

function opposite(order: "ascending" | "descending"): "ascending" | "descending" {
  return order === "ascending" ? "descending" : "ascending";
}

function keyOf(cell: HTMLTableCellElement | undefined): number | string {
  const text = cell?.dataset.sort ?? cell?.textContent?.trim() ?? "";
  const number = Number(text);
  return text !== "" && !Number.isNaN(number) ? number : text;
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  // A missing value is below every number.
  if (typeof a !== typeof b) return typeof a === "number" ? 1 : -1;
  return String(a).localeCompare(String(b), "en");
}
