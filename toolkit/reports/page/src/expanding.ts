// Rows with details: a button in the first cell opens them. Without scripts and on paper they are open.
import { button } from "./profile/dom";

export function makeExpanding(): void {
  for (const body of document.querySelectorAll<HTMLTableSectionElement>("tbody.expands")) {
    const [row, detail] = body.rows;
    const name = row?.querySelector("th");
    if (!row || !detail || !name) continue;
    const opener = button("", "opens", () => {
      show(detail.hidden);
    });
    opener.append(...name.childNodes);
    name.append(opener);
    const show = (open: boolean) => {
      detail.hidden = !open;
      opener.ariaExpanded = String(open);
    };
    show(false);
    // The whole row opens it, for who has a pointer; but not while text is being marked.
    row.addEventListener("click", (event) => {
      if (event.target instanceof Element && !event.target.closest("button, a") && !getSelection()?.toString()) show(detail.hidden);
    });
  }
}
