// Light or dark: the reader's system decides until the reader does.
import { button } from "./profile/dom";

const KEY = "load-profile-report-theme";
const CHOICES = ["system", "light", "dark"] as const;
type Choice = (typeof CHOICES)[number];

/** Takes the reader's last choice, before anything is drawn in other colours. */
export function restoreTheme(): void {
  const kept = remembered();
  if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
}

/** Wires the choice of colours; `changed` is called after each change. */
export function offerThemes(changed: () => void): void {
  const root = document.documentElement;
  const place = document.querySelector<HTMLElement>("#themes");
  const buttons = new Map(CHOICES.map((choice) => [choice, button(choice, "", () => { choose(choice); })]));

  function choose(choice: Choice): void {
    if (choice === "system") delete root.dataset.theme;
    else root.dataset.theme = choice;
    remember(choice);
    apply();
  }

  function apply(): void {
    for (const [choice, made] of buttons) made.ariaPressed = String(choice === (root.dataset.theme ?? "system"));
    changed();
  }

  if (place) {
    place.append(...buttons.values());
    place.hidden = false;
  }
  // Paper is always light.
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", changed);
  apply();
}

// A page opened from disk may be refused storage; then the choice lasts as long as the page.
function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function remember(theme: string): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // see above
  }
}
