'use strict';
/**
 * Follows every HTTP request, redirects included, from the step of the flow to the last byte.
 *
 * Two ties are needed. From the step to Artillery's request parameters: these begin as a copy of the step's, and the copy asks
 * a property that answers with the step that runs right now. From the parameters to the call of got: by a hook after all of the
 * user's own beforeRequest hooks, which runs in the same instant as the call. There each request gets its X-Request-ID, after
 * every hook of the user had its say.
 */
const { now } = require('./clock.cjs');
const { ownModule, replaceMethod } = require('./artillery.cjs');
const { HttpCall, responded } = require('./http-call.cjs');
const { defaultName } = require('./text.cjs');
const { rememberingNames } = require('./endpoint-names.cjs');
const { userOf } = require('./user.cjs');

const LAST = '__toolkitRecorder';
const INSTEAD = '__toolkitRecorderInstead';
const CALL = Symbol('toolkit.recorder.call');
/** Of the plugin metrics-by-endpoint, which Artillery always loads; they do not wait. */
const OWN_BEFORE = 'metricsByEndpoint_beforeRequest';
const OWN_HOOKS = [OWN_BEFORE, 'metricsByEndpoint_afterResponse'];
const NOT_REQUESTS = ['loop', 'parallel', 'think', 'log', 'function'];

/** @typedef {import('./types.cjs').Context} Context */
/** @typedef {Record<PropertyKey, any>} Parameters */

/** The step that is being entered right now. @type {HttpCall | null} */
let entering = null;
/** The step that calls got right now. @type {HttpCall | null} */
let calling = null;

/** @param {Parameters} params */
function noteCall(params) {
  noteThis(params[CALL] ?? entering, params);
}

/** @param {HttpCall | null} call @param {Parameters} params */
function noteThis(call, params) {
  calling = call;
  if (call) call.params = params;
  // Not reset after this: the async library comes to got in the same instant, but only after the hook has returned.
}

/** @param {Parameters} params @param {Context} _context @param {unknown} _events @param {() => void} next */
function last(params, _context, _events, next) {
  noteCall(params);
  next();
}

/** Put the hooks where Artillery looks for them, unseen by anything that lists the processor. @param {any} config */
function arm(config) {
  if (typeof config.processor !== 'object' || config.processor === null) config.processor = {};
  const processor = config.processor;
  if (processor[LAST]) return;
  if (processor[OWN_BEFORE]) processor[OWN_BEFORE] = rememberingNames(processor[OWN_BEFORE]);
  Object.defineProperty(processor, LAST, { value: last });
  Object.defineProperty(processor, INSTEAD, {
    /** @param {Parameters} params @param {Context} context @param {unknown} events @param {() => void} next */
    value(params, context, events, next) {
      noteThis(entering, params); // the step has no hooks: nothing can have come between
      if (processor[OWN_BEFORE]) processor[OWN_BEFORE](params, context, events, next);
      else next();
    }
  });
}

/** Of a scenario and of a step: one name, or several, or none. @param {unknown} ofScenario @param {unknown} ofStep @returns {unknown[]} */
const hookNames = (ofScenario, ofStep) => [ofScenario ?? [], ofStep ?? []].flat();

/**
 * What Artillery makes its step from: the parameters with our hook, and with the property that a copy of them asks. Where the user has
 * no hooks, nothing can come between the entry of the step and the call of got. Then neither is needed, and our hook takes the place
 * of Artillery's own one, which it calls: one hook more is felt in a closed loop.
 * @param {any} params
 * @param {any} options
 * @returns {{ params: any, options: any, hooks: boolean }} and whether the user has hooks
 */
function tied(params, options = {}) {
  const before = hookNames(options.beforeRequest, params.beforeRequest);
  const after = hookNames(options.afterResponse, params.afterResponse);
  const hooks = ![...before, ...after].every((name) => OWN_HOOKS.some((own) => own === name));
  if (!hooks && before.length === 1 && params.beforeRequest === undefined) {
    return { params, options: { ...options, beforeRequest: [INSTEAD] }, hooks };
  }
  const copy = { ...params, beforeRequest: [...hookNames([], params.beforeRequest), LAST] };
  if (hooks) Object.defineProperty(copy, CALL, { enumerable: true, get: () => entering });
  return { params: copy, options, hooks };
}

/** @param {any} spec @returns {string | null} the key that holds the request, chosen as Artillery chooses it */
function requestKey(spec) {
  if (NOT_REQUESTS.some((key) => spec[key] !== undefined)) return null;
  const key = Object.keys(spec)[0];
  return key !== undefined && typeof spec[key] === 'object' && spec[key] !== null ? key : null;
}

/** @param {any} step Artillery's own */
const followedStep = (step) =>
  /** @this {any} @param {any} spec @param {any} ee @param {any} options */
  function (spec, ee, options) {
    const key = requestKey(spec);
    if (key === null) return step.call(this, spec, ee, options);
    arm(this.config);
    watch(ee);
    const params = spec[key];
    const method = key.toUpperCase();
    const label = defaultName(method, params.url ?? params.uri);
    const tie = tied(params, options);
    const inner = step.call(this, { ...spec, [key]: tie.params }, ee, tie.options);
    const bare = !tie.hooks && params.capture === undefined && params.match === undefined;
    /** @param {Context} context @param {import('./types.cjs').Callback} callback */
    return (context, callback) => {
      const call = new HttpCall(userOf(context), method, label, bare);
      entering = call;
      try {
        inner(context, (/** @type {any} */ error, /** @type {any} */ after) => {
          call.finish(error);
          callback(error, after);
        });
      } catch (error) {
        // A hook of the user that throws: Artillery ends the user with it.
        call.finish(error);
        throw error;
      } finally {
        entering = null;
      }
    };
  };

const watched = new WeakSet();

/**
 * The expect plugin calls a failed expectation an error only when told to; the record says so in any case.
 * @param {any} ee Artillery's own events: listened to once for all requests
 */
function watch(ee) {
  if (watched.has(ee)) return;
  watched.add(ee);
  ee.on('trace:http:response', responded);
  ee.on('plugin:expect:expectations', (/** @type {any} */ outcome, /** @type {Parameters} */ params) => {
    const failed = (outcome.results ?? []).filter((/** @type {any} */ result) => !result.ok);
    if (failed.length && params[CALL]) {
      params[CALL].expectation = `Failed expectations: ${failed.map((/** @type {any} */ result) => result.type).join(', ')}`;
    }
  });
}

/** @param {any} got */
const followedGot = (got) =>
  /** @param {any} options */
  function (options) {
    const call = calling;
    calling = null;
    if (!call) return got(options);
    options.headers ??= {};
    options.headers['x-request-id'] ||= call.params.uuid;
    call.sends(options.headers['x-request-id'], Boolean(options.searchParams));
    const promise = got(options);
    // Artillery's own listener is taken along rather than another one added.
    const on = promise.on;
    promise.on = (/** @type {string} */ event, /** @type {(request: any) => void} */ listener) =>
      on(event, event === 'request' ? (/** @type {any} */ request) => (call.hop(request, now()), listener(request)) : listener);
    return promise;
  };

/** @param {import('./settings.cjs').Settings} given */
function installHttp(given) {
  const engine = ownModule(given, 'core/engine_http.js').default.prototype;
  replaceMethod(engine, 'step', followedStep);
  // Artillery awaits init() only where it is an async function.
  replaceMethod(
    engine,
    'init',
    (init) =>
      /** @this {any} */
      async function () {
        await init.call(this);
        this.request = followedGot(this.request);
      }
  );
  replaceMethod(engine, 'setInitialContext', (setInitialContext) =>
    /** @this {any} @param {Context} context */
    function (context) {
      // The first thing a user does, in the same instant as its arrival: now its lateness is known.
      userOf(context);
      return setInitialContext.call(this, context);
    }
  );
}

module.exports = { installHttp };
