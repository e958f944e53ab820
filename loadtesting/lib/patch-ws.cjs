'use strict';
/**
 * Follows websocket users, which Artillery does not time at all, and keeps one stray message from ending the worker.
 *
 * After a reply Artillery leaves its handler on the socket: the next message calls the step back again, and "Callback was already
 * called." ends every user of the worker. The same happens where a connection breaks later. Here a step ends once; a message
 * that nobody waits for is counted as Artillery counts it, and goes.
 */
const { randomUUID } = require('node:crypto');
const { ownModule, replaceMethod } = require('./artillery.cjs');
const { counts } = require('./counts.cjs');
const { ReplyCall, sizeOf } = require('./reply-call.cjs');
const { defaultName, once } = require('./text.cjs');
const { userOf } = require('./user.cjs');

/** @typedef {import('./types.cjs').Context} Context */
/** @typedef {import('./types.cjs').Callback} Callback */
/** @typedef {{ user: import('./types.cjs').User, timeoutMs: number }} Connecting */

const SENT_BYTES = Symbol('toolkit.recorder.sent');

/** The user whose connection is made right now. @type {Connecting | null} */
let connecting = null;

/**
 * Artillery takes `wsArgs` from the context in the very statement before it makes the socket: the one moment in which user and
 * socket can be tied together.
 * @param {Context} context
 * @param {Connecting} mine
 */
function announceConnection(context, mine) {
  /** @type {unknown} */
  let args;
  Object.defineProperty(context, 'wsArgs', {
    configurable: true,
    enumerable: true,
    set: (value) => {
      args = value;
    },
    get: () => {
      connecting = mine;
      return args;
    }
  });
}

/** @param {any} headers */
function requestIdOf(headers) {
  const key = Object.keys(headers).find((name) => name.toLowerCase() === 'x-request-id');
  return key === undefined ? undefined : String(headers[key]);
}

/** Stands where Artillery has the WebSocket class. @param {any} Real */
const followedSocket = (Real) =>
  /** @param {string} target @param {unknown} protocols @param {any} options */
  function (target, protocols, options) {
    const mine = connecting;
    connecting = null;
    if (!mine) return new Real(target, protocols, options);
    const requestId = requestIdOf(options?.headers ?? {}) ?? randomUUID();
    const call = new ReplyCall(mine.user, 'ws', 'CONNECT', target, defaultName('CONNECT', target));
    call.requestId = requestId;
    let socket;
    try {
      socket = new Real(target, protocols, {
        // Without this a server that accepts and says nothing would hold the user for ever.
        handshakeTimeout: mine.timeoutMs,
        ...options,
        headers: { 'X-Request-ID': requestId, ...options?.headers }
      });
    } catch (error) {
      // A target that is no url: Artillery would lose the worker over it.
      socket = new FailedSocket(error);
    }
    socket.on('open', () => {
      call.finish(null);
      // Artillery's listener belongs to the connection attempt; called now it would call back a second time.
      socket.removeAllListeners('error');
      socket.on('error', () => {});
    });
    socket.on('error', (/** @type {unknown} */ error) => call.finish(error));
    const send = socket.send;
    socket.send = function (/** @type {any} */ data, /** @type {any[]} */ ...rest) {
      socket[SENT_BYTES] = sizeOf(data);
      return send.call(socket, data, ...rest);
    };
    return socket;
  };

class FailedSocket extends require('node:events') {
  /** @param {unknown} error */
  constructor(error) {
    super();
    process.nextTick(() => this.emit('error', error));
  }

  send() {}
}

/** @param {any} spec */
const waitsForReply = (spec) => {
  const params = spec.wait ?? spec.send;
  return typeof params === 'object' && params !== null && ('capture' in params || 'match' in params);
};

/** Which of Artillery's step kinds a spec is; in its own order. @param {any} spec */
function kindOf(spec) {
  const kind = ['loop', 'think', 'function', 'log', 'connect', 'wait', 'send'].find((key) => spec[key]);
  return kind ?? 'other';
}

/** @param {any} step Artillery's own */
const followedStep = (step) =>
  /** @this {any} @param {any} spec @param {any} ee */
  function (spec, ee) {
    const inner = step.call(this, spec, ee);
    const kind = kindOf(spec);
    if (kind === 'function') return guardedFunction(this.config, spec.function, inner);
    if (kind !== 'wait' && kind !== 'send') return inner;
    if (waitsForReply(spec)) return askingStep(kind, spec[kind], inner, ee);
    return (/** @type {Context} */ context, /** @type {Callback} */ callback) => {
      counts.unanswered('ws');
      return inner(context, once(callback));
    };
  };

/**
 * A function step whose function is missing never calls back in Artillery: the user, and the run, would hang.
 * @param {import('./types.cjs').Config} config
 * @param {string} name
 * @param {import('./types.cjs').Step} inner
 */
const guardedFunction = (config, name, inner) => (/** @type {Context} */ context, /** @type {Callback} */ callback) => {
  if (typeof config.processor?.[name] === 'function') return inner(context, once(callback));
  return callback(new Error(`Undefined function "${name}"`), context);
};

/**
 * @param {'wait' | 'send'} kind
 * @param {any} params
 * @param {import('./types.cjs').Step} inner
 * @param {import('./types.cjs').Emitter} ee
 */
const askingStep = (kind, params, inner, ee) => (/** @type {Context} */ context, /** @type {Callback} */ callback) => {
  const socket = context.ws;
  const method = kind.toUpperCase();
  const call = new ReplyCall(userOf(context), 'ws', method, socket.url, params.name ?? defaultName(method, socket.url));
  const end = once((error, after) => {
    socket.removeListener('close', closed);
    call.finish(error === 'response timeout' ? 'no response' : error);
    callback(error, after);
  });
  // A closed connection answers nothing: Artillery would wait for the whole timeout.
  const closed = () => end(new Error('connection closed'), context);
  socket.once('close', closed);
  socket[SENT_BYTES] = 0;
  inner(context, end);
  call.bytesOut = socket[SENT_BYTES];
  const handler = socket.onmessage;
  if (call.finished || typeof handler !== 'function') return;
  socket.onmessage = (/** @type {any} */ event) => {
    if (!call.finished) {
      call.answer(sizeOf(event.data));
      return handler(event);
    }
    ee.emit('counter', 'websocket.messages_received', 1);
    ee.emit('rate', 'websocket.receive_rate');
  };
};

/** @param {import('./settings.cjs').Settings} given */
function installWs(given) {
  const { default: Engine, _deps } = ownModule(given, 'core/engine_ws.js');
  replaceMethod(_deps, 'WebSocket', followedSocket);
  replaceMethod(Engine.prototype, 'step', followedStep);
  replaceMethod(Engine.prototype, 'createScenario', (createScenario) =>
    /** @this {any} @param {any} spec @param {any} ee */
    function (spec, ee) {
      const play = createScenario.call(this, spec, ee);
      const timeoutMs = Number(this.config.timeout || this.config.ws?.timeout || 10) * 1000;
      return (/** @type {Context} */ context, /** @type {Callback} */ callback) => {
        announceConnection(context, { user: userOf(context), timeoutMs });
        return play(context, callback);
      };
    }
  );
}

module.exports = { installWs };
