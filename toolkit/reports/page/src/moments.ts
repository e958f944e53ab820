// A time in a table is a button: it chooses the window around it, so that everything else shows that moment.
import type { Window } from "./data";
import { button } from "./profile/dom";
import type { Grid } from "./time/grid";

const AROUND_S = 15;

export function offerMoments(grid: Grid, choose: (window: Window) => void): void {
  for (const row of document.querySelectorAll<HTMLElement>("tr[data-from]")) {
    const cell = row.querySelector<HTMLElement>(".at");
    const from = Number(row.dataset.from);
    const to = Number(row.dataset.to ?? from);
    if (!cell || !Number.isFinite(from)) continue;
    const words = cell.textContent ?? "";
    const made = button(words, "moment", () => {
      choose(grid.snapped(from - AROUND_S, to + AROUND_S));
    });
    made.title = "Choose the half minute around it";
    cell.replaceChildren(made);
  }
}
