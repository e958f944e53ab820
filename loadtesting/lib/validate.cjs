'use strict';
/**
 * `node validate.cjs <folder of Artillery>`: a script as JSON on standard input. Prints JSON:
 * `refusal`, what Artillery's own validation says, empty where it takes the script; `missing`, the packages of the plugins
 * that Artillery would go on without, by name of the plugin.
 */
const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');

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

const script = JSON.parse(fs.readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify({ refusal: validate(script) ?? '', missing: missing(script.config ?? {}) }));
