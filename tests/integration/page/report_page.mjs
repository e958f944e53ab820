// report.html, opened from disk: tables, single requests with what the servers logged, errors, themes.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { withBrowser } from './browser.mjs';
import { settled } from './reading.mjs';

const { folder } = JSON.parse(process.argv[2]);

await withBrowser(async (open) => {
  await sorting(await open(path.join(folder, 'whole.html')));
  const page = await open(path.join(folder, 'watched.html'));
  await page.waitForSelector('.fv-headline:has-text("whole run")');
  await histogram(page);
  await csv(page);
  await single(page);
  await errors(page);
  await servers(page);
  await themes(page);
});

async function sorting(page) {
  const table = page.locator('#requests table').first();
  const first = () => table.locator('tbody tr').first().locator('th').textContent();
  await table.getByRole('button', { name: 'p99.9' }).click();
  assert.equal(await first(), 'refresh');
  assert.equal(await table.locator('th[aria-sort]').getAttribute('aria-sort'), 'descending');
  await table.getByRole('button', { name: 'p99.9' }).click();
  assert.equal(await first(), 'POST /login');
  await table.getByRole('button', { name: 'Request', exact: true }).press('Enter');
  assert.equal(await first(), 'DELETE /api/appointments/{id}');
}

async function histogram(page) {
  const requests = page.locator('#requests');
  await requests.getByRole('button', { name: 'load data' }).click();
  const bars = await requests.locator('.histogram rect').evaluateAll((all) => all.map((bar) => [bar.querySelector('title').textContent, Number(bar.getAttribute('height'))]));
  // 15 of 20 requests are called so; 10 of 60 seconds are slow.
  const counts = bars.map(([title]) => Number(title.split(': ')[1])).filter((count) => count > 0);
  assert.deepEqual(counts, [750, 150]);
  assert.ok(Math.max(...bars.map(([, height]) => height)) > 100);
  await requests.getByRole('button', { name: 'print', exact: true }).click();
  assert.equal(await requests.locator('.histogram').getAttribute('aria-label'), 'Latencies of print', 'one at a time');
  await requests.getByRole('button', { name: 'print', exact: true }).click();
  assert.equal(await requests.locator('.histogram').count(), 0);
}

async function csv(page) {
  const offered = await page.locator('.csv').evaluateAll((all) => all.map((one) => one.ariaLabel));
  for (const name of ['requests', 'failed-requests', 'slow-requests', 'codes', 'trust', 'server-1', 'workers-1', 'ends-1', 'logs-1', 'views-1']) {
    assert.ok(offered.some((one) => one.endsWith(`-${name}.csv`)), `${name} of ${offered}`);
  }
  const requests = await saved(page, 'watched-requests.csv');
  assert.match(requests[0], /^Request,Count,Per second,5xx,No answer,"Latency, ms Mean",/);
  assert.match(requests[1], /^load data,900,/);
  const failed = await saved(page, 'failed-requests.csv');
  assert.equal(failed.length, 5, 'a heading and four requests, without what the servers logged');
  assert.match(failed[1], /^35\.015,print,500,200\.0,180\.0,20\.0,"stands beside this traceback/);
  const workers = await saved(page, 'workers-1.csv');
  assert.match(workers[0], /,"RSS, bytes","USS, bytes",/);
  assert.match((await saved(page, 'server-1.csv')).join('\n'), /RSS.*,bytes\n/);
  assert.deepEqual(workers.slice(1).map((line) => line.split(',').slice(0, 2).join()), ['701,25.0', '702,50.0', '711,25.0']);
}

async function saved(page, name) {
  const waits = page.waitForEvent('download');
  await page.locator(`.csv[aria-label$="${name}"]`).click();
  const download = await waits;
  assert.ok(download.suggestedFilename().endsWith(name));
  return (await readFile(await download.path(), 'utf8')).trimEnd().split('\r\n');
}

async function single(page) {
  const failed = page.locator('#single table').first();
  assert.equal(await failed.locator('tbody').count(), 4);
  const detail = failed.locator('.detail').first();
  assert.equal(await detail.isVisible(), false);
  await failed.getByRole('button', { name: 'print' }).first().click();
  const text = await detail.textContent();
  assert.match(text, /GET \/data HTTP\/1\.1" 500/, 'its access line');
  assert.match(text, /Traceback \(most recent call last\):\n {2}File .*\n.*BrokenPipeError: the printer is on fire/s, 'its traceback, line by line');
  assert.match(await failed.locator('.why').first().textContent(), /stands beside this traceback/);
  await failed.getByRole('button', { name: '0:35' }).first().click();
  await page.waitForSelector('.fv-headline:has-text("0:20–0:50")');
}

async function errors(page) {
  const part = page.locator('#errors');
  assert.match(await part.locator('.said').textContent(), /^4 requests got 500: all of them stand beside this traceback/);
  const group = part.locator('details.traceback').first();
  assert.match(await group.locator('summary').textContent(), /^4 ×\s+BrokenPipeError at shop\/printing\.py:65 send\s+0:35/);
  assert.deepEqual(await group.locator('.frames code').allTextContents(), ['wsgi_app', 'send']);
  assert.equal(await group.locator('.bars rect:not(.ground)').count(), 1);
  await group.locator('summary').click();
  assert.equal(await group.locator('.frames').isVisible(), false);
}

async function servers(page) {
  const part = page.locator('#servers');
  const ended = await part.locator('table[data-csv=ends-1] tbody tr').allTextContents();
  assert.equal(ended.length, 1);
  assert.match(ended[0], /0:40.*701.*killed/s);
  assert.match(await part.locator('table[data-csv=logs-1]').textContent(), /\/var\/log\/shop\/access\.log/);
  await part.locator('.at button').first().click();
  await page.waitForSelector('.fv-headline:has-text("0:25–0:55")');
}

async function themes(page) {
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const picture = () => page.locator('.lane canvas').nth(1).evaluate((canvas) => canvas.toDataURL());
  const [light, inLight] = [await paper(), await picture()];
  await page.getByRole('button', { name: 'dark' }).click();
  await settled(page);
  assert.notEqual(await paper(), light);
  assert.notEqual(await picture(), inLight, 'the lanes follow');
  await page.reload();
  assert.notEqual(await paper(), light, 'the choice is kept');
  await page.getByRole('button', { name: 'light' }).click();
  assert.equal(await paper(), light);
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.equal(await paper(), light);
  await page.getByRole('button', { name: 'system' }).click();
  assert.notEqual(await paper(), light, 'the system decides again');
}
