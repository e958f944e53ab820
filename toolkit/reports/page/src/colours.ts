// The page's colour variables as a canvas understands them.

const known = new Map<string, [number, number, number]>();
const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/** To be called after each change of theme. */
export function forgetColours(): void {
  known.clear();
}

/** Red, green and blue (0 to 255) of a CSS variable. */
export function channels(variable: string): [number, number, number] {
  const before = known.get(variable);
  if (before) return before;
  const span = document.createElement("span");
  span.hidden = true;
  span.style.color = `var(${variable})`;
  document.body.append(span);
  // Painted, as a computed colour may be written in any colour space.
  const found: [number, number, number] = [0, 0, 0];
  if (probe) {
    probe.fillStyle = getComputedStyle(span).color;
    probe.fillRect(0, 0, 1, 1);
    const { data } = probe.getImageData(0, 0, 1, 1);
    found.splice(0, 3, data[0] ?? 0, data[1] ?? 0, data[2] ?? 0);
  }
  span.remove();
  known.set(variable, found);
  return found;
}

export function colour(variable: string, opacity = 1): string {
  return `rgba(${channels(variable).join(", ")}, ${String(opacity)})`;
}
