// Artillery's command with the cloud left out: what `run:fargate` or `run:aci` would have workers play is played here, by the real
// Artillery, and the report gets the `metadata` that Fargate's has. Its arguments are kept beside the report.
'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const CLOUD = ['--count', '--region', '--cpu', '--memory', '--secret'];
const [command, ...words] = process.argv.slice(2);
const given = {};
const own = [];
for (let at = 0; at < words.length; at += 1) {
  if (CLOUD.includes(words[at])) {
    given[words[at]] = words[at + 1];
    at += 1;
  } else if (words[at] !== '--spot') {
    own.push(words[at]);
  }
}
const output = words[words.indexOf('--output') + 1];
fs.writeFileSync(path.join(path.dirname(output), 'asked.json'), JSON.stringify([command, ...words]));
if (process.env.CLOUD_REFUSES) {
  console.error('Error: could not load credentials from any providers');
  process.exit(1);
}
const done = spawnSync(process.execPath, [process.env.REAL_ARTILLERY, 'run', ...own], { stdio: 'inherit' });
const report = JSON.parse(fs.readFileSync(output, 'utf8'));
report.metadata = { count: Number(given['--count'] || 1), region: given['--region'] };
fs.writeFileSync(output, JSON.stringify(report));
process.exit(done.status === null ? 1 : done.status);
