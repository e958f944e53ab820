'use strict';
/** `node validate.cjs <folder of Artillery>`: a script as JSON on standard input; prints what Artillery's own validation refuses. */
const fs = require('node:fs');
const path = require('node:path');

/** @type {(script: unknown) => string | undefined} */
const validate = require(path.join(String(process.argv[2]), 'dist', 'lib', 'util', 'validate-script.js')).default;
process.stdout.write(validate(JSON.parse(fs.readFileSync(0, 'utf8'))) ?? '');
