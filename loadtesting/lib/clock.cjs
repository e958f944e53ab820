'use strict';
/**
 * UTC in microseconds from a monotonic clock. `now()` is in milliseconds since the thread began and is what every record keeps;
 * it becomes UTC only when the record is written, so that a correction of the clock never bends a duration.
 */
const { performance } = require('node:perf_hooks');

/** UTC of `now() === 0`, in milliseconds. performance.timeOrigin is not used: it is read once and never corrected. */
let origin = firstAnchor();

/** Wait for the edge of a millisecond (at most one), so that the anchor is good to microseconds though Date.now() is not. */
function firstAnchor() {
  const before = Date.now();
  let seen = before;
  while (seen === before) seen = Date.now();
  return seen - performance.now();
}

/** Follow the system's clock: it is slewed by NTP, or stepped, while the monotonic one goes its own way. */
function reanchor() {
  const before = performance.now();
  const date = Date.now();
  const after = performance.now();
  // Date.now() was cut to a whole millisecond somewhere between the two readings: the true origin lies in this interval.
  origin = Math.min(Math.max(origin, date - after), date + 1 - before);
}

/** @returns {number} milliseconds since the thread began */
const now = () => performance.now();

/**
 * @param {number} at as `now()` gave it
 * @returns {number} UTC in whole microseconds. Nanoseconds would not fit a number: they are these digits and three zeros.
 */
const microseconds = (at) => Math.round((origin + at) * 1000);

module.exports = { now, microseconds, reanchor };
