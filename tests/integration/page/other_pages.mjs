// Hostile names, runs without load or without servers, no scripts, paper, both widths and themes.
import assert from 'node:assert/strict';
import path from 'node:path';
import { withBrowser } from './browser.mjs';
import { settled } from './reading.mjs';

const { folder } = JSON.parse(process.argv[2]);
const PAGES = { whole: 'lanes', load_alone: 'lanes', profile_alone: 'none', watched: 'lanes', watched_hostile: 'lanes', hostile: 'lanes', invalid: 'lanes' };

await withBrowser(async (open) => {
  for (const [name, has] of Object.entries(PAGES)) await sensible(await open(path.join(folder, `${name}.html`), { colorScheme: 'dark' }), name, has);
  await inert(await open(path.join(folder, 'hostile.html')));
  await inertWatched(await open(path.join(folder, 'watched_hostile.html')));
  await invalid(await open(path.join(folder, 'invalid.html')));
  await onPaper(await open(path.join(folder, 'watched.html'), { colorScheme: 'dark' }));
});
await withBrowser(async (open) => withoutScripts(await open(path.join(folder, 'watched.html'))), { scripts: false });

async function sensible(page, name, has) {
  if (has === 'lanes') await page.waitForSelector('.lane canvas');
  for (const width of [400, 1280, 1920]) {
    await page.setViewportSize({ width, height: 900 });
    await settled(page);
    const needed = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(needed <= width, `${name} is ${needed} pixels wide on a screen of ${width}`);
  }
  const levels = await page.locator('h1, h2, h3, h4').evaluateAll((all) => all.map((heading) => Number(heading.tagName[1])));
  assert.equal(levels.filter((level) => level === 1).length, 1);
  levels.forEach((level, at) => assert.ok(at === 0 || level <= levels[at - 1] + 1, `${name}: a heading level is left out: ${levels}`));
  for (const link of await page.locator('nav a').all()) {
    assert.equal(await page.locator(await link.getAttribute('href')).count(), 1, `${name}: a link leads nowhere`);
  }
  const nameless = await page.locator('button:visible, input:visible, select:visible').evaluateAll((all) => all.filter((one) => !(one.ariaLabel || one.textContent.trim() || one.labels?.[0]?.textContent)).map((one) => one.outerHTML.slice(0, 90)));
  assert.deepEqual(nameless, [], `${name}: controls without a name`);
  if (name === 'profile_alone') await page.getByText('No load was driven in this run').waitFor();
}

async function marksOf(page) {
  return page.evaluate(() => ({
    title: document.title,
    images: document.querySelectorAll('img').length,
    handlers: [...document.querySelectorAll('*')].filter((element) => [...element.attributes].some(({ name }) => name.startsWith('on'))).length,
    bidi: document.documentElement.textContent.includes('\u202e'),
    text: document.body.innerText,
  }));
}

async function inert(page) {
  await page.waitForSelector('.lane canvas');
  const found = await marksOf(page);
  assert.notEqual(found.title, 'owned');
  assert.equal(found.images + found.handlers, 0);
  assert.equal(found.bidi, false);
  assert.ok(found.text.includes('<img src=x onerror='), 'it is shown as it is');
}

/** Names in requests, phases, log lines and stacks, shown in every part that the reader opens. */
async function inertWatched(page) {
  await page.waitForSelector('.fv-headline:has-text("whole run")');
  await page.locator('#requests .opens').first().click();
  for (const opener of await page.locator('#single .opens').all()) await opener.click();
  await page.locator('.phases button').nth(1).click();
  await page.locator('[data-choice="look table"]').click();
  await page.locator('[data-choice="look icicle"]').click();
  await page.locator('.fv-stage').hover({ position: { x: 300, y: 120 } });
  await settled(page);
  await inert(page);
  const { text } = await marksOf(page);
  assert.ok(text.includes("BrokenPipeError: </script><script>document.title='owned'</script>"), 'the traceback is text');
}

async function invalid(page) {
  const banner = page.getByRole('alert');
  assert.match(await banner.textContent(), /Do not use the numbers of this run\..*the generator was at its limit/s);
  assert.ok((await banner.boundingBox()).y < 300, 'before any number');
  assert.match(await page.locator('#trust').textContent(), /Generator.*98 % of a core.*bad/s);
}

async function onPaper(page) {
  await page.setViewportSize({ width: 1920, height: 900 });
  await page.waitForSelector('.fv-headline:has-text("whole run")');
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  await settled(page);
  const seen = await page.evaluate(() => {
    const shown = (selector) => [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility()).length;
    return { paper: getComputedStyle(document.body).backgroundColor, bars: shown('nav, .axis-bar, .fv-toolbar, .csv, #themes button'), lanes: shown('.lane canvas'), details: shown('#single .detail pre'), flames: shown('#flame canvas') };
  });
  assert.equal(seen.paper, 'rgb(255, 255, 255)');
  assert.equal(seen.bars, 0, 'nothing to press');
  assert.ok(seen.lanes >= 9 && seen.flames === 1, JSON.stringify(seen));
  assert.ok(seen.details >= 8, `what the servers logged is printed: ${seen.details}`);
  // What is drawn is as wide as the paper, whatever the screen: the end of the run is on it, and windows lie where they are.
  const widths = await page.evaluate(() => [...document.querySelectorAll('.lane .plot')].filter((one) => one.checkVisibility()).map((plot) => [plot.clientWidth, plot.querySelector('canvas').clientWidth, Math.round(plot.getBoundingClientRect().right - document.querySelector('main').getBoundingClientRect().left)]));
  for (const [plot, canvas, right] of widths) assert.ok(canvas === plot && right <= 704, JSON.stringify(widths));
  const pdf = await page.pdf({ format: 'A4' });
  const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g).length;
  assert.ok(pages >= 3 && pages < 60, `${pages} sheets`);
}

async function withoutScripts(page) {
  const flames = page.locator('#flames svg.flamegraph');
  assert.equal(await flames.count(), 2, 'wall and cpu, as still drawings');
  assert.ok((await flames.first().boundingBox()).height > 100);
  assert.match(await flames.first().textContent(), /slow \(\/srv\/shop\/shop\/slow\.py:7\)/);
  const links = page.locator('#flames noscript a, #flames p a');
  assert.equal(await links.first().getAttribute('href'), 'flamegraphs/web-wall.svg');
  assert.equal(await page.locator('#requests tbody[data-request]').count(), 2);
  assert.equal(await page.locator('#single .detail').first().isVisible(), true, 'the log lines are open');
  assert.match(await page.locator('#time').textContent(), /The page's script did not start/);
  const controls = await page.locator('button:visible, input:visible').count();
  assert.equal(controls, 0, 'no control that does nothing');
}
