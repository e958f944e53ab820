'use strict';
/** What the toolkit tells the recorder, in one environment variable; without it the recorder does nothing. */

/**
 * @typedef {object} Settings
 * @property {string} artillery the folder of the Artillery package
 * @property {string} parts where each thread writes its request records
 * @property {string} events the file for phases, users and problems
 * @property {number} ackTimeoutS how long an acknowledgement may take
 */

/** @returns {Settings | null} */
function settings() {
  const text = process.env.TOOLKIT_RECORDER;
  if (!text) return null;
  const given = JSON.parse(text);
  return { ackTimeoutS: 10, ...given };
}

module.exports = { settings };
