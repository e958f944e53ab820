// Opens report.html in Chromium as a reader does, drags windows over its lanes, and prints as JSON how many milliseconds it took
// until each was drawn: from the navigation, or from letting go of the mouse, until the next frame with it has been painted.
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const { file, seconds, rounds } = JSON.parse(process.argv[2]);
const ZOOM_S = 1800; // what is visible where windows are dragged that were narrower than a pixel on the whole axis
const VIEWS = ['cpu', 'wall', 'off'];

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, chromiumSandbox: false, args: ['--disable-gpu', '--no-first-run'] });
try {
  const opened = [];
  let page;
  for (let round = 0; round < rounds; round += 1) {
    await page?.close();
    page = await browser.newPage({ viewport: { width: 1920, height: 1000 } });
    page.setDefaultTimeout(60_000);
    page.on('pageerror', (error) => { throw error; });
    await page.addInitScript(watch);
    await page.goto(pathToFileURL(file).href);
    await page.waitForFunction(() => globalThis.openedAt);
    opened.push(await page.evaluate(() => globalThis.openedAt));
  }
  const [windows, differences] = [{}, {}];
  for (const view of VIEWS) {
    for (const [name, length] of [['30 s', 30], ['10 min', 600], ['2 h', seconds / 2], ['3 h 45', seconds - 900]]) windows[`${name}, ${view}`] = await drags(page, view, length, 0, null);
    for (const [name, length] of [['10 min', 600], ['1 h 45', seconds / 2 - 900]]) differences[`${name}, ${view}`] = await drags(page, view, length, seconds / 2, length);
  }
  process.stdout.write(JSON.stringify({ opened, windows, differences }));
} finally {
  await browser.close();
}

/** Drags `rounds` windows of this length, one after the other from `first` on; `base`: to compare with the window of that length. */
async function drags(page, view, length, first, base) {
  const zoomed = length < 60;
  const visible = zoomed ? ZOOM_S : seconds;
  await page.evaluate((hash) => { location.hash = hash; }, `f.view=${view}&w=0..${String(base ?? 60)}${zoomed ? `&z=0..${String(visible)}` : ''}`);
  await painted(page);
  await page.locator('.overlay').evaluate((overlay) => { overlay.scrollIntoView({ block: 'start', behavior: 'instant' }); });
  const found = [];
  const step = Math.min(length, (visible - first - length) / (rounds + 1));
  for (let round = 0; round < rounds; round += 1) found.push(await drag(page, first + step * (round + 0.5), length, visible, base !== null));
  return found;
}

/** How long it took to draw the window, and how much of that the page's script was at work. */
async function drag(page, from, length, visible, isBase) {
  const said = () => page.locator('.fv').evaluate((view) => view.querySelector('.fv-under .fv-headline').textContent + view.querySelector('.fv-comparing').textContent);
  const before = await said();
  const box = await page.locator('.overlay').boundingBox();
  const point = (second) => [box.x + (box.width * second) / visible, Math.max(box.y, 0) + 300];
  await page.evaluate(() => { globalThis.letGo = null; });
  if (isBase) await page.keyboard.down('Shift');
  await page.mouse.move(...point(from));
  await page.mouse.down();
  await page.mouse.move(...point(from + length), { steps: 3 });
  await painted(page);
  await page.mouse.up();
  await page.waitForFunction(() => globalThis.letGo);
  if (isBase) await page.keyboard.up('Shift');
  if ((await said()) === before) throw new Error(`Nothing changed: ${before}`);
  return page.evaluate(() => globalThis.letGo);
}

function painted(page) {
  return page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
}

/** Runs in the page before anything else of it. */
function watch() {
  const nextPaint = (then) => {
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = then;
      port2.postMessage(null);
    });
  };
  const flame = () => document.querySelector('.fv-stage canvas');
  const rastered = () => flame().getContext('2d').getImageData(0, 0, 1, 1);
  const look = () => {
    const lanes = [...document.querySelectorAll('.lane[data-lane]')].filter((lane) => !lane.hidden);
    const isDrawn = lanes.length > 0 && lanes.every((lane) => lane.querySelector('canvas')) && document.querySelector('.fv-under .fv-headline')?.textContent;
    if (!isDrawn) requestAnimationFrame(look);
    else {
      rastered();
      nextPaint(() => { globalThis.openedAt = performance.now(); });
    }
  };
  requestAnimationFrame(look);
  addEventListener('pointerup', (event) => {
    // Above the axis, so that what it did is done.
    const start = event.timeStamp;
    queueMicrotask(() => {
      queueMicrotask(() => {
        rastered();
        const script = performance.now() - start;
        nextPaint(() => { globalThis.letGo = { drawn: performance.now() - start, script }; });
      });
    });
  });
}
