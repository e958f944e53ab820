'use strict';
/**
 * The phaser is made inside the runner and handed to nobody; but the runner subscribes to its `arrival` event, once, and the
 * emitter that it subscribes to is the phaser.
 */
const { now } = require('./clock.cjs');
const { arrivals } = require('./arrivals.cjs');
const { itsPackage, replaceMethod } = require('./artillery.cjs');
const { leaving } = require('./leaving.cjs');
const { pulse } = require('./pulse.cjs');

/** @param {import('./types.cjs').Phase} phase */
function phaseStarted(phase) {
  arrivals.started(phase);
  pulse.schedule(phase);
}

/** @param {import('./settings.cjs').Settings} given */
function installPhases(given) {
  const { EventEmitter } = itsPackage(given, 'eventemitter3');
  replaceMethod(
    EventEmitter.prototype,
    'on',
    (on) =>
      /** @this {any} @param {string} event @param {Function} listener @param {unknown} self */
      function (event, listener, self) {
        if (event !== 'arrival') return on.call(this, event, listener, self);
        on.call(this, 'phaseStarted', phaseStarted);
        on.call(this, 'phaseCompleted', pulse.phaseEnded);
        on.call(this, 'done', leaving.noneToCome);
        return on.call(
          this,
          event,
          (/** @type {import('./types.cjs').Phase} */ phase) => arrivals.arrival(phase, () => listener.call(self, phase)),
          self
        );
      }
  );
  // Ramps: their ticks are planned inside driftless, which phases.js calls through the package's own object.
  replaceMethod(
    itsPackage(given, 'driftless'),
    'setDriftlessInterval',
    (setDriftlessInterval) =>
      /** @param {() => void} tick @param {number} delay @param {unknown[]} rest */
      function (tick, delay, ...rest) {
        // A ramp of one second has no delay at all (NaN): all of its users arrive at once, each when it can.
        if (!Number.isFinite(delay)) return setDriftlessInterval(tick, delay, ...rest);
        const start = now();
        let ticks = 0;
        return setDriftlessInterval(() => arrivals.ticking(start + ++ticks * delay, tick), delay, ...rest);
      }
  );
}

module.exports = { installPhases };
