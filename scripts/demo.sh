#!/bin/sh
# make demo: start the bundled service, run the demo plan against it, stop the service whatever happens.
set -u
python=$1
TOOLKIT_DEMO_DIR=$(mkdir -p "$2" && cd "$2" && pwd) || exit 1
export TOOLKIT_DEMO_DIR
stop() { "$python" -m toolkit demo stop >/dev/null 2>&1; }
# The run takes Ctrl-C for itself and ends in good order; this script only has to outlive it.
trap : INT TERM
"$python" -m toolkit demo start || { code=$?; stop; exit "$code"; }
TOOLKIT_DEMO_URL=$("$python" -m toolkit demo status --json | sed 's/.*"url": "\([^"]*\)".*/\1/')
export TOOLKIT_DEMO_URL
"$python" -m toolkit profile-and-load plans/demo.yml
code=$?
stop
exit "$code"
