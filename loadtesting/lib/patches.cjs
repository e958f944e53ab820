'use strict';
/** Every change to Artillery's modules at run time, by what it lets the recorder follow. Artillery's version is pinned. */
const { installCounters } = require('./patch-counters.cjs');
const { installPhases } = require('./patch-phases.cjs');
const { installHttp } = require('./patch-http.cjs');
const { installWs } = require('./patch-ws.cjs');
const { installSocketio } = require('./patch-socketio.cjs');

/** @type {Record<string, (given: import('./settings.cjs').Settings) => void>} */
const patches = {
  'the counters': installCounters,
  'the phases': installPhases,
  'HTTP requests': installHttp,
  websockets: installWs,
  'Socket.IO': installSocketio
};

module.exports = { patches };
