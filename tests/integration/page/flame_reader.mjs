// What the readers of the flamegraph view share.
import path from 'node:path';

/** Opens a demo page and waits for its view. */
export async function openFlames(open, folder, name, options = {}) {
  const page = await open(path.join(folder, `${name}.html`), options);
  await page.waitForFunction(() => window.demo);
  return page;
}

export const state = (page) => page.evaluate(() => window.demo.view.state);
export const told = (page) => page.evaluate(() => window.demo.told.at(-1));
export const show = (page, wanted) => page.evaluate((one) => window.demo.view.show(one), wanted);
export const choose = (page, choice) => page.locator(`[data-choice="${choice}"]`).click();

/** The widest drawn frame whose words begin so, in the browser's window; undefined where there is none. */
export async function drawn(page, words) {
  const all = await page.evaluate(() => window.demo.view.drawn());
  return all.filter((one) => one.words.replace(/^[▲▼] /, '').startsWith(words)).sort((a, b) => b.width - a.width)[0];
}

/** Clicks into the middle of that frame. */
export async function click(page, words, options = {}) {
  const box = await drawn(page, words);
  if (!box) throw new Error(`no frame is called ${words}`);
  if (options.shift) await page.keyboard.down('Shift');
  await page.mouse.click(box.left + box.width / 2, box.top + 8);
  if (options.shift) await page.keyboard.up('Shift');
}

/** The colour in the middle of that frame, above its words: [red, green, blue]. */
export async function colourOf(page, words) {
  const box = await drawn(page, words);
  return pixel(page, box.left + box.width - 2, box.top + 2);
}

/** The colour of the canvas at a place in the browser's window. */
export function pixel(page, x, y) {
  return page.locator('canvas').evaluate((canvas, at) => {
    const place = canvas.getBoundingClientRect();
    const ratio = canvas.width / place.width;
    // A copy: a canvas that is read often is drawn in another way from then on.
    const copy = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, -(at.x - place.left) * ratio, -(at.y - place.top) * ratio);
    return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
  }, { x, y });
}
