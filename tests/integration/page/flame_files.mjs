// PNG, SVG and CSV that a reader saves.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { withBrowser } from './browser.mjs';
import { choose, drawn, openFlames, show } from './flame_reader.mjs';

const { folder, functions } = JSON.parse(process.argv[2]);

await withBrowser(async (open) => {
  const page = await openFlames(open, folder, 'whole');
  await csv(page);
  await png(page);
  await svg(page, 'rect');
  const hostile = await openFlames(open, folder, 'hostile');
  await show(hostile, { view: 'wall' });
  await svg(hostile, "</script><script>document.title='owned'");
  const text = (await saved(hostile, 'csv')).content.toString('utf8');
  assert.ok(!text.includes('\u202e') && text.includes('\\u202e'));
});

async function saved(page, kind) {
  const [download] = await Promise.all([page.waitForEvent('download'), choose(page, `save ${kind}`)]);
  return { name: download.suggestedFilename(), content: readFileSync(await download.path()) };
}

async function csv(page) {
  const { name, content } = await saved(page, 'csv');
  assert.equal(name, 'flamegraph-web-1-cpu-icicle-whole_run.csv');
  const [head, ...lines] = content.toString('utf8').trim().split('\r\n');
  assert.equal(head, 'function,file,owner,self_s,self_share,total_s,total_share');
  const found = Object.fromEntries(lines.map((line) => {
    const [label, file, , self, , total] = line.split(',');
    return [`${label} (${file.replace(/:[\d, …]+$/, '')})`, [Math.round(total * 1e6), Math.round(self * 1e6)]];
  }));
  assert.deepEqual(found, functions);
}

async function png(page) {
  const { name, content } = await saved(page, 'png');
  assert.equal(name, 'flamegraph-web-1-cpu-icicle-whole_run.png');
  assert.equal(content.subarray(1, 4).toString(), 'PNG');
  const { width } = await drawn(page, 'web-1');
  assert.equal(content.readUInt32BE(16), (width + 24) * 2, 'wide enough for a sharp print');
}

async function svg(page, wanted) {
  const { content } = await saved(page, 'svg');
  const found = await page.evaluate((text) => {
    const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
    return {
      broken: parsed.querySelector('parsererror')?.textContent,
      frames: parsed.querySelectorAll('g > rect').length,
      titles: [...parsed.querySelectorAll('title')].map((title) => title.textContent),
      strangers: [...parsed.querySelectorAll('*')].filter((one) => !['svg', 'g', 'rect', 'text', 'title'].includes(one.localName)).length,
    };
  }, content.toString('utf8'));
  const shown = await page.evaluate(() => window.demo.view.drawn().length);
  assert.equal(found.broken, undefined);
  assert.equal(found.frames, shown, 'every drawn frame');
  assert.equal(found.strangers, 0);
  assert.ok(wanted === 'rect' || found.titles.some((title) => title.includes(wanted)), 'names are text');
}
