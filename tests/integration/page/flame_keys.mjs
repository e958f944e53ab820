// A reader without a mouse, and what a screen reader is told.
import assert from 'node:assert/strict';
import { withBrowser } from './browser.mjs';
import { drawn, openFlames, state } from './flame_reader.mjs';

const { folder } = JSON.parse(process.argv[2]);

await withBrowser(async (open) => {
  const page = await openFlames(open, folder, 'whole');
  const said = () => page.locator('[data-part="said"]').textContent();
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  await walk(page, said, press);
  await zoomAndSearch(page, said, press);
  await sandwich(page, said, press);
  await controls(page);
});

async function walk(page, said, press) {
  await toTheStage(page);
  assert.match(await said(), /^web-1 · cpu · whole run, total [\d.]+ s · 100\.00 %, samples [\d,]+, 100\.00 % of the width$/);
  assert.equal(await page.locator('.fv-focus').isVisible(), true, 'the focus is seen');
  for (let level = 0; level < 7; level += 1) await press('ArrowDown');
  assert.match(await said(), /^load_data, \/srv\/shop\/shop\/views\.py:12, total /, 'down goes to the widest child');
  await press('ArrowRight');
  assert.match(await said(), /^view_0,/);
  await press('ArrowLeft', 'ArrowLeft');
  assert.match(await said(), /^index,/);
  await press('ArrowLeft');
  assert.match(await said(), /^index,/, 'there is nothing further left');
  await press('ArrowRight', 'ArrowDown');
  assert.match(await said(), /^hot, .*self [\d.]+ s/);
}

async function zoomAndSearch(page, said, press) {
  const { width } = await drawn(page, 'web-1');
  await press('Enter');
  assert.equal((await drawn(page, 'hot')).width, width);
  assert.match(await said(), /^hot, .* 100\.00 % of the width$/, 'the focus stays on what was zoomed');
  await press('ArrowUp');
  assert.match(await said(), /^load_data,/);
  await press('Escape');
  assert.ok((await drawn(page, 'hot')).width < width);

  await press('/');
  await page.keyboard.type('step_2');
  assert.match(await page.locator('.fv-matched').textContent(), /^matched /);
  await press('Enter', 'Home', 'ArrowDown');
  assert.match(await said(), /^<module>,/, 'Enter leads back to the frames');
  await press('/', 'Escape');
  assert.equal((await state(page)).search, '');
}

async function sandwich(page, said, press) {
  for (let level = 0; level < 6; level += 1) await press('ArrowDown');
  await press('s');
  assert.deepEqual([(await state(page)).look, (await state(page)).focus], ['sandwich', 'load_data (/srv/shop/shop/views.py)']);
  await press('ArrowUp');
  assert.match(await said(), /^wsgi_app,/, 'callers are above');
  await press('ArrowDown', 'ArrowDown');
  assert.match(await said(), /^hot,/, 'callees are below');
  await press('Escape');
  assert.equal((await state(page)).look, 'icicle');

  await page.evaluate(() => window.demo.view.show({ look: 'flame' }));
  await press('Home', 'ArrowUp');
  assert.match(await said(), /^<module>,/, 'in a flame, up leads to the leaf');
}

/** Tab, until the frames have the focus. */
async function toTheStage(page) {
  for (let tabs = 0; tabs < 60; tabs += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement.getAttribute('role') === 'application')) return;
  }
  throw new Error('the frames cannot be reached with Tab');
}

/** Every control has a name, and can be pressed with a key. */
async function controls(page) {
  const nameless = await page.locator('.fv button, .fv select, .fv input').evaluateAll((all) =>
    all.filter((one) => !(one.textContent || one.ariaLabel || one.labels?.length)).map((one) => one.outerHTML));
  assert.deepEqual(nameless, []);
  await page.locator('[data-choice="view wall"]').focus();
  await page.keyboard.press('Enter');
  assert.equal((await state(page)).view, 'wall');
  assert.equal(await page.evaluate(() => document.activeElement.dataset.choice), 'view wall', 'the focus stays');
}
