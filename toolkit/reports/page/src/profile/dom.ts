// Elements, built; never parsed. Names in a profile are hostile: they only ever become text.

type Children = (Node | string | null)[];

/** An element with a class and children; strings become text. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, className = "", ...children: Children): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null));
  return element;
}

export function button(words: string, className: string, pressed: () => void): HTMLButtonElement {
  const made = make("button", className, words);
  made.type = "button";
  made.addEventListener("click", pressed);
  return made;
}

/** A small square of a colour. */
export function swatch(fill: string): HTMLElement {
  const made = make("span", "fv-swatch");
  made.style.background = fill;
  made.ariaHidden = "true";
  return made;
}
