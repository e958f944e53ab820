'use strict';
/**
 * The plugin that Artillery loads in every thread (by ARTILLERY_PLUGIN_PATH and ARTILLERY_PLUGINS, so that a user's own file
 * stays as it is). It only wires the recorder to Artillery's modules; nothing here may stop a load test.
 */
const { isMainThread, threadId } = require('node:worker_threads');
const { settings } = require('../settings.cjs');
const { recorder } = require('../recorder.cjs');
const { channel } = require('../channel.cjs');
const { tagScenarios } = require('../user.cjs');
const { patches } = require('../patches.cjs');
const { counts } = require('../counts.cjs');
const { leaving } = require('../leaving.cjs');
const { pulse } = require('../pulse.cjs');

class Plugin {
  /** @param {import('../types.cjs').Script} script */
  constructor(script) {
    const given = settings();
    if (!given) return;
    recorder.open(given, isMainThread ? 'main' : `worker-${threadId}`);
    if (!isMainThread) {
      tagScenarios(script);
      channel.hello(threadId);
      recorder.beforeFlush(() => channel.counts(threadId, counts.snapshot()));
      leaving.whenAllHave(() => {
        recorder.flush();
        channel.left(threadId);
      });
      pulse.start();
      // Before the recorder closes: then every load looks as if it had ended well.
      process.prependListener('exit', (code) => {
        if (recorder.closed || recorder.failed) return;
        recorder.problem(`a generator worker ended in the middle of the load: something in it called process.exit(${code})`);
        channel.gone(threadId);
      });
    }
    for (const [what, install] of Object.entries(patches)) {
      try {
        install(given);
      } catch (error) {
        recorder.problem(`the recorder cannot follow ${what} in this Artillery: ${error instanceof Error ? error.message : error}`);
      }
    }
  }

  /** @param {() => void} done */
  cleanup(done) {
    // The main thread still runs the `after` hook; its records are written when the process exits.
    if (!isMainThread) {
      pulse.stop();
      recorder.close();
      channel.goodbye(threadId);
    }
    done();
  }
}

module.exports = { Plugin, LEGACY_METRICS_FORMAT: false };
