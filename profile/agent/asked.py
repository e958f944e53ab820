"""What the controller may ask for, checked: a number out of range is refused, never passed on to py-spy (`-r 0` hangs it)."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple, Optional

import rates
from faults import Fault
from pyspy import VIEW_FLAGS

CHUNK_S = (1.0, 300.0)
BUDGET_PERCENT = (0.1, 1000.0)
INTERVAL_S = (0.1, 300.0)
LOG_LIMIT_BYTES = (1.0, 1e12)
MOST_LOGS = 100
_TOKEN = re.compile(r"[A-Za-z0-9]{16,128}")
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}")  # systemd's own rule; none begins with a dash


def number(message: dict[str, Any], key: str, default: float, least: float, most: float) -> float:
    """A number within bounds; the default where it is missing or null."""
    value = message.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Fault("protocol", "%s must be a number." % key)
    if not least <= value <= most:
        raise Fault("protocol", "%s must be from %g to %g." % (key, least, most))
    return float(value)


def reattach(message: dict[str, Any]) -> Optional[tuple[str, float]]:
    """(token, seconds to wait after the end of the input) of a `hello` line; None where its controller will not come back.

    Raises:
        Fault: `protocol`.
    """
    asked = message.get("reattach")
    if asked is None:
        return None
    token = asked.get("token") if isinstance(asked, dict) else None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise Fault("protocol", "reattach needs a token of 16 to 128 letters and digits.")
    return token, number(asked, "wait_s", 4.0, 0.0, 60.0)


def record(message: dict[str, Any]) -> tuple[list[str], tuple[float, Optional[int], float]]:
    """(views, (budget_percent, rate_hz or None, chunk_s)) of a `record` line.

    Raises:
        Fault: `protocol`.
    """
    views = message.get("views") or ["wall", "cpu"]
    if not isinstance(views, list) or not all(isinstance(view, str) and view in VIEW_FLAGS for view in views):
        raise Fault("protocol", "views are some of: %s." % ", ".join(VIEW_FLAGS))
    budget = number(message, "budget_percent", 5.0, *BUDGET_PERCENT)
    rate = number(message, "rate_hz", 0.0, 1.0, rates.MAX_ASKED_HZ)
    chunk_s = number(message, "chunk_s", 5.0, *CHUNK_S)
    return list(dict.fromkeys(views)), (budget, round(rate) or None, chunk_s)


class Watch(NamedTuple):
    """What `watch` asked for: `interval_s` None for no metrics, `logs` None for no logs."""

    interval_s: Optional[float]
    logs: Optional[dict[str, Any]]


def watch(message: dict[str, Any]) -> Watch:
    """A `watch` line; `logs` with `find` (bool), `files`, `units` and `limit_bytes` (int), all of them there.

    Raises:
        Fault: `protocol`.
    """
    interval_s = None
    if message.get("interval_s") is not None:
        interval_s = number(message, "interval_s", 1.0, *INTERVAL_S)
    logs = message.get("logs")
    if logs is None:
        return Watch(interval_s, None)
    if not isinstance(logs, dict) or not isinstance(logs.get("find", True), bool):
        raise Fault("protocol", "logs is an object, and find in it is true or false.")
    files, units = _texts(logs, "files"), _texts(logs, "units")
    if not all(path.startswith("/") and "\0" not in path and len(path) < 4096 for path in files):
        raise Fault("protocol", "files are absolute paths.")
    if not all(_UNIT.fullmatch(unit) and not unit.startswith("-") for unit in units):
        raise Fault("protocol", "units are names of systemd's units.")
    limit = int(number(logs, "limit_bytes", 50e6, *LOG_LIMIT_BYTES))
    wanted = {"find": logs.get("find", True), "files": files, "units": units, "limit_bytes": limit}
    return Watch(interval_s, wanted)


def _texts(message: dict[str, Any], key: str) -> list[str]:
    items = message.get(key) or []
    fine = (
        isinstance(items, list) and len(items) <= MOST_LOGS and all(isinstance(item, str) for item in items)
    )
    if not fine:
        raise Fault("protocol", "%s must be a list of at most %d texts." % (key, MOST_LOGS))
    return list(dict.fromkeys(items))
