// Links to parts of the page: they scroll, and the address keeps what else it says.

/** Scrolls to the part with this id, and moves the keyboard's focus there. */
export function goTo(part: string): void {
  const target = part ? document.getElementById(part) : null;
  if (!target) return;
  target.scrollIntoView();
  target.tabIndex = -1;
  target.focus({ preventScroll: true });
}

export function followParts(went: (part: string) => void): void {
  // With a window or a view in it, it is a state of the page (address.ts): the browser goes there, and the page follows.
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a[href^="#"]:not([href*="="])') : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const part = (link.getAttribute("href") ?? "").slice(1);
    went(part);
    goTo(part);
  });
}
