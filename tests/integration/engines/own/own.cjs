'use strict';
let failures = 0;

const kinds = ['reset', 'timeout', 'refused', 'no url'];

module.exports = {
  greet(context, events, next) {
    context.vars.hostile = 'a"b<c>';
    next();
  },
  async stamp(request, context) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    request.headers = { ...request.headers, 'X-Stamp': `${context.vars.user} ${request.uuid}` };
  },
  seen(request, response, context, events, next) {
    if (response.statusCode === 200 && !response.body) return next(new Error('no body'));
    return next();
  },
  ownId(request, context, events, next) {
    request.headers['x-Request-Id'] = `mine-"${context.vars.user}"`;
    next();
  },
  chooseFailure(context, events, next) {
    const kind = kinds[failures++ % kinds.length];
    context.vars.failure = kind;
    context.vars.failing = {
      reset: '/reset',
      timeout: '/slow?s=4',
      refused: 'http://ann:hunter2@127.0.0.1:9/gone?secret=hunter2',
      'no url': 'nowhere',
    }[kind];
    next();
  },
};
