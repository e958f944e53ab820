'use strict';
/**
 * Follows Socket.IO users: connections, and emits that wait for an acknowledgement or a response.
 *
 * An acknowledgement that never comes would hold the user and the run for ever in Artillery; here it ends after `ackTimeoutS`. A
 * response without `data` is waited for until the timeout even when it is there; the flow stays as it is, the record keeps when
 * the response really came.
 */
const { randomUUID } = require('node:crypto');
const { ownModule, replaceMethod } = require('./artillery.cjs');
const { now } = require('./clock.cjs');
const { counts } = require('./counts.cjs');
const { ReplyCall, jsonSize } = require('./reply-call.cjs');
const { once } = require('./text.cjs');
const { userOf } = require('./user.cjs');

/** @typedef {import('./types.cjs').Context} Context */
/** @typedef {import('./types.cjs').Callback} Callback */

const NO_ACKNOWLEDGEMENT = 'no acknowledgement';

/** @param {any} headers */
const hasRequestId = (headers) => Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'x-request-id');

/** @param {any} loadContextSocket Artillery's own */
const followedConnect = (loadContextSocket) =>
  /** @this {any} @param {string} namespace @param {Context} context @param {(error: any, socket?: any) => void} callback */
  function (namespace, context, callback) {
    if (context.sockets?.[namespace]) return loadContextSocket.call(this, namespace, context, callback);
    const url = `${this.config.target}${namespace}`;
    const call = new ReplyCall(userOf(context), 'socketio', 'CONNECT', url, `CONNECT ${namespace || '/'}`);
    const options = this.socketioOpts;
    if (!hasRequestId(options.extraHeaders)) {
      call.requestId = randomUUID();
      // Read by Artillery before this call returns; the next user gets its own.
      this.socketioOpts = { ...options, extraHeaders: { ...options.extraHeaders, 'X-Request-ID': call.requestId } };
    }
    // Once: a connection that fails goes on trying, and its success would call back a second time.
    const end = once((error, socket) => {
      call.finish(error);
      callback(error, socket);
    });
    try {
      return loadContextSocket.call(this, namespace, context, end);
    } finally {
      this.socketioOpts = options;
    }
  };

/** What an emit waits for, decided as Artillery decides it. @param {any} spec */
function expectationOf(spec) {
  const channel = spec.response?.channel ?? spec.response?.on;
  if (channel) return { channel, data: spec.response.data ?? spec.response.args };
  return spec.acknowledge ? 'acknowledgement' : null;
}

/** @param {any} spec */
const emitName = (spec) => spec.emit.name ?? `EMIT ${spec.emit.channel ?? spec.emit[0] ?? ''}`;

/**
 * See what one emit sends, and when its acknowledgement comes.
 * @param {any} socket
 * @param {ReplyCall} call
 * @param {() => void} emitting calls socket.emit once
 */
function watchEmit(socket, call, emitting) {
  const own = Object.getOwnPropertyDescriptor(socket, 'emit');
  const emit = socket.emit;
  socket.emit = (/** @type {any[]} */ ...values) => {
    const acknowledge = values.at(-1);
    if (typeof acknowledge !== 'function') {
      call.bytesOut = jsonSize(values);
      return emit.apply(socket, values);
    }
    call.bytesOut = jsonSize(values.slice(0, -1));
    return emit.call(socket, ...values.slice(0, -1), (/** @type {any[]} */ ...reply) => {
      // Late: the step has ended, and its captures must not change what the user does now.
      if (call.finished) return;
      call.answer(jsonSize(reply));
      acknowledge(...reply);
    });
  };
  try {
    emitting();
  } finally {
    if (own) Object.defineProperty(socket, 'emit', own);
    else delete socket.emit;
  }
}

/** @param {any} step Artillery's own @param {any} template @param {number} ackTimeoutS */
const followedStep = (step, template, ackTimeoutS) =>
  /** @this {any} @param {any} spec @param {any} ee */
  function (spec, ee) {
    const engine = this;
    const inner = step.call(this, spec, ee);
    if (!spec.emit) return inner;
    const expectation = expectationOf(spec);
    /** @param {Context} context @param {Callback} callback */
    const ask = (context, callback) => {
      const namespace = template(spec.namespace, context) || '';
      const socket = context.sockets?.[namespace];
      const call = new ReplyCall(
        userOf(context), 'socketio', 'EMIT', `${engine.config.target}${namespace}`, String(template(emitName(spec), context))
      );
      const awaited = typeof expectation === 'object' && expectation !== null;
      const channel = awaited ? template(expectation.channel, context) : null;
      /** The last response, where only Artillery can tell whether it is the one. @type {{ at: number, bytes: number } | null} */
      let last = null;
      const heard = (/** @type {any[]} */ ...reply) => {
        if (awaited && expectation.data === undefined) call.answer(jsonSize(reply));
        else last = { at: now(), bytes: jsonSize(reply) };
      };
      const end = once((error, after) => {
        clearTimeout(timer);
        if (channel) socket.off(channel, heard);
        if (last) call.answer(last.bytes, last.at);
        call.finish(error === 'response timeout' ? 'no response' : error);
        callback(error, after);
      });
      const timer = expectation === 'acknowledgement' ? setTimeout(giveUp, ackTimeoutS * 1000) : undefined;
      function giveUp() {
        if (!call.finished) ee.emit('error', NO_ACKNOWLEDGEMENT);
        end(new Error(NO_ACKNOWLEDGEMENT), context);
      }
      if (channel) socket.on(channel, heard);
      watchEmit(socket, call, () => inner(context, end));
    };
    return (/** @type {Context} */ context, /** @type {Callback} */ callback) => {
      if (!expectation) {
        counts.unanswered('socketio');
        return inner(context, once(callback));
      }
      // The namespace's connection first, so that its time is not taken for the emit's.
      const namespace = template(spec.namespace, context) || '';
      return engine.loadContextSocket(namespace, context, (/** @type {any} */ error) => {
        if (!error) return ask(context, callback);
        ee.emit('error', error.message);
        return callback(error, context);
      });
    };
  };

/** @param {import('./settings.cjs').Settings} given */
function installSocketio(given) {
  const engine = ownModule(given, 'core/engine_socketio.js').default.prototype;
  const { template } = ownModule(given, 'commons/engine_util.js');
  replaceMethod(engine, 'loadContextSocket', followedConnect);
  replaceMethod(engine, 'step', (step) => followedStep(step, template, given.ackTimeoutS));
}

module.exports = { installSocketio };
