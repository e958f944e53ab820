// A link pasted into a postmortem opens the same view: windows, lanes, flamegraph, histogram; an edited address is followed.
import assert from 'node:assert/strict';
import path from 'node:path';
import { withBrowser } from './browser.mjs';
import { dragOver, readings, settled } from './reading.mjs';

const { folder } = JSON.parse(process.argv[2]);
const file = path.join(folder, 'watched.html');

await withBrowser(async (open) => {
  const first = await open(file, { permissions: ['clipboard-read', 'clipboard-write'] });
  await first.waitForSelector('.fv-headline:has-text("whole run")');
  assert.equal(await hash(first), '', 'nothing is said of a page as it opens');
  await choose(first);
  await first.waitForFunction(() => location.hash.includes('open='));
  const link = first.url();

  const second = await open(file);
  await second.goto('about:blank');
  await second.goto(link);
  await second.waitForSelector('.fv-comparing:visible');
  assert.deepEqual(await seen(second), await seen(first));

  await edited(second);
  await absurd(second);
  await elsewhere(second);
  await copied(first);
  await parts(first);
});

function hash(page) {
  return page.evaluate(() => location.hash);
}

async function choose(page) {
  await dragOver(page, 30, 40);
  await page.keyboard.down('Shift');
  await dragOver(page, 5, 25);
  await page.keyboard.up('Shift');
  await page.getByText('Lanes', { exact: true }).click();
  await page.getByRole('checkbox', { name: 'Network' }).count();
  await page.getByRole('checkbox', { name: 'Latency' }).uncheck();
  await page.getByRole('checkbox', { name: 'Host CPU' }).check();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'wall', exact: true }).click();
  await page.getByRole('button', { name: 'Application', exact: true }).click();
  await page.getByRole('button', { name: 'Flame', exact: true }).click();
  await page.getByLabel('Search functions and files').fill('slow');
  await page.locator('#requests').getByRole('button', { name: 'load data' }).click();
}

/** What a reader sees of everything that was chosen. */
async function seen(page) {
  await page.mouse.move(3, 3);
  await settled(page);
  return {
    readings: await readings(page),
    fields: await page.locator('.fields:visible .time').evaluateAll((all) => all.map((one) => one.value)),
    headlines: await page.locator('.fv-headline:visible').allTextContents(),
    pressed: await page.locator('#flame [aria-pressed=true]').allTextContents(),
    search: await page.locator('.fv-matched').textContent(),
    histogram: await page.locator('#requests .detail .histogram').getAttribute('aria-label'),
  };
}

/** What somebody typed may be anything: the axis is as long as the run. */
async function absurd(page) {
  const whole = await page.locator('.times').textContent();
  for (const hash of ['z=0..10000000000', 'z=-99999999999..99999999999', 'z=5000000..6000000', 'w=-999999999..99999999999&d=7e9..8e9']) {
    await page.evaluate((text) => { location.hash = text; }, hash);
    await settled(page);
    assert.equal(await page.locator('.times').textContent(), whole, hash);
    assert.match((await page.locator('.fv-headline:visible').allTextContents()).join(), /whole run|0:00–/, hash);
  }
  for (const elsewhere of ['w=99999..999999', 'w=5..2', 'w=0..20&d=5000..6000']) {
    await page.locator('.toast').waitFor({ state: 'detached' });
    await page.evaluate((text) => { location.hash = text; }, elsewhere);
    await page.waitForSelector('.toast:has-text("does not lie in this run")');
    await page.waitForFunction((text) => location.hash !== `#${text}`, elsewhere);
  }
}

/** A link of another run: what this one does not have is said, and left out of the address. */
async function elsewhere(page) {
  for (const [hash, name] of [['f.worker=99999', 'worker'], ['f.view=native', 'view'], ['f.server=db-9', 'server']]) {
    await page.locator('.toast').waitFor({ state: 'detached' });
    await page.evaluate((text) => { location.hash = text; }, hash);
    await page.waitForSelector(`.toast:has-text("does not have the ${name} of this link")`);
  }
  await page.locator('.toast').waitFor({ state: 'detached' });
}

async function edited(page) {
  await page.evaluate(() => {
    location.hash = 'w=0..20&f.view=cpu';
  });
  await page.waitForSelector('.fv-headline:has-text("0:00–0:20")');
  assert.equal(await page.locator('.fv-comparing').isVisible(), false);
  assert.equal(await page.locator('#requests .detail').count(), 0);
  assert.equal(await page.locator('.lane[data-lane=latency]').isVisible(), true);
  // Nonsense opens the page as it is, and breaks nothing.
  for (const nonsense of ['w=40..10&d=x..y&z=1', 'w=0..1e9&f.view=%00&f.look=<img>&open=-4', 'lanes=,,nothing&f.search=re:(', 'a=b&=&%zz=1']) {
    await page.evaluate((text) => {
      location.hash = text;
    }, nonsense);
    await settled(page);
    assert.ok((await page.locator('.fv-headline:visible').first().textContent()).length > 0);
  }
}

async function copied(page) {
  await page.getByRole('button', { name: 'Copy link' }).click();
  await page.locator('.toast').waitFor();
  const copy = await page.evaluate(() => navigator.clipboard.readText().catch(() => document.querySelector('.toast input').value));
  assert.equal(copy, page.url());
}

async function parts(page) {
  const before = await hash(page);
  await page.locator('nav').getByRole('link', { name: 'Errors' }).click();
  await page.waitForFunction(() => location.hash.includes('at=errors'));
  assert.ok((await hash(page)).startsWith(before), 'the windows stay in the address');
  const top = await page.locator('#errors').evaluate((part) => part.getBoundingClientRect().top);
  assert.ok(Math.abs(top) < 60 || (await page.evaluate(() => innerHeight + scrollY >= document.body.scrollHeight - 2)), `${top}`);
}
