'use strict';
/** The shapes that the recorder shares with Artillery 2.0.34, as far as it looks at them. Types only. */

/**
 * @typedef {object} Phase
 * @property {string} [name]
 * @property {number} [index]
 * @property {number} [duration] seconds
 * @property {number} [arrivalRate]
 * @property {number} [arrivalCount]
 * @property {number} [rampTo]
 * @property {number} [pause]
 * @property {string} [mode]
 * @property {number} [worker] from 1
 * @property {number} [totalWorkers]
 */

/**
 * @typedef {object} Config
 * @property {string} target
 * @property {number} [timeout]
 * @property {Record<string, Function>} [processor]
 * @property {Record<string, any>} [ws]
 * @property {Phase[]} [phases]
 */

/** @typedef {{ name?: string, engine?: string, flow?: object[] }} Scenario */
/** @typedef {{ config: Config, scenarios?: Scenario[] }} Script */

/**
 * @typedef {object} Context
 * @property {Record<string, any>} vars
 * @property {string} [_uid]
 * @property {Scenario} [scenario]
 * @property {any} [ws]
 * @property {Record<string, any>} [sockets]
 */

/** @typedef {(error: any, context?: Context) => void} Callback */
/** @typedef {(context: Context, callback: Callback) => any} Step */
/** @typedef {{ emit: (event: string, ...values: any[]) => any, on: (event: string, listener: (...values: any[]) => void) => any }} Emitter */

/**
 * @typedef {object} User
 * @property {string} id
 * @property {string} scenario
 * @property {number} lateness milliseconds between its planned and its actual arrival
 * @property {boolean} sent whether it has begun a request
 */

/**
 * A finished request. Times as `clock.now()` gives them.
 * @typedef {object} Row
 * @property {'http' | 'ws' | 'socketio'} protocol
 * @property {string} scenario
 * @property {string} name
 * @property {string} method
 * @property {string} url
 * @property {string} phase
 * @property {number} intended
 * @property {number} start
 * @property {number | null} firstByte
 * @property {number} end
 * @property {number | null} status
 * @property {string | null} error
 * @property {number | null} bytesIn
 * @property {number | null} bytesOut
 * @property {string | null} requestId
 * @property {string | null} [answeredId] of the answer, where it is another
 * @property {string} user
 */

module.exports = {};
