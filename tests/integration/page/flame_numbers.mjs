// Every frame of many states against the numbers that Python has for them (test_flame_in_chromium.py).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { withBrowser } from './browser.mjs';

const { folder } = JSON.parse(process.argv[2]);
const cases = JSON.parse(readFileSync(path.join(folder, 'cases.json'), 'utf8'));

await withBrowser(async (open) => {
  const page = await open(path.join(folder, 'whole.html'));
  await page.waitForFunction(() => window.demo?.view);
  let judged = 0;
  for (const { state, frames } of cases) {
    const shown = await page.evaluate((wanted) => {
      const { view, initial } = window.demo;
      view.show({ ...initial, ...wanted });
      return view.frames().map((one) => [one.part, one.path, one.total, one.own, one.baseTotal, one.baseOwn, one.verdict]);
    }, state);
    const words = JSON.stringify(state);
    assert.equal(shown.length, frames.length, words);
    assert.deepEqual(byPath(shown), byPath(frames), words);
    judged += frames.filter((frame) => frame.at(-1) > 0).length;
  }
  assert.ok(judged > 500, `only ${judged} frames were judged`);
});

function byPath(frames) {
  return new Map(frames.map(([part, labels, ...numbers]) => [JSON.stringify([part, labels]), numbers]).sort(([a], [b]) => (a < b ? -1 : 1)));
}
