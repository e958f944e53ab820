// The time axis of a run whose every number is known (watched_run.py): crosshair, windows, difference, lanes, zoom.
import assert from 'node:assert/strict';
import path from 'node:path';
import { withBrowser } from './browser.mjs';
import { dragOver, functions, hoverOver, readings } from './reading.mjs';

const { folder } = JSON.parse(process.argv[2]);

await withBrowser(async (open) => {
  const page = await open(path.join(folder, 'watched.html'));
  await page.waitForSelector('.fv-headline:has-text("whole run")');
  await lanes(page);
  await crosshair(page);
  await windows(page);
  await difference(page);
  await presets(page);
  await hiding(page);
  await zoom(page);
});

async function lanes(page) {
  const titles = await page.locator('.lane:visible h4').evaluateAll((all) => all.map((one) => one.firstChild.textContent));
  assert.deepEqual(titles.slice(0, 4), ['Arrivals', 'Requests', 'Latency', 'Failed']);
  for (const title of ['CPU by worker', 'Busy workers', 'Accept queue', 'RSS by worker', 'Connections', 'Events']) assert.ok(titles.includes(title), `${title} of ${titles}`);
  assert.ok(!titles.includes('Host CPU'), 'a lane that few ask for waits in the menu');
  const empty = await page.locator('.lane:visible:has(.plot) canvas').evaluateAll((all) =>
    all.filter((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let hued = 0; // pixels with a hue, which axes and grid have not
      for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 30 && Math.max(data[at], data[at + 1], data[at + 2]) - Math.min(data[at], data[at + 1], data[at + 2]) > 40) hued += 1;
      return hued < 20;
    }).map((canvas) => canvas.closest('.lane').dataset.lane));
  assert.deepEqual(empty, [], 'lanes with nothing drawn');
}

async function crosshair(page) {
  await hoverOver(page, 33.5);
  assert.equal(await page.locator('.where-now').textContent(), '0:33 · 14:30:33 UTC');
  const read = await readings(page);
  assert.deepEqual(read.arrivals, { achieved: '20', offered: '20' });
  assert.deepEqual(read.requests, { '2xx': '20', '5xx': '0', started: '20' });
  assert.deepEqual(read.latency, { p50: '200', p95: '200', p99: '200' });
  assert.deepEqual(read['s0-queue'], { waiting: '3', limit: '8' });
  assert.deepEqual(read['s0-cpu'], { all: '0.75', 702: '0.5', 701: '0.25', 711: '–' });
  assert.deepEqual(read['s0-rss'], { all: '90', 702: '50', 701: '40', 711: '–' });
  await hoverOver(page, 35.5);
  const bad = await readings(page);
  assert.equal(bad.requests['5xx'], '4');
  assert.equal(bad.errors['5xx'], '4');
  assert.match(bad['s0-events'].words, /^4 × BrokenPipeError at shop\/printing\.py:65 send$/);
  await hoverOver(page, 40.1);
  const ended = (await readings(page))['s0-events'].words;
  assert.match(ended, /worker 701 ended: killed/);
  assert.match(ended, /worker 711 was born/);
  await page.mouse.move(5, 5);
  assert.match(await page.locator('.where-now').textContent(), /^over the whole run$/);
}

async function windows(page) {
  await dragOver(page, 30, 40);
  await page.waitForSelector('.fv-headline:has-text("0:30–0:40")');
  assert.deepEqual(await page.locator('.fields:visible .time').evaluateAll((all) => all.map((one) => one.value)), ['0:30', '0:40']);
  await page.mouse.move(5, 5);
  const read = await readings(page);
  assert.equal(read.requests['2xx'], '19.6', 'the mean over the window');
  assert.equal(read['s0-queue'].waiting, '≤\u20093', 'the largest of the window');
  assert.match(read.latency.p50, /^≈\s2[01]\d$/, 'of a window, from the bins: 200 ms to the width of a bin');
  assert.match(read['s0-events'].words, /^4 × traceback$/);
  const slow = await functions(page);
  // 2 chunks of 5 s: 20 counts each at 20 Hz.
  assert.match(slow.slow, /^2 s/);
  // Also over a selection: it must not be the selected text that is dragged.
  await page.keyboard.press('Control+a');
  await dragOver(page, 10, 20);
  await page.waitForSelector('.fv-headline:has-text("0:10–0:20")');
  await dragOver(page, 5, 25);
  await page.waitForSelector('.fv-headline:has-text("0:05–0:25")');
  assert.equal((await functions(page)).slow, undefined, 'nothing was slow then');
}

async function difference(page) {
  await page.keyboard.down('Shift');
  await dragOver(page, 30, 40);
  await page.keyboard.up('Shift');
  await page.waitForSelector('.fv-comparing:visible');
  assert.match(await page.locator('.fv-comparing .fv-headline').textContent(), /^0:05–0:25 .*against 0:30–0:40/);
  assert.match(await page.locator('[data-part=vanished]').textContent(), /slow/);
  await page.getByRole('button', { name: 'Per request' }).click();
  // hot: 40 counts at 20 Hz in 5 s with 100 requests.
  assert.match(await page.locator('.fv-comparing .fv-headline').textContent(), /^0:05–0:25 \(20 ms\/request\) against 0:30–0:40 \(30 ms\/request\)/);
  await page.getByRole('button', { name: 'Stop comparing' }).click();
  assert.equal(await page.locator('.fv-comparing').isVisible(), false);
  // The same by buttons alone.
  await page.getByRole('button', { name: 'Compare with …' }).click();
  await page.getByLabel('Choose a phase').selectOption({ index: 1 });
  assert.deepEqual(await page.locator('.fields:visible .time').evaluateAll((all) => all.map((one) => one.value)), ['0:05', '0:25', '0:00', '0:20']);
  await page.getByRole('button', { name: 'Stop comparing' }).click();
}

async function presets(page) {
  await page.getByRole('button', { name: /^Worst 30 s/ }).click();
  await page.waitForSelector('.fv-headline:has-text("0:10–0:40")');
  await page.getByRole('button', { name: 'peak' }).click();
  await page.waitForSelector('.fv-headline:has-text("0:20–1:00")');
  await page.getByRole('button', { name: 'Whole run' }).click();
  await page.waitForSelector('.fv-headline:has-text("whole run")');
  const from = page.getByLabel('Window from');
  await from.fill('35');
  await page.getByLabel('Window to').fill('0:40');
  await page.getByLabel('Window to').press('Enter');
  await from.fill('0:30');
  await from.press('Tab');
  await page.waitForSelector('.fv-headline:has-text("0:30–0:40")');
}

async function hiding(page) {
  const lane = (id) => page.locator(`.lane[data-lane="${id}"]`);
  await page.getByText('Lanes', { exact: true }).click();
  await page.getByRole('checkbox', { name: 'Host CPU' }).check();
  await page.getByRole('checkbox', { name: 'Latency' }).uncheck();
  await page.keyboard.press('Escape');
  assert.equal(await lane('s0-host').isVisible(), true);
  assert.equal(await lane('latency').isVisible(), false);
  await hoverOver(page, 33.5);
  assert.equal((await readings(page))['s0-host'].user, '0.9');
  await lane('s0-host').locator('h4').hover();
  await page.getByRole('button', { name: 'Hide Host CPU' }).click();
  assert.equal(await lane('s0-host').isVisible(), false);
}

async function zoom(page) {
  await page.getByRole('button', { name: 'Zoom to it' }).click();
  const times = await page.locator('.times span').allTextContents();
  assert.equal(times[0], '0:30');
  await hoverOver(page, 35, { from: 30, to: 40 });
  assert.match(await page.locator('.where-now').textContent(), /^0:35 /);
  await page.getByRole('button', { name: 'Whole axis' }).click();
  await hoverOver(page, 12.5);
  assert.match(await page.locator('.where-now').textContent(), /^0:12 /);
}
