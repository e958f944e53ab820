'use strict';
/**
 * Artillery's counters leave a worker every ten seconds and never when it is killed. Here what is new in its store is read with every
 * flush, and before the store is emptied: to look at each count as it is counted is felt in a closed loop, which counts six for a request.
 */
const { counts } = require('./counts.cjs');
const { ownModule, replaceMethod } = require('./artillery.cjs');

/** The store is one array: of each count its time, its name and its value. */
const WIDTH = 3;

/** @typedef {{ _counters: any[], counter: Function }} Store */

/** Up to where each store was read. @type {Map<Store, number>} */
const read = new Map();

/** @param {Store} store */
function readNew(store) {
  const counters = store._counters;
  for (let at = read.get(store) ?? 0; at < counters.length; at += WIDTH) counts.artillery(counters[at + 1], counters[at + 2]);
  read.set(store, counters.length);
}

/** @param {any} SSMS */
function expectStore(SSMS) {
  const store = new SSMS({ pullOnly: true });
  store.counter('name', 2);
  store.stop();
  const counters = store._counters;
  if (counters?.length !== WIDTH || counters[1] !== 'name' || counters[2] !== 2) {
    throw new Error('the counters are not where they were in Artillery 2.0.34');
  }
}

/** @param {import('./settings.cjs').Settings} given */
function installCounters(given) {
  const { SSMS } = ownModule(given, 'core/ssms.js');
  expectStore(SSMS);
  replaceMethod(
    SSMS.prototype,
    'counter',
    (counter) =>
      /** The first count of a store; from then on it counts as Artillery made it. @this {Store} @param {string} name @param {number} value */
      function (name, value) {
        read.set(this, this._counters.length);
        this.counter = counter;
        return this.counter(name, value);
      }
  );
  replaceMethod(
    SSMS.prototype,
    '_aggregateCounters',
    (aggregateCounters) =>
      /** @this {Store} @param {number} upTo */
      function (upTo) {
        readNew(this);
        aggregateCounters.call(this, upTo);
        read.set(this, this._counters.length);
      }
  );
  counts.readWith(() => {
    for (const store of read.keys()) readNew(store);
  });
}

module.exports = { installCounters };
