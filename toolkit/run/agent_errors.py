"""The errors of an agent as errors of the toolkit: each says where, lists what there is to choose, and names a cure."""

from __future__ import annotations

import shlex
from typing import Any

from toolkit.errors import NotPermittedError, ToolkitError, UnreachableError, UsageError
from toolkit.run.agent_trust import plain

_KINDS: dict[str, type[ToolkitError]] = {
    "no-gunicorn": UnreachableError,
    "ambiguous": UsageError,
    "not-gunicorn": UsageError,
    "not-permitted": NotPermittedError,
    "unsupported": ToolkitError,
    "no-space": ToolkitError,
    "no-exec": ToolkitError,
    "no-samples": ToolkitError,
    "gone": UnreachableError,
    "busy": NotPermittedError,
}

_CURES = {
    "no-gunicorn": "Start the service, or look whether it runs on another host or in a container.",
    "ambiguous": "Choose one by name, pid, pidfile, port or unit: --gunicorn port=8000, or in the plan "
    "`gunicorn: {port: 8000}` in the server's entry.",
    "not-gunicorn": "Choose another: --gunicorn port=8000, or in the plan `gunicorn: {port: 8000}` in the server's entry.",
    "not-permitted": "Set `sudo: true` for this server, or log in as the user that gunicorn runs as; "
    "profile/sudoers.example has the narrowest rule.",
    "no-space": "Free some space in the temporary folder there, or set TMPDIR for that login.",
    "no-exec": "Set TMPDIR for that login to a folder that runs programs, or prepare the server "
    "(profile/prepare-server.sh).",
    "no-samples": "Look whether the service still runs; agent.log in the run folder says what py-spy said.",
    "gone": "Look whether the service was restarted or has died, and run again.",
}
_BY_PLAN = ("ambiguous", "not-gunicorn")
_ALSO_BY_PLAN = ("not-permitted",)
"""What the plan and the command line can mend; the agent knows neither."""

_MOST_LISTED = 20


def error_of(message: dict[str, Any], address: str) -> ToolkitError:
    """The toolkit's error for an agent's `error` message."""
    code = str(message.get("code") or "internal")
    said = plain(str(message.get("message") or "the agent failed"), 1000).rstrip(". ")
    hint = plain(str(message.get("hint") or ""), 500)
    if code in _BY_PLAN:
        hint = _CURES[code]
    elif not hint or (code in _ALSO_BY_PLAN and "sudo" not in hint):
        hint = f"{hint} {_CURES.get(code, 'agent.log in the run folder has more.')}".strip()
    if code == "busy" and (run := _run_of(message.get("all"))):
        hint = f"Wait until it has ended, or end it: toolkit stop --server {address} --run {run}"
        return NotPermittedError(f"{address.rstrip(':')}: {said}.", hint)
    listed = list(_candidates(message.get("all")))
    if listed and code == "no-gunicorn":
        hint = "Choose one of these, or start the service that you mean."
    choices = f" There are: {'; '.join(listed)}." if listed else ""
    return _KINDS.get(code, ToolkitError)(f"{address.rstrip(':')}: {said}.{choices}", hint)


def _run_of(listed: object) -> str:
    first = listed[0] if isinstance(listed, list) and listed else None
    run = first.get("run") if isinstance(first, dict) else None
    return shlex.quote(plain(run, 100)) if isinstance(run, str) else ""


def _candidates(arbiters: object) -> list[str]:
    rows = [row for row in arbiters if isinstance(row, dict)] if isinstance(arbiters, list) else []
    told = [_describe(row) for row in rows[:_MOST_LISTED]]
    return [*told, f"and {len(rows) - _MOST_LISTED} more"] if len(rows) > _MOST_LISTED else told


def _describe(arbiter: dict[str, Any]) -> str:
    listen = arbiter.get("listen")
    addresses = [str(address) for address in listen] if isinstance(listen, list) else []
    # gunicorn ≥ 25.1 has a control socket, the same for all of a user: it tells none from another.
    ports = ", ".join(address for address in addresses if not address.endswith(".ctl")) or "no known port"
    name = f" {arbiter['name']!r}" if arbiter.get("name") else ""
    unit = f", unit {arbiter['unit']}" if arbiter.get("unit") else ""
    return f"PID {arbiter.get('pid')}{name} of {arbiter.get('user') or 'an unknown user'} on {ports}{unit}"
