// A real Chromium that notes everything a page must not do: complain, throw, ask, or reach out.
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Runs `check(open)`; `open(file, options)` opens a file from disk. Ends with the browser closed, whatever happens. */
export async function withBrowser(check, { scripts = true } = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    chromiumSandbox: false,
    // Not Playwright's javaScriptEnabled: with it, Chromium still hides <noscript>.
    args: scripts ? FLAGS : [...FLAGS, '--blink-settings=scriptEnabled=false'],
  });
  const opened = [];
  try {
    await check(async (file, options = {}) => {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
      page.setDefaultTimeout(8000);
      const seen = { complaints: [], requests: [] };
      page.on('console', (message) => seen.complaints.push(`${message.type()}: ${message.text()}`));
      page.on('pageerror', (error) => seen.complaints.push(`thrown: ${error.message}`));
      page.on('dialog', (dialog) => {
        seen.complaints.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on('request', (request) => seen.requests.push(request.url()));
      const url = pathToFileURL(file).href;
      await page.goto(url);
      opened.push({ seen, url });
      return page;
    });
    for (const { seen, url } of opened) {
      assert.deepEqual(seen.complaints, [], url);
      const outside = seen.requests.filter((request) => request !== url && !request.startsWith('file://'));
      assert.deepEqual(outside, [], `${url} reached out`);
    }
  } finally {
    await browser.close();
  }
}

/** The group of the first frame whose label starts with `label`, below `root`. */
export function frame(root, label) {
  return root.locator('g[data-f]').filter({ has: root.page().locator(`title`, { hasText: label }) }).first();
}

/** How wide a frame is drawn, in percent of the drawing; 0 where it is zoomed away. */
export function share(group) {
  return group.evaluate((g) => (g.getBoundingClientRect().width === 0 ? 0 : parseFloat(g.querySelector('rect').getAttribute('width'))));
}
