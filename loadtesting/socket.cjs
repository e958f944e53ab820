'use strict';
/** Messages for the plain websocket. */
const { randomUUID } = require('node:crypto');

const TEXTS = ['next, please', 'back in five minutes', 'counter 4 is free', 'the printer is out of paper'];

/** @param {{ vars: Record<string, unknown> }} context @param {unknown} _events @param {() => void} next */
function writeMessage(context, _events, next) {
  context.vars.messageId = randomUUID();
  context.vars.messageText = TEXTS[Math.floor(Math.random() * TEXTS.length)];
  next();
}

module.exports = { writeMessage };
