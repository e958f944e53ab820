#!/bin/sh
# The tests of real processes. A few that fail are run once more, alone: docs/decisions/010.
# sh scripts/test-processes.sh PYTHON
set -u
few=5
"$1" -m pytest -m "not slow_fault and not long" tests/integration tests/e2e tests/faults && exit 0
code=$?
[ "$code" -eq 1 ] || exit "$code"
# Counted in files: a fixture that a module shares fails each of its tests when it fails once.
failed=$("$1" -c 'import json
print(len({name.partition("::")[0] for name in json.load(open(".pytest_cache/v/cache/lastfailed"))}))') || exit "$code"
[ "$failed" -le "$few" ] || exit "$code"
echo "Tests of $failed files failed among all the others; once more, alone:"
exec "$1" -m pytest -m "not slow_fault and not long" --last-failed --last-failed-no-failures none tests/integration tests/e2e tests/faults
