// One lane drawn: lines by uPlot, phases shaded behind them. The pointer is the overlay's (overlay.ts), not the chart's.
import uPlot from "uplot";
import { colour } from "../colours";
import type { Column, Phase, Window } from "../data";
import { number } from "../words";
import type { Grid } from "./grid";
import { latencyRange, paintHeat } from "./heatmap";
import type { Lane, Line } from "./lane_kinds";
import { paintMarks } from "./marks";

/** Pixels left and right of the plot: the same in every lane, so that their time axes line up. */
export const LEFT = 52;
export const RIGHT = 12;
const TOP = 7;

export interface Scene {
  grid: Grid;
  phases: Phase[];
  /** What of the time axis is visible. */
  visible: Window;
}

export function drawLane(lane: Lane, scene: Scene, host: HTMLElement): uPlot {
  const raw = lane.lines.map((line) => line.column);
  const drawn = lane.stacked ? stack(lane.lines) : raw;
  const range = lane.heat ? latencyRange(lane.heat) : null;
  const options: uPlot.Options = {
    width: Math.max(240, host.clientWidth),
    height: lane.height,
    padding: [TOP, RIGHT, 3, 0],
    cursor: { show: false },
    legend: { show: false },
    scales: {
      x: { time: false, range: () => [scene.visible.from, scene.visible.to] },
      y: range ? { distr: 3, range: () => range } : { range: (_, __, highest) => [0, highest && highest > 0 ? highest * 1.06 : 1] },
    },
    axes: [
      { show: false },
      {
        size: LEFT,
        gap: 4,
        font: "11px system-ui, sans-serif",
        stroke: () => colour("--quiet"),
        grid: { stroke: () => colour("--line", range ? 0.5 : 0.8), width: 1 },
        ticks: { show: false },
        space: range ? 18 : 24,
        ...(range ? { splits: () => decades(range) } : {}),
        values: (_, values) => values.map((value) => (lane.marks ? "" : number(value, lane.unit === "ms" ? "ms" : ""))),
      },
    ],
    series: [{}, ...lane.lines.map((line) => series(line, lane))],
    bands: lane.stacked ? stackedBands(lane.lines) : [],
    hooks: {
      drawClear: [
        (chart) => {
          shade(chart, scene.phases);
          if (lane.heat) paintHeat(chart, lane.heat, scene.grid);
        },
      ],
      draw: lane.marks ? [(chart) => { paintMarks(chart, lane.marks ?? []); }] : [],
    },
  };
  return new uPlot(options, [scene.grid.middles, ...drawn] as uPlot.AlignedData, host);
}

function series(line: Line, lane: Lane): uPlot.Series {
  const isArea = lane.stacked && line.filled;
  const width = line.width ?? 1.5;
  return {
    // An edge on a stacked area would also be drawn where its height is zero, over the one below.
    ...(isArea ? { width: 0 } : { stroke: () => colour(line.colour), width }),
    ...(line.dash ? { dash: line.dash } : {}),
    ...(line.filled ? { fill: () => colour(line.colour, isArea ? 0.9 : 0.18) } : {}),
    ...(width === 0 && !isArea ? { auto: false, show: false } : {}),
    // A second between two empty ones is no line: without a point it would not be seen at all.
    points: { show: !isArea && width > 0, size: 4, filter: lonely },
    spanGaps: false,
  };
}

function lonely(chart: uPlot, index: number): number[] {
  const column = chart.data[index] ?? [];
  const there = (at: number): boolean => (column[at] ?? null) !== null;
  const found: number[] = [];
  for (let at = 0; at < column.length; at++) if (there(at) && !there(at - 1) && !there(at + 1)) found.push(at);
  return found;
}

/** Each filled line on the sum of those before it; the others as they are. One that is not there (a worker that ended) adds
 * nothing; a hole is only where none is there. */
function stack(lines: Line[]): Column[] {
  const areas = lines.filter((line) => line.filled).map((line) => line.column);
  let below: Column = (areas[0] ?? []).map((_, at) => (areas.some((column) => (column[at] ?? null) !== null) ? 0 : null));
  return lines.map(({ column, filled }) => {
    if (!filled) return column;
    below = below.map((sum, at) => (sum === null ? null : sum + (column[at] ?? 0)));
    return below;
  });
}

function stackedBands(lines: Line[]): uPlot.Band[] {
  const filled = lines.flatMap((line, index) => (line.filled ? [index + 1] : []));
  return filled.slice(1).map((upper, index) => ({ series: [upper, filled[index] ?? 1] }));
}

function decades([low, high]: [number, number]): number[] {
  const found: number[] = [];
  for (let power = 10 ** Math.ceil(Math.log10(low) - 1e-9); power <= high * 1.0001; power *= 10) found.push(Number(power.toPrecision(1)));
  return found;
}

/** Every other phase of the first scenario is shaded; a hairline begins and ends each phase of all of them. */
function shade(chart: uPlot, all: Phase[]): void {
  const { ctx, bbox } = chart;
  const [first, last] = [bbox.left, bbox.left + bbox.width];
  const place = (second: number) => chart.valToPos(second, "x", true);
  const shaded = all.filter((phase) => phase.scenario === all[0]?.scenario).filter((_, index) => index % 2 === 1);
  ctx.fillStyle = colour("--phase", 0.8);
  for (const { start, end } of shaded) {
    const [left, right] = [Math.max(first, place(start)), Math.min(last, place(end))];
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  ctx.fillStyle = colour("--line");
  for (const edge of new Set(all.flatMap(({ start, end }) => [Math.round(place(start)), Math.round(place(end))]))) {
    if (edge >= first && edge <= last) ctx.fillRect(edge, bbox.top, 1, bbox.height);
  }
}
