"""What an agent says of its server, its gunicorn and its views, as the types that were agreed on; anything else is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.run.agent_trust import VIEWS, pids

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MOST_LISTENED = 64


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _whole(value: object) -> bool:
    return isinstance(value, int) and _number(value)


def _text(value: object) -> bool:
    return isinstance(value, str)


_GUNICORN: dict[str, Callable[[object], bool]] = {
    "version": _text,
    "worker_class": _text,
    "workers": _whole,
    "threads": _whole,
    "max_requests": _whole,
}
_FACTS: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(("hostname", "system", "machine", "libc", "python", "psutil", "kernel", "user"), _text),
    **dict.fromkeys(("directory", "target_python", "pid_namespace"), _text),
    **dict.fromkeys(("ptrace_scope", "uid", "cpus", "memory_bytes"), _whole),
    **dict.fromkeys(("disk_free_bytes", "open_files_limit"), _whole),
}
_VIEW: dict[str, Callable[[object], bool]] = {
    "rate_hz": _number,
    "valid": lambda value: isinstance(value, bool),
    "reason": lambda value: value is None or isinstance(value, str),
    "recorded_as": lambda value: value is None or value in VIEWS,
}
_ARBITER: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(("name", "user", "pidfile", "unit"), _text),
    "pid": _whole,
    "create_time": _number,
    "upgrading": lambda value: isinstance(value, bool),
}


def facts_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as PROTOCOL.md has them."""
    known = _typed(said, _FACTS)
    if isinstance(said.get("gunicorn"), dict):
        known["gunicorn"] = _typed(said["gunicorn"], _GUNICORN)
    if isinstance(said.get("arbiter"), dict):
        known["arbiter"] = arbiter_of(said["arbiter"])
    return known


def arbiter_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """An arbiter as PROTOCOL.md has it; `listen` and `cmdline` are lists of text."""
    known = _typed(said, _ARBITER)
    for name in ("listen", "cmdline"):
        if isinstance(said.get(name), list):
            known[name] = [one for one in said[name] if isinstance(one, str)][:_MOST_LISTENED]
    if "workers" in said:
        known["workers"] = pids(said["workers"])
    return known


def view_states(views: object) -> dict[str, dict[str, Any]]:
    """Per view what the agent says of it."""
    states = views if isinstance(views, dict) else {}
    return {view: _typed(states[view], _VIEW) for view in VIEWS if isinstance(states.get(view), dict)}


def budget_of(said: object) -> dict[str, Any]:
    """The budget: numbers, whether it was exceeded, and a sentence."""
    items = said if isinstance(said, dict) else {}
    return {
        name: value for name, value in items.items() if value is None or isinstance(value, (int, float, str))
    }


def _typed(said: Mapping[str, Any], kinds: Mapping[str, Callable[[object], bool]]) -> dict[str, Any]:
    return {name: said[name] for name, fits in kinds.items() if name in said and fits(said[name])}
