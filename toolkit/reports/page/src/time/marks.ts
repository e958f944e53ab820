// What happened on a server, as marks: above, workers that ended or were born; below, tracebacks.
import type uPlot from "uplot";
import { colour } from "../colours";
import type { Mark } from "../data";

const LOOKS: Record<Mark["kind"], { row: number; colour: string; words: string }> = {
  restart: { row: 0, colour: "--red", words: "worker ended" },
  birth: { row: 0, colour: "--accent", words: "worker born" },
  traceback: { row: 1, colour: "--red", words: "traceback" },
};

export function paintMarks(chart: uPlot, marks: Mark[]): void {
  const { ctx, bbox } = chart;
  const most = marks.reduce((highest, mark) => Math.max(highest, mark.count), 1);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left - 6, bbox.top, bbox.width + 12, bbox.height);
  ctx.clip();
  for (const mark of marks) {
    const look = LOOKS[mark.kind];
    const x = chart.valToPos(mark.t, "x", true);
    const middle = bbox.top + bbox.height * (look.row === 0 ? 0.27 : 0.74);
    ctx.fillStyle = ctx.strokeStyle = colour(look.colour);
    if (mark.kind === "traceback") bar(ctx, x, middle, 0.45 + 0.55 * (Math.log1p(mark.count) / Math.log1p(most)), bbox.height * 0.42);
    else triangle(ctx, x, middle, mark.kind === "restart");
  }
  ctx.restore();
}

function bar(ctx: CanvasRenderingContext2D, x: number, middle: number, share: number, height: number): void {
  const ratio = devicePixelRatio;
  ctx.fillRect(x - 1.5 * ratio, middle + height / 2 - height * share, 3 * ratio, height * share);
}

/** Down and filled: a worker ended; up and hollow: one was born. */
function triangle(ctx: CanvasRenderingContext2D, x: number, y: number, down: boolean): void {
  const size = 4.5 * devicePixelRatio;
  const way = down ? 1 : -1;
  ctx.beginPath();
  ctx.moveTo(x, y + way * size);
  ctx.lineTo(x - size, y - way * size * 0.8);
  ctx.lineTo(x + size, y - way * size * 0.8);
  ctx.closePath();
  ctx.lineWidth = 1.4 * devicePixelRatio;
  if (down) ctx.fill();
  else ctx.stroke();
}

/** Marks at most `reach` seconds from a time, in words. */
export function marksNear(marks: Mark[], second: number, reach: number): string {
  const near = marks.filter((mark) => Math.abs(mark.t - second) <= reach);
  return near.map((mark) => (mark.count > 1 ? `${String(mark.count)} × ` : "") + mark.words).join("; ");
}

/** How many of each kind lie in a window, in words. */
export function marksIn(marks: Mark[], from: number, to: number): string {
  const inside = marks.filter((mark) => mark.t >= from && mark.t < to);
  const said = (Object.keys(LOOKS) as Mark["kind"][]).flatMap((kind) => {
    const count = inside.filter((mark) => mark.kind === kind).reduce((sum, mark) => sum + mark.count, 0);
    return count > 0 ? [`${count.toLocaleString("en")} × ${LOOKS[kind].words}`] : [];
  });
  return said.join(", ") || "none";
}
