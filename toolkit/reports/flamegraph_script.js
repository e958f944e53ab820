// Makes one drawn flamegraph interactive. It runs inside a bare .svg and inside the report page, and knows nothing but
// the <svg> element it is given: no ids, no globals, so that any number of flamegraphs can share a page.
// `toolkit/reports/flamegraph_svg.py` draws what this file expects and puts it into each SVG, after flamegraph_frames.js and
// without `import` and `export`.
import { draw, flip, mark, neighbour, percent, readFrames } from "./flamegraph_frames.js";

/** @typedef {import("./flamegraph_frames.js").Frame} Frame */

const HTML = "http://www.w3.org/1999/xhtml";
const MARGIN = 10; // pixels left and right of the frames

/**
 * @param {SVGSVGElement} svg a flamegraph that flamegraph_svg.py drew
 */
export function activateFlamegraph(svg) {
  const stage = /** @type {SVGSVGElement | null} */ (svg.querySelector("svg.frames"));
  if (!stage || svg.classList.contains("active")) return;
  svg.classList.add("active");
  const frames = readFrames(stage);
  if (frames[0]) connect(svg, stage, frames, frames[0]);
}

/** @param {SVGSVGElement} svg @param {SVGSVGElement} stage @param {Frame[]} frames @param {Frame} root */
function connect(svg, stage, frames, root) {
  const bar = addBar(svg);
  let zoomed = root;
  let current = root;

  function stretch() {
    const width = svg.getBoundingClientRect().width;
    if (width < 50) return; // hidden for now; the observer calls again
    stage.setAttribute("width", String(width - 2 * MARGIN));
    bar.holder.setAttribute("width", String(width - 2 * MARGIN));
    draw(frames, zoomed, width - 2 * MARGIN);
  }

  /** @param {Frame} frame */
  function zoom(frame) {
    zoomed = frame;
    bar.reset.disabled = frame === root;
    stretch();
    focus(frame, false);
  }

  /** @param {Frame} frame @param {boolean} move whether the keyboard's focus goes along */
  function focus(frame, move) {
    current.g.setAttribute("tabindex", "-1");
    current = frame;
    current.g.setAttribute("tabindex", "0");
    if (move) current.g.focus();
  }

  function search() {
    bar.matched.textContent = mark(frames, bar.search.value.trim(), root.total);
  }

  function clear() {
    bar.search.value = "";
    search();
    zoom(root);
  }

  stage.addEventListener("click", (event) => {
    const frame = frameAt(frames, event);
    if (frame) zoom(frame);
  });
  for (const kind of ["mouseover", "focusin"]) {
    stage.addEventListener(kind, (event) => {
      const frame = frameAt(frames, event);
      if (frame) tell(bar, frame, zoomed, root);
    });
  }
  stage.addEventListener("keydown", (event) => {
    const frame = frameAt(frames, event);
    if (!frame || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") zoom(frame);
    else if (event.key === "Home") focus(zoomed, true);
    else if (event.key.startsWith("Arrow")) {
      const next = neighbour(frames, frame, event.key);
      if (next) focus(next, true);
    } else return;
    event.preventDefault();
  });
  svg.addEventListener("keydown", (event) => {
    if (event.key === "Escape") clear();
  });
  bar.search.addEventListener("input", search);
  bar.reset.addEventListener("click", () => zoom(root));
  bar.flip.addEventListener("click", () => flip(stage, frames));

  const page = svg.ownerDocument;
  const alone = svg.isSameNode(page.documentElement);
  page.addEventListener("keydown", (event) => {
    const meant = alone || svg.contains(page.activeElement) || svg.matches(":hover");
    if (meant && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "f") {
      event.preventDefault();
      bar.search.focus();
      bar.search.select();
    }
  });

  svg.removeAttribute("viewBox");
  svg.setAttribute("width", "100%");
  new ResizeObserver(stretch).observe(svg);
  stretch();
  focus(root, false);
  keepHeadInView(svg);
  // The root is at the bottom: a tall flamegraph would open on the tips of its flames.
  if (alone) page.defaultView?.scrollTo(0, svg.getBoundingClientRect().height);
}

/** @param {SVGSVGElement} svg */
function addBar(svg) {
  const page = svg.ownerDocument;
  /** @template {keyof HTMLElementTagNameMap} T @param {T} name @param {string} css @param {string} text */
  function make(name, css, text) {
    const element = /** @type {HTMLElementTagNameMap[T]} */ (page.createElementNS(HTML, name));
    element.className = css;
    element.textContent = text;
    return element;
  }
  const head = svg.querySelector("g.head");
  const hint = svg.querySelector("text.hint");
  const holder = page.createElementNS("http://www.w3.org/2000/svg", "foreignObject");
  holder.setAttribute("x", String(MARGIN));
  holder.setAttribute("y", String(Number(hint?.getAttribute("y") ?? 60) - 18));
  holder.setAttribute("width", "1180");
  holder.setAttribute("height", "66");
  hint?.remove();
  const row = make("div", "bar", "");
  const search = make("input", "", "");
  search.type = "search";
  search.placeholder = "Search functions and files";
  search.setAttribute("aria-label", "Search functions and files");
  search.setAttribute("spellcheck", "false");
  const reset = make("button", "reset", "Reset zoom");
  reset.type = "button";
  reset.disabled = true;
  const turn = make("button", "flip", "Turn over");
  turn.type = "button";
  turn.title = "Root at the top or at the bottom";
  const matched = make("span", "matched", "");
  matched.setAttribute("role", "status");
  row.append(search, reset, turn, matched);
  const details = make("div", "details", "");
  const what = make("div", "figures", "Hover or focus a frame for its figures; click it to zoom, Escape resets.");
  const where = make("div", "where", "");
  details.append(what, where);
  holder.append(row, details);
  (head ?? svg).append(holder);
  return { holder, search, reset, flip: turn, matched, what, where };
}

/** @param {Frame[]} frames @param {Event} event */
function frameAt(frames, event) {
  const target = event.target instanceof Element ? event.target.closest("g[data-f]") : null;
  return frames.find((frame) => frame.g === target);
}

/** @param {ReturnType<typeof addBar>} bar @param {Frame} frame @param {Frame} zoomed @param {Frame} root */
function tell(bar, frame, zoomed, root) {
  const opening = frame.label.indexOf(" (");
  const place = opening > 0 ? frame.label.slice(opening + 2, -1) : "";
  const ofZoomed = zoomed === root ? "" : ` · ${percent(frame.total, zoomed.total)} of what is zoomed`;
  bar.what.textContent = `${opening > 0 ? frame.label.slice(0, opening) : frame.label} — ${frame.figures}${ofZoomed}`;
  bar.where.textContent = place.replace(/:(\d+)$/, ", line $1");
}

/** The title, the search and the details stay in view while a tall flamegraph scrolls. @param {SVGSVGElement} svg */
function keepHeadInView(svg) {
  const head = svg.querySelector("g.head");
  const view = svg.ownerDocument.defaultView;
  if (!head || !view) return;
  function follow() {
    const box = svg.getBoundingClientRect();
    const room = Math.max(0, box.height - 220);
    head?.setAttribute("transform", `translate(0 ${String(Math.round(Math.min(Math.max(0, -box.top), room)))})`);
  }
  view.addEventListener("scroll", follow, { passive: true });
  follow();
}
