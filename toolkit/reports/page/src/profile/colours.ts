// Colours of frames. By owner: the hue says whose code it is, the application's stands out and the server's steps back. In a
// difference: more or less than before. A test measures contrast and how far the hues are apart for colour-blind people.
import { NOBODY } from "./labels";
import type { PaletteName } from "./state";

export interface Fill {
  fill: string;
  ink: string;
}

/** The colours of one theme; `owner` by number (profile.ts), with as many shades as `SHADES`. */
export interface Palette {
  paper: string;
  owner: Fill[][];
  /** The same, faded: frames above the zoomed one, and what a search did not find. */
  faded: Fill[][];
  hit: Fill;
  /** Within the noise, or too small to judge. */
  grey: Fill;
  less: Fill[];
  more: Fill[];
}

export const SHADES = 4;
/** From which change on, as a part of the larger side, the next step is drawn. */
export const STEPS = [0, 0.1, 0.3, 0.6];

const LEAST_CONTRAST = 4.5;

interface Theme {
  ink: string;
  /** Ink on dark fills. */
  pale: string;
  owner: [string, string, string, string, string];
  hit: string;
  grey: string;
  same: string;
  change: Record<PaletteName, { less: string; more: string }>;
}

const LIGHT: Theme = {
  ink: "#15181c",
  pale: "#ffffff",
  owner: ["#ef9a1a", "#86c5ee", "#e6da5c", "#e6d6ec", "#d9dde3"],
  hit: "#7a1fa8",
  grey: "#e1e4e8",
  same: "#f1efec",
  change: { "red-blue": { less: "#2b7bc0", more: "#d8402f" }, "colour-blind": { less: "#5b4fa8", more: "#e8820c" } },
};

const DARK: Theme = {
  ink: "#0e1114",
  pale: "#eceef1",
  owner: ["#eda52b", "#4f97c9", "#a39b4b", "#4a3f4d", "#333a44"],
  hit: "#e3a6ff",
  grey: "#2b313a",
  same: "#39393c",
  change: { "red-blue": { less: "#3f94de", more: "#e8604f" }, "colour-blind": { less: "#8f7fe0", more: "#f09a2c" } },
};

/** The colours on `paper` (`#rrggbb`), which also says whether the theme is dark. */
export function makePalette(paper: string, name: PaletteName): Palette {
  const dark = luminance(paper) < 0.3;
  const theme = dark ? DARK : LIGHT;
  const filled = (fill: string): Fill => ({ fill, ink: inkOn(fill, theme) });
  const shades = (colour: string) =>
    Array.from({ length: SHADES }, (_, shade) => filled(mix(colour, dark ? "#000000" : "#ffffff", shade * (dark ? 0.05 : 0.09))));
  const { less, more } = theme.change[name];
  const steps = (colour: string) => STEPS.map((_, step) => filled(mix(theme.same, colour, (step + 1) / STEPS.length)));
  const owner = theme.owner.map(shades);
  return {
    paper,
    owner,
    faded: owner.map((all) => all.map(({ fill }) => filled(mix(fill, paper, 0.62)))),
    hit: filled(theme.hit),
    grey: { fill: theme.grey, ink: mix(dark ? theme.pale : theme.ink, paper, 0.18) },
    less: steps(less),
    more: steps(more),
  };
}

/** How a change is drawn; the same steps as in toolkit/reports/flamegraph_difference.py. */
export function changed(palette: Palette, now: number, base: number): Fill {
  const change = Math.abs(now - base) / Math.max(now, base);
  if (!(change > 1e-12)) return palette.grey; // below that it is rounding
  const step = STEPS.filter((limit) => change >= limit).length - 1;
  return (now > base ? palette.more : palette.less)[step]!;
}

/** The shade of a label follows from its text, so that a function looks the same in every window. */
export function owned(fills: Fill[][], owner: number, hash: number): Fill {
  const shades = fills[owner] ?? fills[NOBODY]!;
  return shades[(hash >>> 3) % SHADES]!;
}

function inkOn(fill: string, { ink, pale }: Theme): string {
  // On middling fills only pure black or white can be read.
  const readable = [ink, pale].find((one) => contrast(fill, one) >= LEAST_CONTRAST);
  return readable ?? (contrast(fill, "#000000") >= LEAST_CONTRAST ? "#000000" : "#ffffff");
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = parts(colour).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** `share` of the way from one colour to another. */
function mix(from: string, to: string, share: number): string {
  const other = parts(to);
  return hex(parts(from).map((part, at) => part + ((other[at] ?? 0) - part) * share));
}

/** `#rrggbb` of what `getComputedStyle` says, `rgb(1, 2, 3)`. */
export function hexOf(computed: string): string {
  return hex((computed.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number));
}

function hex(colour: number[]): string {
  return `#${colour.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

function parts(colour: string): number[] {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}
