'use strict';
/**
 * `node validate.cjs <folder of Artillery>`: JSON on standard input, `script` and `processor` (a path, or empty). Prints JSON:
 * `refusal`, what Artillery's own validation says, empty where it takes the script; `missing`, the packages of the plugins
 * that Artillery would go on without, by name of the plugin; `parses`, whether the processor is surely no syntax error.
 */
const fs = require('node:fs');
const { createRequire, wrap } = require('node:module');
const path = require('node:path');
const { Script } = require('node:vm');

const lib = path.join(String(process.argv[2]), 'dist', 'lib');
/** @type {(script: unknown) => string | undefined} */
const validate = require(path.join(lib, 'util', 'validate-script.js')).default;

/**
 * Where Artillery looks (lib/load-plugins.js): beside itself, among the packages that it brings, in ARTILLERY_PLUGIN_PATH.
 * @param {Record<string, any>} config
 * @returns {Record<string, string>}
 */
function missing(config) {
  const resolver = createRequire(path.join(lib, 'load-plugins.js'));
  const places = ['', brought(), ...(process.env.ARTILLERY_PLUGIN_PATH ?? '').split(':').filter(Boolean)];
  /** @type {Record<string, string>} */
  const found = {};
  for (const [name, settings] of Object.entries(config.plugins ?? {})) {
    const wanted = `${settings?.scope ?? config.pluginsScope ?? 'artillery-plugin-'}${name}`;
    if (!places.some((place) => resolves(resolver, path.join(place, wanted)))) found[name] = wanted;
  }
  return found;
}

/** @returns {string} */
function brought() {
  try {
    return require(path.join(lib, 'builtin-packages.js')).BUILTIN_PACKAGES_DIR ?? '';
  } catch {
    return '';
  }
}

/**
 * @param {NodeRequire} resolver
 * @param {string} name
 */
function resolves(resolver, name) {
  try {
    resolver.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether it is a CommonJS module; of another kind nothing is known here. Nothing of it is run.
 * @param {string} file
 */
function parses(file) {
  if (!file) return true;
  try {
    new Script(wrap(fs.readFileSync(file, 'utf8').replace(/^#!.*/, '')), { filename: file });
    return true;
  } catch {
    return false;
  }
}

const { script, processor } = JSON.parse(fs.readFileSync(0, 'utf8'));
const found = { refusal: validate(script) ?? '', missing: missing(script.config ?? {}), parses: parses(processor) };
process.stdout.write(JSON.stringify(found));
