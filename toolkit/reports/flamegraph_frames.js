// The frames of one drawn flamegraph: read from its <svg>, drawn anew when zoomed, searched, walked. No controls here.
// Put into each SVG before flamegraph_script.js (without `export`).

const SVG = "http://www.w3.org/2000/svg";
const COLUMN = 6.65; // pixels of one character of an 11-pixel fixed-width font

/**
 * @typedef {object} Frame
 * @property {SVGGElement} g
 * @property {SVGRectElement} rect
 * @property {SVGTextElement | null} text
 * @property {string} label `function (file:line)`
 * @property {string} figures self and total, as the tooltip says them
 * @property {string} short what fits into a frame: the function and the file's last part
 * @property {number} start
 * @property {number} total
 * @property {number} depth
 * @property {Frame | null} parent
 */

/** @param {SVGSVGElement} stage @returns {Frame[]} */
export function readFrames(stage) {
  /** @type {Frame[]} */
  const frames = [];
  /** @type {Frame[]} */
  const path = [];
  for (const g of stage.querySelectorAll("g")) {
    const rect = g.querySelector("rect");
    const numbers = (g.getAttribute("data-f") ?? "").split(",").map(Number);
    if (!rect || numbers.length !== 4) continue;
    const [start = 0, total = 0, , depth = 0] = numbers;
    const [label = "", figures = ""] = (g.querySelector("title")?.textContent ?? "").split("\n");
    const text = g.querySelector("text");
    const parent = path[depth - 1] ?? null;
    const frame = { g, rect, text, label, figures, short: shorten(label), start, total, depth, parent };
    path[depth] = frame;
    frames.push(frame);
    g.setAttribute("role", "treeitem");
    g.setAttribute("aria-level", String(depth + 1));
    g.setAttribute("aria-label", `${label}, ${figures}`);
    g.setAttribute("tabindex", "-1");
  }
  stage.setAttribute("role", "tree");
  stage.setAttribute("aria-label", "Frames: arrow keys move, Enter zooms, Escape resets");
  stage.ownerSVGElement?.setAttribute("role", "group");
  return frames;
}

/** @param {string} label */
function shorten(label) {
  const opening = label.indexOf(" (");
  if (opening < 1) return label;
  return label.slice(0, opening + 2) + (label.slice(opening + 2).split("/").pop() ?? "");
}

/** @param {Frame[]} frames @param {Frame} zoomed @param {number} width pixels */
export function draw(frames, zoomed, width) {
  const end = zoomed.start + zoomed.total;
  for (const frame of frames) {
    const above = frame.depth < zoomed.depth && frame.start <= zoomed.start && frame.start + frame.total >= end;
    const inside = frame.depth >= zoomed.depth && frame.start >= zoomed.start && frame.start + frame.total <= end;
    frame.g.classList.toggle("above", above);
    frame.g.classList.toggle("away", !above && !inside);
    if (!above && !inside) continue;
    const left = above ? 0 : ((frame.start - zoomed.start) / zoomed.total) * 100;
    const share = above ? 100 : (frame.total / zoomed.total) * 100;
    frame.rect.setAttribute("x", `${left.toFixed(4)}%`);
    frame.rect.setAttribute("width", `${share.toFixed(4)}%`);
    write(frame, left, (share / 100) * width);
  }
}

/** @param {Frame} frame @param {number} left percent @param {number} pixels */
function write(frame, left, pixels) {
  const words = fit(frame.short, Math.floor((pixels - 6) / COLUMN));
  if (!words && !frame.text) return;
  if (!frame.text) {
    frame.text = frame.g.ownerDocument.createElementNS(SVG, "text");
    frame.text.setAttribute("dx", "3");
    frame.text.setAttribute("y", String(Number(frame.rect.getAttribute("y")) + 11));
    frame.g.append(frame.text);
  }
  frame.text.setAttribute("x", `${left.toFixed(4)}%`);
  frame.text.textContent = words;
}

/** The same rule as `fit` in flamegraph_text.py: wide characters take two columns. @param {string} text @param {number} room */
function fit(text, room) {
  if (room < 3) return "";
  let columns = 0;
  let kept = "";
  const characters = [...text];
  for (const [index, character] of characters.entries()) {
    columns += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|[\u{1f300}-\u{3fffd}]/u.test(character) ? 2 : 1;
    if (columns > room || (columns === room && index < characters.length - 1)) return `${kept}…`;
    kept += character;
  }
  return text;
}

/** Marks what matches and says its share of everything. @param {Frame[]} frames @param {string} wanted @param {number} total */
export function mark(frames, wanted, total) {
  const needle = wanted.toLowerCase();
  let matched = 0;
  let frameCount = 0;
  let coveredTo = -1; // frames come parent first, so a match inside a match starts before this
  for (const frame of frames) {
    const hit = needle !== "" && frame.label.toLowerCase().includes(needle);
    frame.g.classList.toggle("hit", hit);
    if (!hit) continue;
    frameCount += 1;
    if (frame.start < coveredTo) continue;
    matched += frame.total;
    coveredTo = frame.start + frame.total;
  }
  if (needle === "") return "";
  if (frameCount === 0) return "nothing matches";
  return `matched ${percent(matched, total)} (${String(frameCount)} ${frameCount === 1 ? "frame" : "frames"})`;
}

/** @param {number} part @param {number} whole */
export function percent(part, whole) {
  return `${((part / whole) * 100).toFixed(2)} %`;
}

/** @param {Frame[]} frames @param {Frame} frame @param {string} key @returns {Frame | undefined} */
export function neighbour(frames, frame, key) {
  const shown = frames.filter((other) => !other.g.classList.contains("away"));
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const row = shown.filter((other) => other.depth === frame.depth);
    return row[row.indexOf(frame) + (key === "ArrowRight" ? 1 : -1)];
  }
  const rootBelow = Number(frames[0]?.rect.getAttribute("y")) > 0;
  if ((key === "ArrowUp") === rootBelow) {
    const children = shown.filter((other) => other.parent === frame);
    return children.reduce((widest, other) => (other.total > widest.total ? other : widest), children[0] ?? frame);
  }
  return frame.parent ?? undefined;
}

/** @param {SVGSVGElement} stage @param {Frame[]} frames */
export function flip(stage, frames) {
  const highest = Number(stage.getAttribute("height"));
  for (const { rect, text } of frames) {
    const y = highest - Number(rect.getAttribute("y")) - Number(rect.getAttribute("height")) - 1;
    rect.setAttribute("y", String(y));
    text?.setAttribute("y", String(y + 11));
  }
}
