'use strict';
/** What a thread counts beside its requests: users by scenario, errors, messages without a reply. All cumulative. */

/**
 * @typedef {object} Snapshot
 * @property {Record<string, number>} created by scenario
 * @property {number} completed
 * @property {number} failed
 * @property {number} skipped arrivals over maxVusers
 * @property {Record<string, number>} errors as Artillery names them
 * @property {Record<string, number>} unanswered messages sent without waiting for a reply, by protocol
 */

const CREATED = 'vusers.created_by_name.';
const ERRORS = 'errors.';
const V = CREATED.charCodeAt(0);
const E = ERRORS.charCodeAt(0);
/** An error text may hold anything; a run must not fill the memory with them. */
const MOST = 200;

/** @type {Snapshot} */
const counted = { created: {}, completed: 0, failed: 0, skipped: 0, errors: {}, unanswered: {} };
let changed = false;
/** Takes in what Artillery has counted since. */
let readNew = () => {};

/**
 * @param {Record<string, number>} group
 * @param {string} key
 * @param {number} value
 */
function add(group, key, value) {
  const kept = key in group || Object.keys(group).length < MOST ? key : 'others';
  group[kept] = (group[kept] ?? 0) + value;
  changed = true;
}

const counts = {
  /** @param {() => void} read takes in what Artillery has counted since; called before anything is told */
  readWith(read) {
    readNew = read;
  },

  /**
   * One of Artillery's own counters.
   * @param {string} name
   * @param {number} value
   */
  artillery(name, value) {
    // Most of what Artillery counts begins with "http.": told apart by one character, six times for every request.
    const initial = name.charCodeAt(0);
    if (initial !== V && initial !== E) return;
    if (name.startsWith(CREATED)) {
      add(counted.created, name.slice(CREATED.length), value);
    } else if (name.startsWith(ERRORS)) {
      add(counted.errors, name.slice(ERRORS.length), value);
    } else if (name === 'vusers.completed' || name === 'vusers.failed' || name === 'vusers.skipped') {
      const key = /** @type {'completed' | 'failed' | 'skipped'} */ (name.slice('vusers.'.length));
      counted[key] += value;
      changed = true;
    }
  },

  /** Users that have arrived and not left yet. */
  users() {
    readNew();
    return Object.values(counted.created).reduce((sum, value) => sum + value, 0) - counted.completed - counted.failed;
  },

  /** @param {string} protocol */
  unanswered(protocol) {
    add(counted.unanswered, protocol, 1);
  },

  /** @returns {Snapshot | null} null where nothing changed since the last one */
  snapshot() {
    readNew();
    if (!changed) return null;
    changed = false;
    return structuredClone(counted);
  }
};

/**
 * @param {Snapshot[]} snapshots one per thread
 * @returns {Snapshot}
 */
function total(snapshots) {
  /** @type {Snapshot} */
  const sum = { created: {}, completed: 0, failed: 0, skipped: 0, errors: {}, unanswered: {} };
  for (const one of snapshots) {
    sum.completed += one.completed;
    sum.failed += one.failed;
    sum.skipped += one.skipped;
    for (const group of /** @type {const} */ (['created', 'errors', 'unanswered'])) {
      for (const [key, value] of Object.entries(one[group])) sum[group][key] = (sum[group][key] ?? 0) + value;
    }
  }
  return sum;
}

module.exports = { counts, total };
