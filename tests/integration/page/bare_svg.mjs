// One flamegraph, opened from disk as an .svg: pointer, keyboard, search, and without scripts.
import assert from 'node:assert/strict';
import path from 'node:path';
import { frame, share, withBrowser } from './browser.mjs';

const { folder, matched } = JSON.parse(process.argv[2]);
const file = path.join(folder, 'flamegraphs', 'web-1-wall.svg');

await withBrowser(async (open) => {
  const page = await open(file);
  const svg = page.locator('svg.flamegraph');
  const view = frame(svg, 'list_appointments');
  const before = await share(view);

  await figuresStandAboveTheFrames(svg, view);
  await view.locator('rect').click();
  assert.equal(await share(view), 100);
  await page.getByRole('button', { name: 'Reset zoom' }).click();
  assert.equal(await share(view), before);

  await page.keyboard.press('Control+f');
  await page.keyboard.type('scoring.py');
  assert.match(await svg.locator('.matched').textContent(), new RegExp(`^matched ${matched} % `));
  await page.keyboard.press('Escape');
  assert.equal(await svg.locator('.matched').textContent(), '');

  await keyboard(page, svg);
  await turnedOver(page, svg);
  await fits(page, svg);
});
await withBrowser(async (open) => still(await open(file)), { scripts: false });

async function figuresStandAboveTheFrames(svg, view) {
  await view.hover();
  const where = svg.locator('.details .where');
  assert.match(await where.textContent(), /views\.py, line/);
  const text = await where.boundingBox();
  const highest = Math.min(...(await svg.locator('g[data-f] rect').evaluateAll((rects) => rects.map((rect) => rect.getBoundingClientRect().y))));
  assert.ok(text.y + text.height <= highest, `the second line ends at ${text.y + text.height}, the tallest column begins at ${highest}`);
}

async function keyboard(page, svg) {
  await frame(svg, 'all').focus();
  const focused = () => page.evaluate(() => document.activeElement.querySelector('title').textContent.split(' ')[0]);
  for (let level = 0; level < 4; level += 1) await page.keyboard.press('ArrowUp');
  assert.equal(await focused(), 'spawn_worker');
  await page.keyboard.press('ArrowUp');
  assert.equal(await focused(), '_worker', 'up goes to the widest child');
  await page.keyboard.press('ArrowRight');
  assert.equal(await focused(), 'run');
  await page.keyboard.press('Enter');
  assert.equal(await share(frame(svg, 'run (/srv/shop/.venv/lib/python3.11/site-packages/gunicorn/workers')), 100);
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(), 'spawn_worker');
  await page.keyboard.press('Escape');
  assert.notEqual(await share(frame(svg, 'run (/srv/shop/.venv/lib/python3.11/site-packages/gunicorn/workers')), 100);
}

async function turnedOver(page, svg) {
  const top = async (label) => (await frame(svg, label).boundingBox()).y;
  assert.ok((await top('all')) > (await top('spawn_worker')), 'the root is at the bottom');
  const highest = await top('all');
  await page.getByRole('button', { name: 'Turn over' }).click();
  assert.ok((await top('all')) < (await top('spawn_worker')));
  await page.getByRole('button', { name: 'Turn over' }).click();
  assert.equal(await top('all'), highest);
}

async function fits(page, svg) {
  for (const width of [700, 1800]) {
    await page.setViewportSize({ width, height: 900 });
    await page.waitForFunction((wanted) => Math.abs(document.querySelector('svg.frames').getBoundingClientRect().width - wanted) < 25, width - 20);
    const over = await svg.locator('g[data-f]:not(.away) text').evaluateAll((texts) =>
      texts.filter((text) => text.getComputedTextLength() > text.parentNode.querySelector('rect').getBoundingClientRect().width + 1).map((text) => text.textContent));
    assert.deepEqual(over, [], `labels are wider than their frames at ${width}`);
  }
}

async function still(page) {
  const svg = page.locator('svg.flamegraph');
  assert.ok((await share(frame(svg, 'list_appointments'))) > 5);
  assert.ok((await frame(svg, 'list_appointments').locator('text').textContent()).startsWith('list_appointments (views.py'));
  assert.equal(await svg.getByRole('button').count(), 0, 'no control that does nothing');
}
