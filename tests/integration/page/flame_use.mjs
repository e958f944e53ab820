// A reader with a mouse: views, zoom, search, sandwich, table, themes.
import assert from 'node:assert/strict';
import { withBrowser } from './browser.mjs';
import { choose, click, drawn, openFlames, state, told } from './flame_reader.mjs';

const { folder, matched, matched_by_regex: matchedByRegex, functions, dumps_total: dumpsTotal } = JSON.parse(process.argv[2]);

await withBrowser(async (open) => {
  const page = await openFlames(open, folder, 'whole', { deviceScaleFactor: 2 });
  await drawnSharply(page);
  await views(page);
  await zoom(page);
  await search(page);
  await sandwich(page);
  await table(page);
  await themes(page);
});

async function drawnSharply(page) {
  assert.equal(await page.locator('[data-choice="back"]').isDisabled(), true);
  const canvas = await page.locator('canvas').evaluate((one) => ({ width: one.width, wide: one.getBoundingClientRect().width }));
  assert.equal(canvas.width, canvas.wide * 2, 'a canvas pixel is a pixel of the screen');
  const painted = await page.locator('canvas').evaluate((one) => {
    const { data } = one.getContext('2d').getImageData(0, 0, one.width, one.height);
    let orange = 0;
    for (let at = 0; at < data.length; at += 4) if (data[at] > 200 && data[at + 1] > 120 && data[at + 2] < 120) orange += 1;
    return orange;
  });
  assert.ok(painted > 10_000, `${painted} pixels of the application`);
  assert.equal((await drawn(page, 'web-1 · cpu · whole run')).width, canvas.wide);
}

async function views(page) {
  const headline = page.locator('.fv-under .fv-headline');
  for (const [choice, words] of [['view wall', 'web-1 · wall'], ['view off', 'web-1 · off-CPU'], ['view gil', 'web-1 · gil'], ['view cpu', 'web-1 · cpu']]) {
    await choose(page, choice);
    assert.ok((await headline.textContent()).startsWith(`${words} · whole run: `), words);
    assert.equal(await page.locator(`[data-choice="${choice}"]`).getAttribute('aria-pressed'), 'true');
  }
  await page.getByLabel('Server').selectOption('web-2');
  assert.equal((await told(page)).server, 'web-2');
  assert.equal(await page.locator('[data-choice="view gil"]').isDisabled(), true, 'a view that must not be shown');
  assert.equal(await page.locator('[data-choice="view gil"]').getAttribute('title'), 'free-threaded Python has no GIL to hold.');
  await page.getByLabel('Server').selectOption('web-1');
  await page.getByLabel('Process').selectOption('4711 · worker');
  assert.match(await headline.textContent(), /^web-1 · cpu, process 4711 · whole run/);
  await page.getByLabel('Process').selectOption('all');
  await choose(page, 'scope package');
  assert.ok(await drawn(page, 'shop'));
  assert.equal(await page.locator('[data-choice="lines"]').isDisabled(), true);
  await choose(page, 'scope application');
  assert.equal(await drawn(page, 'wsgi_app'), undefined);
  await choose(page, 'scope all');
  await choose(page, 'lines');
  assert.ok(await drawn(page, 'hot (views.py:12)'));
  await choose(page, 'lines');
  await rootMoves(page);
}

async function rootMoves(page) {
  const above = async () => (await drawn(page, 'web-1')).top < (await drawn(page, 'wsgi_app')).top;
  assert.equal(await above(), true, 'an icicle hangs');
  await choose(page, 'look flame');
  assert.equal(await above(), false, 'a flame stands');
  await choose(page, 'look icicle');
  await choose(page, 'inverted');
  const first = await drawn(page, 'hot (views.py)');
  assert.equal(Math.round(first.top - (await drawn(page, 'web-1')).top), 18, 'the leaf is first');
  await choose(page, 'inverted');
}

async function zoom(page) {
  const { width } = await drawn(page, 'web-1');
  const before = await drawn(page, 'hot');
  await page.mouse.move(before.left + 20, before.top + 8);
  const tooltip = page.locator('.fv-tooltip');
  assert.match(await tooltip.textContent(), /^hot\/srv\/shop\/shop\/views\.py:12total[\d.]+ s · [\d.]+ %self[\d.]+ s · [\d.]+ %samples[\d,]+ownerapplication$/);
  await click(page, 'hot');
  assert.equal((await drawn(page, 'hot')).width, width);
  assert.ok((await told(page)).zoom);
  assert.match(await page.locator('.fv-crumbs').textContent(), /^all… 3 more_workerhandlewsgi_appload_datahot[\d.]+ s · [\d.]+ %$/);
  await choose(page, 'view wall');
  assert.equal((await drawn(page, 'hot')).width, width, 'another view of the same');
  await choose(page, 'view cpu');
  await page.locator('.fv-crumbs').getByRole('button', { name: 'wsgi_app' }).click();
  assert.ok((await drawn(page, 'hot')).width < width);
  assert.equal((await drawn(page, 'wsgi_app')).width, width);
  // The same link, opened anew.
  const { zoom: address } = await state(page);
  await page.evaluate((one) => { window.demo.view.show({ zoom: '' }); window.demo.view.show({ zoom: one }); }, address);
  assert.match(await page.locator('.fv-crumbs strong').textContent(), /^wsgi_app/);
  await choose(page, 'back');
  assert.equal((await drawn(page, 'hot')).width, width);
  await choose(page, 'back');
  assert.equal((await drawn(page, 'hot')).width, before.width);
  assert.equal((await told(page)).zoom, '');
}

async function search(page) {
  const field = page.getByRole('searchbox');
  const words = page.locator('.fv-matched');
  await field.fill('STEP_1');
  assert.match(await words.textContent(), new RegExp(`^matched ${matched} % \\(\\d+ functions\\)$`));
  await choose(page, 'regex');
  await field.fill('^step_1[12] |index');
  assert.match(await words.textContent(), new RegExp(`^matched ${matchedByRegex} % \\(3 functions\\)$`));
  assert.equal((await told(page)).search, 're:^step_1[12] |index');
  await field.fill('step_(');
  assert.equal(await words.textContent(), 'not a regular expression');
  await choose(page, 'regex');
  await field.fill('nowhere at all');
  assert.equal(await words.textContent(), 'nothing matches');
  await field.press('Escape');
  assert.equal(await field.inputValue(), '');
  assert.equal(await words.textContent(), '');
}

async function sandwich(page) {
  await click(page, 'dumps', { shift: true });
  assert.equal((await told(page)).focus, 'dumps (json/__init__.py)');
  const seconds = Number(/total ([\d.]+) s/.exec(await page.locator('.fv-crumbs').textContent())[1]);
  assert.ok(Math.abs(seconds - dumpsTotal) < 0.06, `${seconds} s, not ${dumpsTotal}`);
  const all = await page.evaluate(() => window.demo.view.drawn());
  const middle = all.filter((one) => one.words.startsWith('dumps')).sort((a, b) => b.width - a.width)[0];
  assert.ok(all.some((one) => one.top < middle.top && one.words.startsWith('wsgi_app')), 'callers above');
  assert.ok(all.some((one) => one.top > middle.top && one.words.startsWith('step_')), 'callees below');
  await click(page, 'view_');
  assert.match((await told(page)).focus, /^view_\d+ \(\/srv\/shop\/shop\/views\.py\)$/);
  await choose(page, 'back');
  assert.equal((await told(page)).focus, 'dumps (json/__init__.py)');
  await choose(page, 'back');
  assert.equal((await told(page)).look, 'icicle');
}

async function table(page) {
  await choose(page, 'look table');
  const rows = page.locator('.fv-table tbody tr');
  assert.equal(await rows.count(), 100);
  assert.match(await page.locator('.fv-more').textContent(), new RegExp(`^The first 100 of ${functions} functions`));
  assert.match(await rows.first().textContent(), /^hot/);
  assert.equal(await page.locator('.fv-table [aria-sort]').getAttribute('aria-sort'), 'descending');
  await page.getByRole('button', { name: 'Total', exact: true }).click();
  assert.match(await rows.first().textContent(), /^<module>/);
  await page.getByRole('button', { name: 'Function', exact: true }).click();
  assert.match(await rows.first().textContent(), /^<module>/);
  await page.getByRole('button', { name: /^Show \d+ more$/ }).click();
  assert.equal(await rows.count(), functions);
  await page.getByRole('searchbox').fill('step_1');
  assert.equal(await rows.count(), 11);
  await rows.getByRole('button', { name: 'step_17' }).click();
  const now = await told(page);
  assert.deepEqual([now.look, now.focus], ['sandwich', 'step_17 (/srv/shop/shop/views.py)']);
  await page.getByRole('searchbox').fill('');
  await choose(page, 'look icicle');
}

async function themes(page) {
  const picture = () => page.locator('canvas').evaluate((canvas) => canvas.toDataURL());
  const light = await picture();
  await page.evaluate(() => { document.documentElement.dataset.theme = 'dark'; });
  await page.waitForFunction((before) => document.querySelector('canvas').toDataURL() !== before, light);
  await page.evaluate(() => { document.documentElement.dataset.theme = 'light'; });
  await page.waitForFunction((before) => document.querySelector('canvas').toDataURL() === before, light);
  for (const width of [420, 1280, 1920]) {
    await page.setViewportSize({ width, height: 900 });
    await page.waitForFunction(() => {
      const { width: wide } = document.querySelector('.fv-stage').getBoundingClientRect();
      return Math.abs(document.querySelector('canvas').getBoundingClientRect().width - wide) < 20;
    });
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `too wide for ${width}`);
  }
}
