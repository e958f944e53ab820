// The latency heatmap: one column of cells for each step (or each pixel, where there are more steps), one row for each bin.
import type uPlot from "uplot";
import { channels } from "../colours";
import type { Heat } from "../data";
import type { Grid } from "./grid";

const LEAST_ROW = 3.6; // CSS pixels: in lower rows a few requests look like noise
const sheet = document.createElement("canvas");

/** From the lowest to the highest latency that was seen, to whole bins, in ms. */
export function latencyRange({ bounds_ms: bounds, rows }: Heat): [number, number] {
  const [low, high] = extent(rows);
  if (high < low) return [1, 1000];
  // Two powers of ten at least: a calm service must not look wild.
  const bottom = bounds[Math.max(0, low - 1)]!;
  return [bottom, Math.max(bounds[Math.min(high + 2, bounds.length - 1)]!, bottom * 100)];
}

/** Draws the cells below the lines of a chart whose y axis is logarithmic. */
export function paintHeat(chart: uPlot, heat: Heat, grid: Grid): void {
  const { min, max } = chart.scales.x ?? {};
  const context = sheet.getContext("2d");
  if (min === undefined || max === undefined || !context) return;
  const [start, end] = [grid.at(min), grid.at(max - 1e-6) + 1];
  const [low, high] = extent(heat.rows);
  const height = (y(chart, heat, low) - y(chart, heat, high + 1)) / devicePixelRatio / (high - low + 1);
  const merged = Math.max(1, Math.ceil(LEAST_ROW / height));
  const cells = gather(heat, { start, end, low, high, merged, most: chart.bbox.width });
  if (!cells) return;
  sheet.width = cells.columns;
  sheet.height = cells.rows;
  context.putImageData(tinted(cells), 0, 0);
  place(chart, heat, cells, { from: grid.first + start * grid.step, to: grid.first + end * grid.step, low, high: low + cells.rows * merged - 1 });
}

interface Cells {
  columns: number;
  rows: number;
  counts: Float64Array;
}

interface Part {
  start: number;
  end: number;
  low: number;
  high: number;
  most: number;
  /** Bins that are one row. */
  merged: number;
}

function gather({ rows: all }: Heat, { start, end, low, high, most, merged }: Part): Cells | null {
  const columns = Math.min(end - start, Math.max(1, Math.floor(most)));
  const rows = Math.ceil((high - low + 1) / merged);
  if (columns < 1 || rows < 1) return null;
  const counts = new Float64Array(columns * rows);
  for (let at = start; at < end; at++) {
    const row = all[at] ?? [];
    const column = Math.floor(((at - start) * columns) / (end - start));
    for (let item = 0; item < row.length; item += 2) counts[(rows - 1 - Math.floor((row[item]! - low) / merged)) * columns + column]! += row[item + 1]!;
  }
  return { columns, rows, counts };
}

/** The more requests, the more of the ink; by logarithm, as one slow request among thousands must be seen. */
function tinted({ columns, rows, counts }: Cells): ImageData {
  const image = new ImageData(columns, rows);
  const [red, green, blue] = channels("--heat");
  const most = Math.log1p(counts.reduce((highest, count) => Math.max(highest, count), 1));
  counts.forEach((count, at) => {
    if (count === 0) return;
    image.data.set([red, green, blue, Math.round(255 * (0.16 + 0.8 * (Math.log1p(count) / most)))], at * 4);
  });
  return image;
}

/** Where bin `bin` begins; bins beyond the last are as high as the others. */
function y(chart: uPlot, { bounds_ms: bounds }: Heat, bin: number): number {
  return chart.valToPos(bounds[0]! * (bounds[1]! / bounds[0]!) ** bin, "y", true);
}

function place(chart: uPlot, heat: Heat, cells: Cells, area: { from: number; to: number; low: number; high: number }): void {
  const { ctx, bbox } = chart;
  const x = (second: number) => chart.valToPos(second, "x", true);
  const [top, bottom] = [y(chart, heat, area.high + 1), y(chart, heat, area.low)];
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(sheet, 0, 0, cells.columns, cells.rows, x(area.from), top, x(area.to) - x(area.from), bottom - top);
  ctx.restore();
}

const extents = new WeakMap<number[][], [number, number]>();

function extent(rows: number[][]): [number, number] {
  const known = extents.get(rows);
  if (known) return known;
  let [low, high] = [Infinity, -1];
  for (const row of rows) {
    for (let item = 0; item < row.length; item += 2) {
      low = Math.min(low, row[item]!);
      high = Math.max(high, row[item]!);
    }
  }
  extents.set(rows, [low, high]);
  return [low, high];
}
