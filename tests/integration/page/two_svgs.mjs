// Two whole flamegraphs inlined in one foreign page, and one more in a frame: each minds its own business.
import assert from 'node:assert/strict';
import path from 'node:path';
import { frame, share, withBrowser } from './browser.mjs';

const { folder } = JSON.parse(process.argv[2]);

await withBrowser(async (open) => {
  const page = await open(path.join(folder, 'two.html'));
  const [one, two] = [page.locator('#one svg.flamegraph'), page.locator('#two svg.flamegraph')];
  const three = page.frameLocator('iframe').locator('svg.flamegraph');
  const label = 'list_appointments';
  const before = await share(frame(two, label));

  await frame(one, label).locator('rect').click();
  assert.equal(await share(frame(one, label)), 100);
  assert.equal(await share(frame(two, label)), before, 'the other stays');

  await two.getByRole('searchbox').fill('login');
  assert.match(await two.locator('.matched').textContent(), /^matched /);
  assert.equal(await one.locator('.matched').textContent(), '');
  assert.equal(await one.locator('.hit').count(), 0);
  assert.equal(await two.locator('.bar').count(), 1);

  const third = three.locator('g[data-f]', { hasText: label }).first();
  await third.locator('rect').click();
  assert.equal(await third.locator('rect').getAttribute('width'), '100.0000%');
  assert.equal(await share(frame(one, label)), 100);

  const globals = await page.evaluate(() => ['activateFlamegraph', 'svg', 'readFrames', 'zoom'].filter((name) => name in window));
  assert.deepEqual(globals, []);
});
