'use strict';
/**
 * Artillery's plugin metrics-by-endpoint names each request by its target, url and name, none of them filled in yet: the same few names
 * again and again, for each of which it takes apart two urls (4 % of what a request costs). They are kept, which pays for a good part
 * of what recording costs.
 */

/** Urls that a user's hook makes up may be new with each request. */
const MOST = 2000;

/** @typedef {(params: Record<string, any>, context: any, events: unknown, next: (error?: unknown) => void) => unknown} Hook */
/** @typedef {{ target: unknown, url: unknown, name: unknown, said: unknown }} Known */

/**
 * @param {Hook} nameIt Artillery's own: sets `defaultName`, and nothing else
 * @returns {Hook}
 */
function rememberingNames(nameIt) {
  /** @type {Map<unknown, Known>} */
  const known = new Map();
  return function (params, context, events, next) {
    const target = context.vars.target;
    const before = known.get(params.url);
    if (before !== undefined && before.target === target && before.name === params.name) {
      params.defaultName = before.said;
      return next();
    }
    const { url, name } = params;
    const named = 'defaultName' in params;
    return nameIt(params, context, events, (error) => {
      if (!error && !named && 'defaultName' in params) {
        if (known.size >= MOST) known.clear();
        known.set(url, { target, url, name, said: params.defaultName });
      }
      next(error);
    });
  };
}

module.exports = { rememberingNames };
