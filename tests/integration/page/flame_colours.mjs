// The frames' colours in both themes: words on them can be read, and owners are told apart, also by colour-blind people.
import assert from 'node:assert/strict';
import { withBrowser } from './browser.mjs';
import { openFlames } from './flame_reader.mjs';

const { folder } = JSON.parse(process.argv[2]);
const PAPERS = { light: '#ffffff', dark: '#171b21' };

// What dichromats see, in linear light (Machado, Oliveira and Fernandes 2009).
const SIGHT = {
  all: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritan: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

await withBrowser(async (open) => {
  const page = await openFlames(open, folder, 'whole');
  for (const [theme, paper] of Object.entries(PAPERS)) {
    for (const name of ['red-blue', 'colour-blind']) {
      const palette = await page.evaluate(([on, one]) => window.demo.makePalette(on, one), [paper, name]);
      legible(palette, theme);
      for (const sight of Object.keys(SIGHT)) apart(palette, theme, name, sight);
    }
  }
});

function legible({ owner, faded, hit, grey, less, more }, theme) {
  for (const { fill, ink } of [...owner.flat(), ...faded.flat(), hit, grey, ...less, ...more]) {
    const found = contrast(fill, ink);
    assert.ok(found >= 4.5, `${theme}: ${ink} on ${fill} has a contrast of ${found.toFixed(2)}`);
  }
}

function apart({ owner, less, more, grey, hit, faded }, theme, name, sight) {
  const owners = owner.slice(0, 4).map(([first]) => first.fill);
  owners.forEach((one, at) => owners.slice(at + 1).forEach((other) => far(one, other, 14, `${theme}, owners`, sight)));
  faded.flat().forEach(({ fill }) => far(fill, hit.fill, 25, `${theme}, a hit among others`, sight));
  if (name === 'red-blue' && sight === 'tritan') return; // for them there is the other palette
  far(less.at(-1).fill, more.at(-1).fill, 40, `${theme}, ${name}: less and more`, sight);
  for (const side of [less, more]) far(side.at(-1).fill, grey.fill, 25, `${theme}, ${name}: change and noise`, sight);
}

function far(one, other, least, what, sight) {
  const [a, b] = [lab(one, sight), lab(other, sight)];
  const distance = Math.hypot(...a.map((value, at) => value - b[at]));
  assert.ok(distance >= least, `${what}: ${one} and ${other} are ${distance.toFixed(0)} apart for ${sight}`);
}

function linear(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
}

function contrast(one, other) {
  const [low, high] = [one, other].map((colour) => dot([0.2126, 0.7152, 0.0722], linear(colour))).sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** CIE Lab of a colour as `sight` sees it. */
function lab(colour, sight) {
  const seen = SIGHT[sight].map((row) => Math.min(1, Math.max(0, dot(row, linear(colour)))));
  const [x, y, z] = [[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1095, 0.8729]]
    .map((row) => dot(row, seen))
    .map((value) => (value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function dot(one, other) {
  return one.reduce((sum, value, at) => sum + value * other[at], 0);
}
