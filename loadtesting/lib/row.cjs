'use strict';
/** How a finished request becomes a line of JSON: the fields of toolkit/recording/records.py, in their order. */
const clock = require('./clock.cjs');
const { safeUrl } = require('./text.cjs');

/** @typedef {import('./types.cjs').Row} Row */
/** @typedef {import('./part.cjs').Part} Part */

/**
 * What the lines of one name have in common. The last beginning and the last outcome are tried first: to compare a few strings
 * costs far less than to put a key together, and a name seldom has more than one url or one size at a time.
 * @typedef {object} Kind
 * @property {Row} last the row that `beginning` was made from
 * @property {Buffer} beginning
 * @property {Map<string, Buffer>} beginnings
 * @property {Row} outcomeOf the row that the last outcome was made from
 * @property {Buffer | null} outcome null until it is seen twice in a row
 */

const MOST_KEPT = 2000;
const bytes = (/** @type {string} */ text) => Buffer.from(text, 'utf8');

const START = bytes('000,"start_ns":');
const FIRST_BYTE = bytes('000,"first_byte_ns":');
const END_AFTER_TIME = bytes('000,"end_ns":');
const END_AFTER_NULL = bytes('null,"end_ns":');

/** @type {Map<string, Kind>} */
let kinds = new Map();
let kept = 0;

/** A lone half of a surrogate pair is legal in JavaScript and in no UTF-8 file. @param {string | null} text */
const quoted = (text) => (text === null ? 'null' : JSON.stringify(text.toWellFormed()));

/** An id is new with every request; most are UUIDs, which JSON has nothing to escape in. @param {string | null} id */
const quotedId = (id) => (id !== null && /^[\w-]+$/.test(id) ? `"${id}"` : quoted(id));

/** @param {Row} a @param {Row} b */
const sameBeginning = (a, b) =>
  a.url === b.url && a.phase === b.phase && a.method === b.method && a.scenario === b.scenario && a.protocol === b.protocol;

/** @param {Row} a @param {Row} b */
const sameOutcome = (a, b) =>
  a.bytesIn === b.bytesIn && a.bytesOut === b.bytesOut && a.status === b.status && a.error === b.error;

/** @param {Row} row */
const beginningOf = (row) =>
  `{"protocol":${quoted(row.protocol)},"scenario":${quoted(row.scenario)},"name":${quoted(row.name)}` +
  `,"method":${quoted(row.method)},"url":${quoted(safeUrl(row.url))},"phase":${quoted(row.phase)},"intended_ns":`;

/** @param {Row} row */
const outcomeOf = (row) =>
  `000,"status":${row.status},"error":${quoted(row.error)},"bytes_in":${row.bytesIn},"bytes_out":${row.bytesOut},"request_id":`;

/** The kind of a row, with the row's beginning as its last one. @param {Row} row @returns {Kind} */
function kindOf(row) {
  let kind = kinds.get(row.name);
  if (kind && sameBeginning(kind.last, row)) return kind;
  const key = JSON.stringify([row.protocol, row.scenario, row.method, row.url, row.phase]);
  let beginning = kind?.beginnings.get(key);
  if (!beginning) {
    if (++kept > MOST_KEPT) {
      kinds = new Map();
      kind = undefined;
      kept = 1;
    }
    beginning = bytes(beginningOf(row));
  }
  if (!kind) {
    kind = { last: row, beginning, beginnings: new Map(), outcomeOf: row, outcome: null };
    kinds.set(row.name, kind);
  }
  kind.beginnings.set(key, beginning);
  kind.beginning = beginning;
  kind.last = row;
  return kind;
}

/** @param {Part} part @param {Kind} kind @param {Row} row */
function writeOutcome(part, kind, row) {
  if (kind.outcomeOf !== row && sameOutcome(kind.outcomeOf, row)) {
    kind.outcome ??= bytes(outcomeOf(row));
    part.bytes(kind.outcome);
  } else {
    kind.outcomeOf = row;
    kind.outcome = null;
    part.text(outcomeOf(row));
  }
}

/**
 * @param {Part} part
 * @param {Row} row
 */
function writeRow(part, row) {
  const kind = kindOf(row);
  const answered = row.answeredId ? `,"answered_id":${quoted(row.answeredId)}` : '';
  const tail = `${quotedId(row.requestId)},"user":"${row.user}"${answered}}\n`;
  part.begin(kind.beginning.length + tail.length + (row.error?.length ?? 0) * 6 + 300);
  part.bytes(kind.beginning);
  part.time(clock.microseconds(row.intended));
  part.bytes(START);
  part.time(clock.microseconds(row.start));
  part.bytes(FIRST_BYTE);
  if (row.firstByte === null) {
    part.bytes(END_AFTER_NULL);
  } else {
    part.time(clock.microseconds(row.firstByte));
    part.bytes(END_AFTER_TIME);
  }
  part.time(clock.microseconds(row.end));
  writeOutcome(part, kind, row);
  part.text(tail);
}

module.exports = { writeRow };
