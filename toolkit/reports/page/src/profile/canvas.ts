// Frames on a canvas, at the screen's own pixels.
import type { Palette } from "./colours";
import type { Describing } from "./describe";
import type { Layout } from "./layout";
import { FONT, FONT_SIZE, ROW, TEXT_BASE, TEXT_LEFT, boxes } from "./paint";
import type { Style } from "./paint";

/** What is drawn, and how. */
export interface Picture {
  layout: Layout;
  style: Style;
  palette: Palette;
  describing: Describing;
}

/** The part of a picture that is seen, in CSS pixels; `ratio` device pixels are one of them. */
export interface Sight {
  width: number;
  height: number;
  /** How far the picture's top is above the canvas's. */
  top: number;
  ratio: number;
}

/** The canvas at that size, blank; coordinates are CSS pixels. */
export function sized(canvas: HTMLCanvasElement, width: number, height: number, ratio: number, paper: string): CanvasRenderingContext2D | null {
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== across) canvas.width = across;
  if (canvas.height !== down) canvas.height = down;
  canvas.style.width = `${String(width)}px`;
  canvas.style.height = `${String(height)}px`;
  const context = canvas.getContext("2d", { alpha: false });
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  if (context) context.fillStyle = paper;
  context?.fillRect(0, 0, width, height);
  return context;
}

/** Draws the rows of `picture` that `sight` shows. */
export function drawRows(context: CanvasRenderingContext2D, { layout, style }: Picture, { width, height, top, ratio }: Sight): void {
  context.font = `${String(FONT_SIZE)}px ${FONT}`;
  context.textBaseline = "alphabetic";
  const shift = Math.round(top * ratio) / ratio;
  const rows = { first: Math.floor(top / ROW), end: Math.ceil((top + height) / ROW) };
  for (const { x, y, width: wide, colour, label } of boxes(layout, style, width, ratio, columnOf(context), rows)) {
    context.fillStyle = colour.fill;
    context.fillRect(x, y - shift, wide, ROW - 1);
    if (!label) continue;
    context.fillStyle = colour.ink;
    context.fillText(label, x + TEXT_LEFT, y - shift + TEXT_BASE);
  }
}

let column = 0;

/** The width of one character of the frames' font. */
export function columnOf(context: CanvasRenderingContext2D): number {
  return (column ||= context.measureText("0".repeat(100)).width / 100);
}
