// The search field: text or a regular expression, and the share of the time that it found.
import { make } from "./dom";
import { Toggle } from "./choice";
import type { Scene } from "./scene";
import { REGEX } from "./search";
import { percent } from "./words";

export class Searching {
  readonly element: HTMLElement;
  private readonly input = make("input");
  private readonly matched = make("span", "fv-matched");
  private readonly asRegex: Toggle;

  /** `changed` is told the search as it stands in the state; `left` when the reader is done with the field. */
  constructor(changed: (search: string) => void, left: () => void) {
    const { input } = this;
    input.type = "search";
    input.placeholder = "Search functions and files";
    input.ariaLabel = "Search functions and files";
    input.spellcheck = false;
    input.maxLength = 400;
    this.matched.role = "status";
    this.asRegex = new Toggle("regex", ".*", "The search is a regular expression", () => {
      changed(isRegex(this.search) ? bare(this.search) : REGEX + this.search);
      input.focus();
    });
    input.addEventListener("input", () => {
      changed(isRegex(this.search) ? REGEX + input.value : input.value);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" && event.key !== "Enter") return;
      event.preventDefault();
      if (event.key === "Escape") changed("");
      left();
    });
    this.element = make("div", "fv-search", input, this.asRegex.element, this.matched);
  }

  private search = "";

  show(scene: Scene): void {
    this.search = scene.state.search;
    const regex = isRegex(this.search);
    const text = regex ? bare(this.search) : this.search;
    if (this.input.value !== text) this.input.value = text;
    this.asRegex.show(regex);
    this.matched.textContent = wordsFor(scene);
    this.matched.classList.toggle("fv-bad", Boolean(scene.found?.mistake));
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }
}

function wordsFor(scene: Scene): string {
  const { found } = scene;
  if (!found) return "";
  if (found.mistake) return "not a regular expression";
  if (found.count === 0) return "nothing matches";
  const functions = `${found.count.toLocaleString("en")} ${scene.state.scope === "package" ? "package" : "function"}${found.count === 1 ? "" : "s"}`;
  return `matched ${percent(scene.matched, scene.now.time)} (${functions})`;
}

function isRegex(search: string): boolean {
  return search.startsWith(REGEX);
}

function bare(search: string): string {
  return search.slice(REGEX.length);
}
