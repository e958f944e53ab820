// Every table as CSV: `<table data-csv="name">` gets a button. Numbers are as measured (`data-sort`), not as written; a
// column whose cells name their unit, as sizes do, has it in its head (`data-unit`).
import { button, make } from "./profile/dom";
import { save } from "./profile/save";

export function offerCsv(run: string): void {
  for (const table of document.querySelectorAll<HTMLTableElement>("table[data-csv]")) {
    const name = `${run}-${table.dataset.csv ?? "table"}.csv`;
    const made = button("CSV", "csv", () => {
      save(new Blob([csvOf(table)], { type: "text/csv" }), name);
    });
    made.ariaLabel = `Save this table as ${name}`;
    const region = table.closest<HTMLElement>(".wide-table") ?? table;
    region.before(make("div", "csv-place", made));
  }
}

export function csvOf(table: HTMLTableElement): string {
  const groups = [...table.querySelectorAll<HTMLTableCellElement>("thead tr.groups > *")].flatMap((cell) => new Array<string>(cell.colSpan).fill(cell.textContent?.trim() ?? ""));
  const heads = [...table.querySelectorAll<HTMLTableCellElement>("thead tr:last-child > *")].map((cell, at) => [[groups[at], cell.textContent?.trim()].filter(Boolean).join(" "), cell.dataset.unit].filter(Boolean).join(", "));
  const rows = [...table.tBodies].flatMap((body) => [...body.rows]).filter((row) => !row.classList.contains("detail"));
  const lines = [heads, ...rows.map((row) => [...row.cells].map(valueOf))];
  const used = heads.map((head, at) => head !== "" || rows.some((row) => row.cells[at]?.textContent?.trim()));
  return lines.map((line) => `${line.filter((_, at) => used[at]).map(quoted).join(",")}\r\n`).join("");
}

function valueOf(cell: HTMLTableCellElement): string {
  return cell.dataset.sort ?? cell.textContent?.trim() ?? "";
}

/** Quoted where it must be; what a spreadsheet would take for a formula is text. */
function quoted(text: string): string {
  const isNumber = /^-?[\d.]+(e[+-]?\d+)?$/.test(text);
  const safe = !isNumber && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
