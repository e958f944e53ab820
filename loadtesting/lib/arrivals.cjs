'use strict';
/**
 * When each user was meant to arrive, and in which phase the load is.
 *
 * Artillery keeps neither, so its phaser is listened to. A uniform phase (arrivalRate, arrivalCount) ticks every
 * floor(1e6 / rate) µs from its start and keeps its count when it falls behind: the k-th arrival is meant at start + k ticks.
 * A ramp starts one driftless interval each second: its n-th tick is meant at its own start + n delays. `mode: poisson` draws
 * its times and tells nobody: there the arrival itself is the plan.
 */
const { isMainThread } = require('node:worker_threads');
const { now } = require('./clock.cjs');

/** @typedef {import('./types.cjs').Phase} Phase */

/** Requests of the `before` and `after` hooks run in the main thread, outside of every phase. */
let label = isMainThread ? 'before' : '';
let started = 0;
let count = 0;
/** @type {number | null} the tick of a ramp that is being called right now */
let tick = null;
let lateness = 0;
/** Of all phases together; the latenesses since they were last told. */
let arrived = 0;
let lateSum = 0;
let lateMost = 0;
let told = 0;

/** @param {Phase} phase */
const phaseLabel = (phase) => String(phase.name ?? (phase.index ?? 0) + 1);

/** @param {Phase} phase */
function intervalMs(phase) {
  if (phase.rampTo !== undefined || phase.mode === 'poisson') return null;
  if (phase.arrivalCount) return Math.floor(((phase.duration ?? 0) * 1e6) / phase.arrivalCount) / 1000;
  return phase.arrivalRate ? Math.floor(1e6 / phase.arrivalRate) / 1000 : null;
}

/**
 * How late the k-th arrival of a phase is, in milliseconds; a timer that fires early is not late.
 * @param {number} at
 * @param {Phase} phase
 * @param {number} k from 1
 * @param {number} start
 * @param {number | null} ticked
 */
function latenessOf(at, phase, k, start, ticked) {
  const interval = intervalMs(phase);
  const meant = ticked ?? (interval === null ? at : start + k * interval);
  return Math.max(0, at - meant);
}

/** @param {number} milliseconds */
const tenths = (milliseconds) => Math.round(milliseconds * 10) / 10;

const arrivals = {
  /** The name of the phase that runs, else its number from 1; after the last phase still the last. */
  phase: () => label,

  /** @param {string} name */
  setPhase(name) {
    label = name;
  },

  /** How late the user is that arrives right now, in milliseconds; taken once. */
  take() {
    const taken = lateness;
    lateness = 0;
    return taken;
  },

  /** @param {Phase} phase */
  started(phase) {
    label = phaseLabel(phase);
    started = now();
    count = 0;
  },

  /**
   * @param {Phase} phase
   * @param {() => void} arrive makes the user, synchronously
   */
  arrival(phase, arrive) {
    count += 1;
    lateness = latenessOf(now(), phase, count, started, tick);
    arrived += 1;
    lateSum += lateness;
    if (lateness > lateMost) lateMost = lateness;
    try {
      arrive();
    } finally {
      lateness = 0;
    }
  },

  /** How many users have arrived since the thread began, and how late they were since this was last asked. */
  tally() {
    const since = arrived - told;
    const said = { arrived, late_ms: since ? tenths(lateSum / since) : 0, late_max_ms: tenths(lateMost) };
    told = arrived;
    lateSum = 0;
    lateMost = 0;
    return said;
  },

  /**
   * @param {number} meant
   * @param {() => void} call
   */
  ticking(meant, call) {
    tick = meant;
    try {
      call();
    } finally {
      tick = null;
    }
  }
};

module.exports = { arrivals, phaseLabel, latenessOf };
