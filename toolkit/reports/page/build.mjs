// Builds dist/page.js and dist/page.css, the script and the style of report.html. Does nothing when they are up to date.
// Run it from anywhere: node toolkit/reports/page/build.mjs
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(here, "dist");
const modules = path.resolve(here, "../../../node_modules");
// The WebAssembly build: it is one package for all platforms and needs no install script (docs/decisions/003).
const esbuild = path.join(modules, "esbuild-wasm/bin/esbuild");
const built = ["page.js", "page.css"].map((name) => path.join(dist, name));
const stamp = path.join(dist, "inputs.sha256");

function inputs() {
  const found = readdirSync(path.join(here, "src"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const sources = found.map((entry) => path.join(entry.parentPath, entry.name)).sort();
  const packages = ["uplot", "esbuild-wasm"].map((name) => path.join(modules, name, "package.json"));
  return [...sources, ...["frames", "script"].map((part) => path.join(here, `../flamegraph_${part}.js`)), ...packages, fileURLToPath(import.meta.url)];
}

function digest() {
  const hash = createHash("sha256");
  for (const file of inputs()) hash.update(`${path.basename(file)}\n`).update(readFileSync(file));
  return hash.digest("hex");
}

if (!existsSync(esbuild)) {
  console.error("The report page cannot be built: esbuild-wasm is not installed. Run: make setup (or npm ci).");
  process.exit(1);
}
const wanted = digest();
if (built.every(existsSync) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) process.exit(0);

mkdirSync(dist, { recursive: true });
const run = spawnSync(
  process.execPath,
  [
    esbuild,
    "src/page.ts",
    "src/page.css",
    "--bundle",
    "--minify",
    "--format=iife",
    "--target=es2022",
    "--charset=utf8",
    "--legal-comments=inline",
    "--log-level=warning",
    "--outdir=dist",
  ],
  { cwd: here, stdio: "inherit" },
);
if (run.status !== 0) process.exit(run.status ?? 1);
writeFileSync(stamp, wanted);
