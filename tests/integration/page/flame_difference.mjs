// Two windows compared: colours, words, what vanished and appeared, and what cannot be compared.
import assert from 'node:assert/strict';
import { withBrowser } from './browser.mjs';
import { choose, colourOf, drawn, openFlames, show, told } from './flame_reader.mjs';

const { folder } = JSON.parse(process.argv[2]);
const WINDOWS = { from: 40, to: 140, baseFrom: -4, baseTo: 32 };

await withBrowser(async (open) => {
  const page = await openFlames(open, folder, 'whole');
  assert.equal(await page.locator('.fv-comparing').isVisible(), false);
  await show(page, WINDOWS);
  assert.equal(await told(page), undefined, 'only what the reader changes is told');
  assert.match(await page.locator('.fv-comparing .fv-headline').textContent(), /^0:40–2:20 \([\d.]+ m?s\/s\) against −0:04–0:32 \([\d.]+ m?s\/s\)$/);

  const more = await colourOf(page, 'hot');
  assert.ok(more[0] > more[2] + 80, `hot grew, and is red: ${more}`);
  assert.match((await drawn(page, 'hot')).words, /^▲ hot/, 'also said without colour');
  const same = await colourOf(page, 'wsgi_app');
  assert.ok(Math.max(...same) - Math.min(...same) < 12, `wsgi_app is within the noise, and grey: ${same}`);

  await tooltip(page);
  await lists(page);
  await choose(page, 'palette colour-blind');
  const orange = await colourOf(page, 'hot');
  assert.ok(orange[0] > 180 && orange[1] > 100 && orange[2] < orange[1], `${orange}`);
  await normals(page);
  await tableOfBoth(page);
  await tooFew(page);
  await show(page, { baseFrom: null, baseTo: null });
  assert.equal(await page.locator('.fv-comparing').isVisible(), false);
  assert.equal(await page.locator('.fv-lists').isVisible(), false);
});

async function tooltip(page) {
  const box = await drawn(page, 'hot');
  await page.mouse.move(box.left + box.width / 2, box.top + 8);
  const words = await page.locator('.fv-tooltip').textContent();
  assert.match(words, /now[\d.]+ ms\/sbefore[\d.]+ ms\/schange×[\d.]+ \(\+[\d.]+ ms\/s\)certaintybeyond the noise$/);
  await page.mouse.move(box.left + box.width / 2, (await drawn(page, 'wsgi_app')).top + 8);
  assert.match(await page.locator('.fv-tooltip').textContent(), /certaintywithin the noise$/);
}

async function lists(page) {
  const vanished = page.locator('[data-part="vanished"] li');
  assert.match(await vanished.first().textContent(), /ms\/sindex \(views\.py\)in wsgi_app \(app\.py\)$/, 'the outermost of what is gone');
  assert.equal(await vanished.filter({ hasText: 'render' }).count(), 0, 'not what hung below it');
  const appeared = page.locator('[data-part="appeared"] li').first();
  const name = await appeared.locator('button').textContent();
  await appeared.locator('button').click();
  assert.equal(await page.locator('.fv-crumbs strong').textContent(), name.replace(/ \(.*/, ''));
  await choose(page, 'back');
}

async function normals(page) {
  const headline = page.locator('.fv-comparing .fv-headline');
  await choose(page, 'normal share');
  assert.match(await headline.textContent(), /\(100\.00 %\) against .*\(100\.00 %\)$/);
  await choose(page, 'normal request');
  assert.match(await headline.textContent(), /ms\/request\)$/);
  assert.equal((await told(page)).normal, 'request');
  await show(page, { baseFrom: 100, baseTo: 120 });
  assert.match(await headline.textContent(), /^No request ended in the window compared with/);
  assert.ok(await drawn(page, 'hot'), 'the window itself is still shown');
  await show(page, WINDOWS);
  await choose(page, 'normal second');
}

async function tableOfBoth(page) {
  await choose(page, 'look table');
  await page.getByRole('button', { name: 'Change of total' }).click();
  const first = page.locator('.fv-table tbody tr').first();
  assert.match(await first.textContent(), /^(hot|load_data).*×[\d.]+ · [\d.]+ ms\/s$/);
  assert.ok((await page.locator('.fv-table tr.fv-within').count()) > 5);
  await choose(page, 'look icicle');
}

async function tooFew(page) {
  await show(page, { baseFrom: 0, baseTo: 12 });
  assert.match(await page.locator('.fv-comparing .fv-headline').textContent(), /Too few chunks to tell change from noise/);
  assert.equal(await page.getByText('within the noise, or too small').count(), 0);
  await show(page, WINDOWS);
}
