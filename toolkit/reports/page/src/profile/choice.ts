// Controls of the toolbar: one of several, from a list, on or off. They are made once and shown anew.
import { button, make } from "./dom";

export interface Option<T> {
  value: T;
  words: string;
  hint?: string;
}

/** Buttons side by side, one of them pressed. */
export class Choice<T extends string> {
  readonly element: HTMLElement;
  private readonly buttons = new Map<T, HTMLButtonElement>();

  constructor(name: string, options: Option<T>[], chosen: (value: T) => void) {
    this.element = make("div", "fv-choice");
    this.element.role = "group";
    this.element.ariaLabel = name;
    const row = make("div", "fv-buttons");
    for (const { value, words, hint } of options) {
      const made = button(words, "", () => {
        chosen(value);
      });
      made.dataset.choice = `${name} ${value}`;
      if (hint) made.title = hint;
      this.buttons.set(value, made);
      row.append(made);
    }
    this.element.append(row);
  }

  show(value: T, refused: Partial<Record<T, string>> = {}): void {
    for (const [option, made] of this.buttons) {
      made.ariaPressed = String(option === value);
      const why = refused[option];
      made.disabled = why !== undefined;
      if (why !== undefined) made.title = why;
    }
  }
}

/** A list to choose from; its label stands before it. */
export class Select {
  readonly element: HTMLElement;
  private readonly select = make("select");
  private values: string[] = [];

  constructor(name: string, chosen: (value: string) => void) {
    this.select.dataset.choice = name.toLowerCase();
    this.select.addEventListener("change", () => {
      chosen(this.values[this.select.selectedIndex] ?? "");
    });
    this.element = make("label", "fv-choice", make("span", "fv-label", name), this.select);
  }

  show(options: Option<string>[], value: string): void {
    const values = options.map((option) => option.value);
    if (values.join("\n") !== this.values.join("\n")) {
      this.values = values;
      this.select.replaceChildren(...options.map(({ words }) => make("option", "", words)));
    }
    this.select.selectedIndex = values.indexOf(value);
    this.element.hidden = options.length < 2;
  }
}

/** On or off. */
export class Toggle {
  readonly element: HTMLButtonElement;

  constructor(name: string, words: string, hint: string, pressed: () => void) {
    this.element = button(words, "fv-toggle", pressed);
    this.element.dataset.choice = name;
    this.element.title = hint;
  }

  show(on: boolean, refused = false): void {
    this.element.ariaPressed = String(on);
    this.element.disabled = refused;
  }
}
