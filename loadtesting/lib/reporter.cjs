'use strict';
/** In Artillery's main thread (by CUSTOM_REPORTERS): phases, users, dead workers and the end, one line each in events.jsonl. */
const { BroadcastChannel, receiveMessageOnPort } = require('node:worker_threads');
const { arrivals, phaseLabel } = require('./arrivals.cjs');
const { channel } = require('./channel.cjs');
const { total } = require('./counts.cjs');
const { recorder } = require('./recorder.cjs');
const { settings } = require('./settings.cjs');

const TELL_MS = 500;
/** Artillery leaves 35 ms after a signal; a busy worker needs longer to write its last records. */
const PATIENCE_MS = 3000;

/** @typedef {import('./channel.cjs').Message} Message */

/** Which workers there are, what they count, and which have written their last record. */
class Workers {
  constructor() {
    /** @type {Map<number, import('./counts.cjs').Snapshot>} */
    this.counts = new Map();
    /** @type {Set<number>} */
    this.writing = new Set();
    /** @type {Set<number>} those that have users, or will have */
    this.visited = new Set();
    this.changed = false;
    /** @type {() => void} */
    this.allDone = () => {};
    this.port = new BroadcastChannel(channel.NAME);
    this.port.unref();
    this.port.onmessage = (event) => this.hear(/** @type {any} */ (event).data);
  }

  /** @param {Message} message */
  hear(message) {
    if (message.kind === 'counts') {
      this.counts.set(message.worker, message.counts);
      this.changed = true;
    } else if (message.kind === 'hello') {
      this.writing.add(message.worker);
      this.visited.add(message.worker);
    } else if (message.kind === 'left') {
      this.visited.delete(message.worker);
      if (this.visited.size === 0) recorder.event({ kind: 'users_left' });
    } else {
      this.writing.delete(message.worker);
      if (message.kind === 'gone') endEarly();
    }
    if (this.writing.size === 0) this.allDone();
  }

  tell() {
    if (!this.changed) return;
    this.changed = false;
    recorder.event({ kind: 'users', ...total([...this.counts.values()]) });
  }

  /** What has come in but was not heard yet: at exit nothing is delivered any more. */
  drain() {
    for (;;) {
      const waiting = receiveMessageOnPort(/** @type {any} */ (this.port));
      if (!waiting) return;
      this.hear(waiting.message);
    }
  }
}

/** Artillery would wait for a worker that has gone until somebody ends it; a signal lets the others write what they have. */
const endEarly = () => process.kill(process.pid, 'SIGTERM');

/** @param {any} message of Artillery's `workerError` event */
function workerError(message) {
  const text = String(message?.error?.message ?? message?.error ?? 'unknown error');
  if (message?.level === 'warn') recorder.event({ kind: 'note', message: text });
  else recorder.problem(`a generator worker failed: ${text}`);
}

/** @param {import('./types.cjs').Phase} phase */
const described = (phase) => ({ phase: phaseLabel(phase), index: phase.index ?? 0, duration_s: Number(phase.duration ?? phase.pause ?? 0) });

/** @param {import('node:events').EventEmitter} events */
module.exports = (events) => {
  const given = settings();
  if (!given) return {};
  const workers = new Workers();
  recorder.events = given.events;
  setInterval(() => workers.tell(), TELL_MS).unref();
  events.on('phaseStarted', (phase) => {
    arrivals.setPhase('after');
    recorder.event({ kind: 'phase_started', ...described(phase) });
  });
  events.on('phaseCompleted', (phase) => recorder.event({ kind: 'phase_ended', ...described(phase) }));
  events.on('workerError', workerError);
  events.on('done', () => {
    workers.tell();
    recorder.event({ kind: 'done' });
  });
  process.on('exit', () => {
    workers.drain();
    workers.tell();
  });
  return {
    /** @param {() => void} callback */
    cleanup(callback) {
      const patience = setTimeout(callback, PATIENCE_MS);
      workers.allDone = () => {
        clearTimeout(patience);
        callback();
      };
      if (workers.writing.size === 0) workers.allDone();
    }
  };
};
