'use strict';
/** What a clerk decides for itself. Runs in Artillery: `context.vars` is what the scenario file calls `{{ name }}`. */

/** @typedef {{ vars: Record<string, unknown> }} Context */

const DAYS_AHEAD = 14;

/** @param {number} below */
const random = (below) => Math.floor(Math.random() * below);

/** @param {Context} context @param {unknown} _events @param {() => void} next */
function chooseDay(context, _events, next) {
  const day = new Date(Date.now() + random(DAYS_AHEAD) * 86_400_000);
  context.vars.day = day.toISOString().slice(0, 10);
  next();
}

/** @param {Context} context @param {unknown} _events @param {() => void} next */
function chooseAppointment(context, _events, next) {
  context.vars.citizen = `Citizen ${random(100_000)}`;
  context.vars.service = String(1 + random(8));
  context.vars.slot = `${String(8 + random(9)).padStart(2, '0')}:${random(2) ? '30' : '00'}`;
  next();
}

module.exports = { chooseDay, chooseAppointment };
