'use strict';
/** One per thread: takes finished requests, writes them as lines, and says what went wrong. */
const fs = require('node:fs');
const path = require('node:path');
const { isMainThread } = require('node:worker_threads');
const clock = require('./clock.cjs');
const { Part } = require('./part.cjs');
const { PendingRequests } = require('./pending.cjs');
const { writeRow } = require('./row.cjs');

const FLUSH_MS = 250;
/**
 * Rows are put into words so many at a time: between two requests Artillery drives this code and its data out of the processor's
 * caches, and one row alone costs six times as much.
 */
const TOGETHER = 100;
const HEADER = '{"schema":1,"kind":"requests"}\n';

/** @typedef {import('./types.cjs').Row} Row */

class Recorder {
  constructor() {
    /** @type {Part | null} */
    this.part = null;
    this.events = '';
    /** @type {Row[]} */
    this.rows = [];
    this.lost = 0;
    this.closed = false;
    /** An error that nobody caught ends this thread. */
    this.failed = false;
    /** Each is written as interrupted where the load is stopped before its end. */
    this.pending = new PendingRequests();
    /** @type {() => void} */
    this.tell = () => {};
  }

  /**
   * @param {import('./settings.cjs').Settings} given
   * @param {string} thread
   */
  open(given, thread) {
    this.events = given.events;
    this.part = new Part(path.join(given.parts, `${thread}-${process.pid}.jsonl`), HEADER);
    setInterval(() => this.flush(), FLUSH_MS).unref();
    process.on('exit', () => this.close());
    process.on('uncaughtExceptionMonitor', (error) => {
      this.failed = true;
      // In the main thread it is Artillery itself that gives up, before the first user: no numbers, so none that are wrong.
      if (isMainThread) this.event({ kind: 'note', message: `Artillery gave up: ${messageOf(error)}` });
      else this.problem(`a generator worker died: ${messageOf(error)}`);
    });
  }

  /** @param {() => void} tell called with every flush */
  beforeFlush(tell) {
    this.tell = tell;
  }

  /** @param {Row} row */
  write(row) {
    if (this.rows.push(row) >= TOGETHER) this.spell();
  }

  spell() {
    const rows = this.rows;
    this.rows = [];
    const part = this.part;
    if (part) this.guard(() => rows.forEach((row) => writeRow(part, row)));
  }

  flush() {
    this.tell();
    this.spell();
    clock.reanchor();
    this.guard(() => this.part?.flush());
  }

  /** Nothing that goes wrong here may end a user of the load. @param {() => void} write */
  guard(write) {
    try {
      write();
    } catch (error) {
      // Said once: where the disk is full, saying it again and again helps nobody.
      if (this.lost++ === 0) this.problem(`request records were lost: ${messageOf(error)}`);
    }
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    this.pending.interrupt();
    this.flush();
  }

  /** A problem that makes the numbers doubtful. @param {string} message */
  problem(message) {
    this.event({ kind: 'worker_error', message });
  }

  /** @param {Record<string, unknown>} event */
  event(event) {
    if (!this.events) return;
    const line = `{"t_ns":${clock.microseconds(clock.now())}000,${JSON.stringify(event).slice(1)}\n`;
    try {
      fs.appendFileSync(this.events, line, { mode: 0o600 });
    } catch {
      // The disk is full or the folder gone: there is nowhere left to say so, and the load goes on.
    }
  }
}

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

module.exports = { recorder: new Recorder() };
