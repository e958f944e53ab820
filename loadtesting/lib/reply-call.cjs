'use strict';
/** One operation of a websocket or Socket.IO user that is answered: a connection, a message with its reply, an acknowledgement. */
const { now } = require('./clock.cjs');
const { arrivals } = require('./arrivals.cjs');
const { recorder } = require('./recorder.cjs');
const { errorText } = require('./text.cjs');
const { intendedNow } = require('./user.cjs');

class ReplyCall {
  /**
   * @param {import('./types.cjs').User} user
   * @param {'ws' | 'socketio'} protocol
   * @param {string} method
   * @param {string} url
   * @param {string} name
   */
  constructor(user, protocol, method, url, name) {
    this.user = user;
    this.protocol = protocol;
    this.method = method;
    this.url = url;
    this.name = name;
    this.phase = arrivals.phase();
    this.start = now();
    this.intended = Math.min(intendedNow(user), this.start);
    /** When the answer came. @type {number | null} */
    this.answered = null;
    this.bytesIn = 0;
    this.bytesOut = 0;
    /** @type {string | null} */
    this.requestId = null;
    this.finished = false;
    /** Among the pending ones. */
    this.place = -1;
    user.sent = true;
    recorder.pending.add(this);
  }

  /**
   * The answer is there; Artillery still looks at it.
   * @param {number} bytes
   * @param {number} at when it came
   */
  answer(bytes, at = now()) {
    if (this.answered !== null) return;
    this.answered = at;
    this.bytesIn = bytes;
  }

  /** @param {any} error null where the answer was right */
  finish(error) {
    if (this.finished) return;
    this.finished = true;
    recorder.pending.delete(this);
    const end = this.answered ?? now();
    recorder.write({
      protocol: this.protocol,
      scenario: this.user.scenario,
      name: this.name,
      method: this.method,
      url: this.url,
      phase: this.phase,
      intended: this.intended,
      start: this.start,
      firstByte: this.answered ?? (error ? null : end),
      end,
      // A wrong answer is one: a failed check, as it is of a request over HTTP.
      status: error && this.answered === null ? null : 0,
      error: error ? errorText(error) : null,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      requestId: this.requestId,
      user: this.user.id
    });
  }

  interrupt() {
    this.finish('interrupted');
  }
}

/** Of a message as it goes over the wire; 0 where it cannot be told. @param {any} data */
function sizeOf(data) {
  if (typeof data === 'string') return Buffer.byteLength(data);
  if (Array.isArray(data)) return data.reduce((sum, part) => sum + (part?.byteLength ?? 0), 0);
  return data?.byteLength ?? 0;
}

/** Of values as Socket.IO sends them; 0 where they are not JSON. @param {unknown[]} values */
function jsonSize(values) {
  try {
    return Buffer.byteLength(JSON.stringify(values));
  } catch {
    return 0;
  }
}

module.exports = { ReplyCall, sizeOf, jsonSize };
