'use strict';
/** A virtual user as the records see it: who it is, which scenario it plays, how late its arrival was. */
const { now } = require('./clock.cjs');
const { arrivals } = require('./arrivals.cjs');

/** On a scenario: its name, or its index as Artillery's own counters name it. Symbols survive Artillery's deep copies. */
const LABEL = Symbol.for('toolkit.recorder.scenario');
const USER = Symbol.for('toolkit.recorder.user');

/** @typedef {import('./types.cjs').Context} Context */
/** @typedef {import('./types.cjs').User} User */

/** @param {import('./types.cjs').Script} script */
function tagScenarios(script) {
  (script.scenarios ?? []).forEach((scenario, index) => {
    /** @type {Record<symbol, unknown>} */ (scenario)[LABEL] = String(scenario.name || index);
  });
}

/**
 * The user of a context, made on the first call (synchronously with its arrival, where the phases made it arrive).
 * @param {Context} context
 * @returns {User}
 */
function userOf(context) {
  const holder = /** @type {Record<symbol, User>} */ (/** @type {unknown} */ (context));
  let user = holder[USER];
  if (!user) {
    const scenario = context.scenario ?? {};
    const label = /** @type {Record<symbol, unknown>} */ (scenario)[LABEL] ?? scenario.name ?? arrivals.phase();
    user = { id: context._uid ?? '', scenario: String(label), lateness: arrivals.take(), sent: false };
    holder[USER] = user;
  }
  return user;
}

/**
 * When a request of `user` was meant to start, given that the flow has come to it now. Before the user has sent anything this takes
 * back how late its arrival was, so that a generator that falls behind shows in the numbers rather than being forgiven.
 * @param {User} user
 */
const intendedNow = (user) => now() - (user.sent ? 0 : user.lateness);

module.exports = { tagScenarios, userOf, intendedNow };
