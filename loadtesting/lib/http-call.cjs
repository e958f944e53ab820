'use strict';
/**
 * One HTTP step of a flow: a request, or a chain of redirects with one record for each. In the common case (a connection that is kept
 * alive, a step without hooks and captures) this adds no listener to the request nor to its response: each is felt in a closed loop.
 */
const { now } = require('./clock.cjs');
const { arrivals } = require('./arrivals.cjs');
const { recorder } = require('./recorder.cjs');
const { errorText } = require('./text.cjs');
const { intendedNow } = require('./user.cjs');

/** On node's request: its hop. */
const HOP = Symbol('toolkit.recorder.hop');

/**
 * @typedef {object} Hop one request on the wire
 * @property {string} method
 * @property {HttpCall} call
 * @property {string} url
 * @property {string} phase
 * @property {number} created
 * @property {number | null} start when it got its connection: after the wait for the pool, before DNS and connect
 * @property {number | null} firstByte
 * @property {number | null} end
 * @property {boolean} endsStep whether its last byte ends the step in the same instant
 * @property {number | null} status
 * @property {number} bytesIn
 * @property {number} bytesOut
 * @property {string | null} answeredId
 */

/** What a server may call a request in its answer. */
const ID = /^[\x21-\x7e]{1,200}$/;

class HttpCall {
  /**
   * @param {import('./types.cjs').User} user
   * @param {string} method
   * @param {string} label the name it has where the scenario file gives it none
   * @param {boolean} bare whether Artillery calls back with the last byte: no captures, no hooks
   */
  constructor(user, method, label, bare) {
    this.user = user;
    this.method = method;
    this.label = label;
    this.bare = bare;
    this.intended = intendedNow(user);
    /** Artillery's own request parameters, once they are there. @type {Record<PropertyKey, any>} */
    this.params = NONE;
    /** @type {string | null} */
    this.requestId = null;
    /** @type {string | null} */
    this.expectation = null;
    /** @type {Hop[] | null} */
    this.hops = null;
    this.finished = false;
    /** Among the pending ones. */
    this.place = -1;
    /** Whether the url of the parameters is all of the url. */
    this.urlIsWhole = false;
  }

  /**
   * @param {unknown} requestId as it goes over the wire
   * @param {boolean} hasQuery whether a query is added to the url
   */
  sends(requestId, hasQuery) {
    this.requestId = String(requestId);
    this.urlIsWhole = !hasQuery;
    recorder.pending.add(this);
  }

  /**
   * @param {import('node:http').ClientRequest} request
   * @param {number} at
   */
  hop(request, at) {
    this.user.sent = true;
    /** @type {Hop} */
    const hop = {
      call: this,
      method: request.method,
      url: this.urlIsWhole && this.hops === null ? this.params.url : urlOf(request),
      phase: arrivals.phase(),
      created: at,
      // A connection that is kept alive is given to the request while it is made, though its `socket` comes later.
      start: request.socket || request.reusedSocket ? at : null,
      firstByte: null,
      end: null,
      endsStep: false,
      status: null,
      bytesIn: 0,
      bytesOut: sizeOut(request),
      answeredId: null
    };
    if (this.hops === null) this.hops = [hop];
    else this.hops.push(hop);
    if (hop.start === null) request.on('socket', () => (hop.start = now()));
    /** @type {any} */ (request)[HOP] = hop;
  }

  /** @param {any} error null where the step went well */
  finish(error) {
    if (this.finished) return;
    this.finished = true;
    recorder.pending.delete(this);
    const problem = error ? errorText(error) : this.expectation;
    const hops = this.hops;
    if (hops === null) {
      if (error) this.writeUnsent(problem);
      return;
    }
    const last = hops.length - 1;
    for (let index = 0; index < last; index++) this.write(/** @type {Hop} */ (hops[index]), index, null);
    const hop = /** @type {Hop} */ (hops[last]);
    if (hop.endsStep && !error) hop.end = now();
    this.write(hop, last, problem);
  }

  /** The load ends before this request does: whether the server answers it, nobody will see. */
  interrupt() {
    this.finish('interrupted');
  }

  /**
   * @param {Hop} hop
   * @param {number} index
   * @param {string | null} problem of the last one
   */
  write(hop, index, problem) {
    const start = hop.start ?? hop.created;
    recorder.write({
      protocol: 'http',
      scenario: this.user.scenario,
      name: this.name(),
      method: hop.method,
      url: hop.url,
      phase: hop.phase,
      intended: index === 0 ? Math.min(this.intended, start) : hop.created,
      start,
      firstByte: hop.firstByte,
      end: hop.end ?? (hop === this.hops?.at(-1) ? now() : (hop.firstByte ?? now())),
      status: hop.status,
      error: problem,
      // A body that broke off: its header says how long it should have been.
      bytesIn: hop.status !== null && hop.end === null ? null : hop.bytesIn,
      bytesOut: hop.bytesOut,
      requestId: this.requestId,
      answeredId: hop.answeredId,
      user: this.user.id
    });
  }

  /** A step that failed before anything was sent (a hook, a wrong url): no server saw it, the summary must. @param {string | null} problem */
  writeUnsent(problem) {
    this.user.sent = true;
    const at = now();
    /** @type {Hop} */
    const hop = {
      call: this,
      method: this.method,
      url: String(this.params.url ?? ''),
      phase: arrivals.phase(),
      created: at,
      start: at,
      firstByte: null,
      end: at,
      endsStep: false,
      status: null,
      bytesIn: 0,
      bytesOut: 0,
      answeredId: null
    };
    this.hops = [hop];
    this.write(hop, 0, problem);
  }

  name() {
    const named = this.params.name;
    return named ? String(named) : this.label;
  }
}

/** Before there are any. @type {Record<PropertyKey, any>} */
const NONE = Object.freeze({});

/**
 * The head of a response is there: Artillery says so once for each hop, redirects included.
 * @param {import('node:http').IncomingMessage} response
 */
function responded(response) {
  const request = /** @type {any} */ (response).req;
  /** @type {Hop | undefined} */
  const hop = request?.[HOP];
  if (!hop) return;
  hop.firstByte = now();
  const status = response.statusCode ?? 0;
  hop.status = status;
  hop.answeredId = answeredId(response, hop.call);
  countBody(request, response, hop);
  // A redirect is followed by another request, and a compressed body by its decompression: their last byte is not the step's end.
  hop.endsStep = hop.call.bare && (status < 300 || status >= 400) && response.headers['content-encoding'] === undefined;
  if (!hop.endsStep) response.on('end', () => (hop.end = now()));
}

/**
 * What the server calls the request, where that is not what it was told.
 * @param {import('node:http').IncomingMessage} response
 * @param {HttpCall} call
 */
function answeredId(response, call) {
  const id = response.headers['x-request-id'];
  if (id === undefined || id === call.requestId) return null;
  return ID.test(String(id)) ? String(id) : null;
}

/** @param {import('node:http').ClientRequest} request */
const urlOf = (request) => `${request.protocol}//${request.getHeader('host') ?? request.host}${request.path}`;

/** The body's length as its header says; 0 where there is none, or a stream without a length. @param {import('node:http').ClientRequest} request */
function sizeOut(request) {
  if (request.method === 'GET') return 0;
  const length = Number(request.getHeader('content-length'));
  return length > 0 ? length : 0;
}

/**
 * The size of a body on the wire, compressed as it is: as its header says, or counted where that says nothing. Not by a `data`
 * listener: that would set the stream flowing before Artillery has attached its own.
 * @param {import('node:http').ClientRequest} request
 * @param {import('node:http').IncomingMessage} response
 * @param {Hop} hop
 */
function countBody(request, response, hop) {
  const length = Number(response.headers['content-length']);
  if (request.method === 'HEAD' || length >= 0) {
    hop.bytesIn = request.method === 'HEAD' ? 0 : length;
    return;
  }
  const push = response.push;
  response.push = function (chunk, encoding) {
    if (chunk) hop.bytesIn += chunk.length;
    return push.call(this, chunk, encoding);
  };
}

module.exports = { HttpCall, responded };
