// How a reader of the time axis points and reads.

/** What of the axis is visible in watched.html: metrics begin 2 s before the load and end 2 s after it. */
const WHOLE = { from: -2, to: 62 };

async function pointAt(page, second, { from, to }) {
  const box = await page.locator('.overlay').boundingBox();
  return { x: box.x + (box.width * (second - from)) / (to - from), y: box.y + 60 };
}

export async function hoverOver(page, second, visible = WHOLE) {
  await page.evaluate(() => document.querySelector('#time').scrollIntoView());
  const { x, y } = await pointAt(page, second, visible);
  await page.mouse.move(x, y);
  await settled(page);
}

export async function dragOver(page, from, to, visible = WHOLE) {
  await hoverOver(page, from, visible);
  await page.mouse.down();
  const { x, y } = await pointAt(page, to, visible);
  await page.mouse.move(x, y, { steps: 5 });
  await page.mouse.up();
  await settled(page);
}

/** Until what the pointer did has been drawn. */
export function settled(page) {
  return page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** What the visible lanes read: lane → label → value. */
export function readings(page) {
  return page.locator('.lane[data-lane]:visible').evaluateAll((all) =>
    Object.fromEntries(
      all.map((lane) => {
        const words = lane.querySelector('.reading .words');
        const pairs = [...lane.querySelectorAll('.reading div')].map((pair) => [pair.querySelector('dt').textContent, pair.querySelector('dd').textContent]);
        return [lane.dataset.lane, words ? { words: words.textContent } : Object.fromEntries(pairs)];
      }),
    ),
  );
}

/** Functions of what the flamegraph shows, with their own time as it is written; the look is put back. */
export async function functions(page) {
  await page.locator('[data-choice="look table"]').click();
  const rows = await page.locator('.fv-table tbody tr').evaluateAll((all) => all.map((row) => [row.querySelector('th button').textContent, row.querySelector('.fv-figures > span:nth-child(2)')?.textContent ?? row.querySelector('td.fv-number').textContent]));
  await page.locator('[data-choice="look icicle"]').click();
  return Object.fromEntries(rows);
}
