'use strict';
/**
 * Says when the last user of this thread has left. Artillery looks for that once a second, and then takes its time to end: meanwhile the
 * recorders on the server may write their last files.
 */
const { counts } = require('./counts.cjs');

const LOOK_MS = 50;

/** @type {() => void} */
let tell = () => {};

const leaving = {
  /** @param {() => void} then called once, when nobody is left and nobody will come */
  whenAllHave(then) {
    tell = then;
  },

  /** The last phase is over. */
  noneToCome() {
    const looking = setInterval(() => {
      if (counts.users() > 0) return;
      clearInterval(looking);
      tell();
    }, LOOK_MS);
    looking.unref();
  }
};

module.exports = { leaving };
