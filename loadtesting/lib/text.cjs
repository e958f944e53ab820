'use strict';
/** Words for the records: urls without secrets, names without numbers, errors in short. */

const LONGEST = 2000;
/** @type {Map<string, string>} */
const known = new Map();

/**
 * As it goes over the wire, but without user-info, fragment and query values (a token in a query must not end up in a report); the keys stay.
 * @param {string} url
 */
function safeUrl(url) {
  const before = known.get(url);
  if (before !== undefined) return before;
  if (known.size > 5000) known.clear();
  const wire = URL.canParse(url) ? new URL(url).href : url;
  const safe = withoutSecrets(wire.split('#', 1)[0] ?? '').slice(0, LONGEST);
  known.set(url, safe);
  return safe;
}

/** @param {string} text */
const withoutSecrets = (text) =>
  text.replace(/:\/\/[^/?#@\s]*@/g, '://').replace(/([?&][^=&#\s]*)=[^&#\s]*/g, '$1=');

/**
 * The default name of a request: its method and the path as the scenario file spells it, placeholders and all, so that a thousand
 * urls of one kind are one row of a table.
 * @param {string} method
 * @param {unknown} url
 */
function defaultName(method, url) {
  const template = String(url ?? '');
  const path = template.replace(/^(?:[a-z+]+:\/\/[^/?#]*|\{\{[^}]*\}\}(?=\/))/i, '').split(/[?#]/, 1)[0];
  return `${method} ${path || '/'}`.slice(0, LONGEST);
}

/**
 * As Artillery counts it: the code, else the message.
 * @param {any} error
 */
function errorText(error) {
  const text = typeof error === 'object' && error ? error.code || error.message || error.name : error;
  return withoutSecrets(String(text ?? 'unknown error')).slice(0, 300);
}

/**
 * A callback that works once. Artillery's steps may call back again (a second message, a late answer), which would end the
 * whole worker with "Callback was already called.".
 * @template {(...values: any[]) => any} F
 * @param {F} callback
 * @returns {(...values: Parameters<F>) => boolean} whether it was the first call
 */
function once(callback) {
  let called = false;
  return (...values) => {
    if (called) return false;
    called = true;
    callback(...values);
    return true;
  };
}

module.exports = { safeUrl, defaultName, errorText, once };
