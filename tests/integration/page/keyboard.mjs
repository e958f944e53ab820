// Everything by keyboard alone: the crosshair, both windows, lanes, the table, requests, the theme.
import assert from 'node:assert/strict';
import path from 'node:path';
import { withBrowser } from './browser.mjs';
import { readings, settled } from './reading.mjs';

const { folder } = JSON.parse(process.argv[2]);

await withBrowser(async (open) => {
  const page = await open(path.join(folder, 'watched.html'));
  await page.waitForSelector('.fv-headline:has-text("whole run")');
  await reach(page);
  await axis(page);
  await rows(page);
});

function focused(page) {
  return page.evaluate(() => ({ name: document.activeElement.ariaLabel ?? document.activeElement.textContent, part: document.activeElement.closest('section, header')?.id ?? '' }));
}

async function press(page, key, times = 1) {
  for (let time = 0; time < times; time += 1) await page.keyboard.press(key);
  await settled(page);
}

async function tabTo(page, wanted) {
  const passed = [];
  for (let time = 0; time < 90; time += 1) {
    await page.keyboard.press('Tab');
    const { name } = await focused(page);
    passed.push(name.slice(0, 30));
    if (wanted.test(name)) return;
  }
  assert.fail(`${wanted} is not reached by Tab: ${passed.join(' | ')}`);
}

async function reach(page) {
  await page.keyboard.press('Tab');
  assert.equal((await focused(page)).name, 'Skip to the summary');
  await tabTo(page, /^dark$/);
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.keyboard.press('Enter');
  assert.notEqual(await paper(), light);
  await tabTo(page, /^Worst 30 s/);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.fv-headline:has-text("0:10–0:40")');
}

async function axis(page) {
  await tabTo(page, /^Time axis\./);
  await press(page, 'Home');
  await press(page, 'ArrowRight', 35);
  // The axis begins 2 s before the load, and a step is one second.
  assert.match(await page.locator('.where-now').textContent(), /^0:33 /);
  assert.equal((await readings(page))['s0-queue'].waiting, '3');
  const spoken = await page.locator('.axis [role=status]').textContent();
  assert.match(spoken, /^0:33 · 14:30:33 UTC\. Arrivals: .*Accept queue: waiting 3, limit 8/);
  await press(page, 'ArrowLeft', 3);
  await press(page, 'Shift+ArrowRight', 10);
  await page.waitForSelector('.fv-headline:has-text("0:30–0:40")');
  // With Alt it is the other window from here on, not the first one that grows.
  await press(page, 'Shift+Alt+ArrowRight', 5);
  assert.match(await page.locator('.fv-comparing .fv-headline').textContent(), /0:30–0:40.*against 0:40–0:45/);
  await press(page, 'Alt+Escape');
  await press(page, 'Home');
  await press(page, 'ArrowRight', 7);
  await press(page, 'Shift+Alt+ArrowRight', 20);
  await page.waitForSelector('.fv-comparing .fv-headline:has-text("0:30–0:40")');
  assert.match(await page.locator('.fv-comparing .fv-headline').textContent(), /against 0:05–0:25/);
  await press(page, 'Alt+Escape');
  assert.equal(await page.locator('.fv-comparing').isVisible(), false);
  await press(page, 'Escape');
  await page.waitForSelector('.fv-headline:has-text("whole run")');
}

async function rows(page) {
  await tabTo(page, /^p99\.9$/);
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('#requests th[aria-sort]').textContent(), 'p99.9');
  await tabTo(page, /^load data$/);
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('#requests .histogram rect').count() > 3, true);
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('#requests .histogram').count(), 0);
  await tabTo(page, /^0:35$/);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.fv-headline:has-text("0:20–0:50")');
  assert.equal((await focused(page)).part, 'time', 'and the reader is at the lanes');
}
