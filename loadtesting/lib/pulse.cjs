'use strict';
/**
 * How the generator itself is doing, for "Can this be trusted?": what it was told to send, and, once a second, how many users have
 * arrived, how late they were, and how far its event loop was behind. A line a second and thread in events.jsonl.
 */
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { threadId } = require('node:worker_threads');
const { arrivals, phaseLabel } = require('./arrivals.cjs');
const { recorder } = require('./recorder.cjs');

const EVERY_MS = 1000;
/** The loop is asked so often for a sign of life; what it takes longer is the delay. */
const RESOLUTION_MS = 10;

/** @typedef {import('./types.cjs').Phase} Phase */

/** How Artillery makes the users of a phase arrive. @param {Phase} phase */
function modeOf(phase) {
  if (phase.pause !== undefined) return 'pause';
  if (phase.arrivalCount !== undefined) return 'count';
  return phase.rampTo !== undefined ? 'ramp' : (phase.mode ?? 'uniform');
}

/** @param {number} nanoseconds between two signs of life */
const delayMs = (nanoseconds) => Math.max(0, Math.round(nanoseconds / 1e4 - RESOLUTION_MS * 100) / 100 || 0);

const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

/** @param {Record<string, number>} more */
function tell(more) {
  recorder.event({
    kind: 'pulse',
    worker: threadId,
    ...arrivals.tally(),
    loop_ms: delayMs(loop.mean),
    loop_p99_ms: delayMs(loop.percentile(99)),
    loop_max_ms: delayMs(loop.max),
    ...more
  });
  loop.reset();
}

const pulse = {
  /**
   * This thread's share of a phase, as Artillery cast and divided it.
   * @param {Phase} phase
   */
  schedule(phase) {
    recorder.event({
      kind: 'schedule',
      worker: phase.worker ?? 1,
      workers: phase.totalWorkers ?? 1,
      phase: phaseLabel(phase),
      index: phase.index ?? 0,
      mode: modeOf(phase),
      duration_s: phase.pause ?? phase.duration ?? 1,
      rate: phase.arrivalRate ?? null,
      ramp_to: phase.rampTo ?? null,
      count: phase.arrivalCount ?? null
    });
  },

  /**
   * How many users there are by the end of a phase, to the user; the next phase may be another order of magnitude.
   * @param {Phase} phase
   */
  phaseEnded(phase) {
    tell({ ended: phase.index ?? 0 });
  },

  /** Begin to tell; the thread that calls this makes users. */
  start() {
    loop.enable();
    setInterval(() => tell({}), EVERY_MS).unref();
  },

  /** Tell the rest. */
  stop() {
    tell({});
  }
};

module.exports = { pulse };
