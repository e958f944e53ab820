'use strict';
/**
 * The requests that are on their way. An array in which the last one takes the place of the one that leaves: a Set grows tables of
 * its own with every few requests, which is felt in a closed loop.
 */

/** @typedef {{ place: number, interrupt: () => void }} Pending */

class PendingRequests {
  constructor() {
    /** @type {Pending[]} */
    this.all = [];
  }

  /** @param {Pending} request */
  add(request) {
    request.place = this.all.length;
    this.all.push(request);
  }

  /** @param {Pending} request */
  delete(request) {
    const place = request.place;
    if (this.all[place] !== request) return;
    const last = /** @type {Pending} */ (this.all.pop());
    if (last === request) return;
    this.all[place] = last;
    last.place = place;
  }

  /** The load ends: each says so for itself, and leaves. */
  interrupt() {
    for (const request of [...this.all]) request.interrupt();
  }
}

module.exports = { PendingRequests };
