// Hostile names, a stack of 3000 calls, a profile without samples, and one that is cut.
import assert from 'node:assert/strict';
import { withBrowser } from './browser.mjs';
import { choose, click, drawn, openFlames, pixel, show } from './flame_reader.mjs';

const { folder } = JSON.parse(process.argv[2]);
const HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">]]>\\u202e{{7*7}}";

await withBrowser(async (open) => {
  await inert(await openFlames(open, folder, 'hostile'));
  await deep(await openFlames(open, folder, 'deep'));
  const empty = await openFlames(open, folder, 'empty');
  await empty.getByText('No chunk of this view was recorded in this window').waitFor();
  const damaged = await openFlames(open, folder, 'damaged');
  assert.match(await damaged.locator('#host').textContent(), /^The profile in this page cannot be read: it is cut or changed\. Write the page anew/);
});

async function inert(page) {
  await show(page, { view: 'wall' });
  await page.getByRole('searchbox').fill('owned');
  assert.match(await page.locator('.fv-matched').textContent(), /^matched [\d.]+ % \(\d+ function/);
  const frame = await drawn(page, '</script>');
  assert.ok(frame.words.startsWith(HOSTILE));
  await page.mouse.move(frame.left + frame.width / 2, frame.top + 8);
  assert.ok((await page.locator('.fv-tooltip').textContent()).startsWith(HOSTILE));
  await click(page, '</script>');
  assert.ok((await page.locator('.fv-crumbs strong').textContent()).startsWith(HOSTILE));
  await click(page, '</script>', { shift: true });
  await choose(page, 'look table');
  assert.ok((await page.locator('.fv-table tbody').textContent()).includes(HOSTILE));
  await show(page, { search: '', scope: 'package' });
  assert.ok((await page.locator('.fv-table tbody').textContent()).includes(HOSTILE));
  await show(page, { scope: 'all', look: 'icicle', zoom: '', from: 20, to: 70, baseFrom: -4, baseTo: 16 });
  const found = await page.evaluate(() => ({
    title: document.title,
    images: document.querySelectorAll('img, script:not([id]):not([type="module"])').length,
    handlers: [...document.querySelectorAll('*')].filter((one) => [...one.attributes].some(({ name }) => name.startsWith('on'))).length,
    bidi: document.querySelector('#host').textContent.includes('\u202e'),
  }));
  assert.deepEqual(found, { title: 'Flamegraph', images: 0, handlers: 0, bidi: false });
  const long = await page.evaluate(() => window.demo.view.drawn().map((one) => one.words).find((words) => /^(. )?xxxx/.test(words)));
  assert.match(long, /x{190}…x{190}.*\[1\d{4} characters\]/, 'a name of 10 kB is cut, and says so');
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 1280);
}

async function deep(page) {
  const stage = page.locator('.fv-stage');
  const { height } = await stage.boundingBox();
  assert.ok(height < 900, 'the page stays a page');
  assert.ok((await page.locator('canvas').evaluate((canvas) => canvas.height)) <= height);
  await stage.evaluate((box) => { box.scrollTop = box.scrollHeight; });
  await page.waitForFunction(() => document.querySelector('.fv-stage').scrollTop > 50_000);
  const { x, y, width } = await stage.boundingBox();
  assert.ok((await pixel(page, x + width / 2, y + height - 12))[0] > 200, 'the leaf is drawn');
  await show(page, { look: 'flame' });
  assert.ok((await drawn(page, 'web')).top < 900, 'a flame begins at its root');
  await show(page, { look: 'sandwich', focus: 'again (/srv/shop/again.py)' });
  await show(page, { inverted: true, look: 'icicle' });
  assert.equal((await page.evaluate(() => window.demo.view.frames().length)), 3001);
  await show(page, { look: 'table' });
  assert.match(await page.locator('.fv-table tbody').textContent(), /^again.*350 ms100\.00 %350 ms100\.00 %$/, 'recursion counts once');
}
