'use strict';
/** How the generator's threads tell the main one what they count, and that their last record is written. */
const { BroadcastChannel } = require('node:worker_threads');

const NAME = 'toolkit-recorder';

/** @typedef {import('./counts.cjs').Snapshot} Snapshot */
/** @typedef {{ worker: number, kind: 'hello' | 'left' | 'goodbye' | 'gone' } | { worker: number, kind: 'counts', counts: Snapshot }} Message */

/** @type {BroadcastChannel | null} */
let speaking = null;

/** @param {Message} message */
function say(message) {
  if (!speaking) {
    speaking = new BroadcastChannel(NAME);
    speaking.unref();
  }
  speaking.postMessage(message);
}

const channel = {
  NAME,
  /** @param {number} worker */
  hello: (worker) => say({ worker, kind: 'hello' }),
  /** @param {number} worker whose last user has left */
  left: (worker) => say({ worker, kind: 'left' }),
  /** @param {number} worker */
  goodbye: (worker) => say({ worker, kind: 'goodbye' }),
  /** @param {number} worker that ends before its load does */
  gone: (worker) => say({ worker, kind: 'gone' }),
  /**
   * @param {number} worker
   * @param {Snapshot | null} counts null where nothing changed
   */
  counts: (worker, counts) => {
    if (counts) say({ worker, kind: 'counts', counts });
  }
};

module.exports = { channel };
