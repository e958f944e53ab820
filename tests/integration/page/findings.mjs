// Each finding's link opens what shows it: its part of the page, with its window where it has one.
import assert from 'node:assert/strict';
import path from 'node:path';
import { withBrowser } from './browser.mjs';
import { settled } from './reading.mjs';

const { folder } = JSON.parse(process.argv[2]);

await withBrowser(async (open) => {
  const page = await open(path.join(folder, 'watched.html'));
  const found = page.locator('#findings ol.findings > li');
  const links = await found.count();
  assert.ok(links >= 2, `${links} findings`);
  let windows = 0;
  for (let at = 0; at < links; at++) {
    const finding = found.nth(at);
    const link = finding.getByRole('link', { name: /^Show it/ });
    if ((await link.count()) === 0) continue;
    const when = /When: (\S+) to (\S+)\./.exec(await finding.textContent());
    await link.click();
    await settled(page);
    const href = await link.getAttribute('href');
    const part = /(?:at=|^#)([\w-]+)$/.exec(href);
    assert.ok(part, href);
    await inView(page, part[1]);
    if (when && href.includes('w=')) {
      windows++;
      const [headline] = await page.locator('.fv-headline:visible').allTextContents();
      assert.ok(headline.includes(`${short(when[1])}–${short(when[2])}`), `${headline} is not ${when[0]}`);
    }
  }
  assert.ok(windows >= 1, 'no finding has a window');
});

/** `0:00:30` as the headline writes it. */
function short(clock) {
  return clock.replace(/^0:(\d\d:\d\d)/, '$1').replace(/^0(\d:)/, '$1');
}

async function inView(page, part) {
  const top = await page.locator(`#${part}`).evaluate((one) => one.getBoundingClientRect().top);
  const atEnd = await page.evaluate(() => innerHeight + scrollY >= document.body.scrollHeight - 2);
  assert.ok(Math.abs(top) < 60 || atEnd, `${part} is at ${top}`);
}
