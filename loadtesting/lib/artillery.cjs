'use strict';
/** Reaches into the Artillery that is running: the same module instances that its worker uses. */
const path = require('node:path');
const { createRequire } = require('node:module');

/**
 * One of Artillery's own modules. They are ES modules without top-level await, which Node 22 gives to require() as well.
 * @param {import('./settings.cjs').Settings} given
 * @param {string} file below dist/lib
 * @returns {any}
 */
const ownModule = (given, file) => require(path.join(given.artillery, 'dist', 'lib', file));

/**
 * A package as Artillery itself finds it.
 * @param {import('./settings.cjs').Settings} given
 * @param {string} name
 * @returns {any}
 */
const itsPackage = (given, name) => createRequire(path.join(given.artillery, 'package.json'))(name);

/**
 * Replace a method by one that is made from it.
 * @template {object} T
 * @template {keyof T & string} K
 * @param {T} owner
 * @param {K} name
 * @param {(original: any) => Function} make
 */
function replaceMethod(owner, name, make) {
  const original = owner?.[name];
  if (typeof original !== 'function') throw new Error(`${name} is not where it was in Artillery 2.0.34`);
  owner[name] = /** @type {any} */ (make(original));
}

module.exports = { ownModule, itsPackage, replaceMethod };
