"""What report.html says of a server: the agent's facts in words, and whether each view can be trusted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from toolkit.reports.page_numbers import size
from toolkit.reports.page_watch import log_rows, watch_words

if TYPE_CHECKING:
    from toolkit.recording.manifest import ServerEntry

_LONGEST = 160


def server_words(
    server: ServerEntry, found: dict[str, Any], logs: list[dict[str, Any]], zero: int
) -> dict[str, Any]:
    """`{"name", "facts": [{"name", "value", "wide"}], "views": [{"name", "rate", "samples", "cost", "shown", "words"}], "watch",
    "logs"}`.

    Args:
        server: as run.json has it.
        found: the server's part of the summary; empty where there is none.
        logs: its part of `Results.log_sources`.
        zero: time 0, epoch seconds.
    """
    facts = [
        _row("Address", server.address),
        _row("Clock offset", f"{server.offset_ns / 1e6:+.2f} ms ± {server.offset_error_ns / 1e6:.2f} ms"),
        *_budget(server.budget),
        *_flattened(server.facts),
    ]
    return {
        "name": server.name,
        "facts": facts,
        "views": [_view(view) for view in found.get("views", [])],
        "watch": watch_words(found.get("watch"), zero),
        "logs": log_rows(logs),
    }


def _view(view: dict[str, Any]) -> dict[str, Any]:
    shown = bool(view.get("shown"))
    why = str(view.get("note") or view.get("reason") or "")
    return {
        "name": view["view"],
        "rate": _number(view.get("rate_hz"), ".3g"),
        "samples": _number(view.get("samples"), ",d"),
        "cost": _number(view.get("recorder_cpu_percent"), ".1f"),
        "shown": shown,
        "words": (why or "nothing limits it") if shown else f"not shown: {why or 'nothing was recorded'}",
    }


def _number(value: Any, form: str) -> str:  # noqa: ANN401 - a number or nothing
    return format(value, form) if isinstance(value, (int, float)) else "–"


def _budget(budget: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [
        f"{word} {budget[key]:.1f} %"
        for word, key in (
            ("allowed", "percent"),
            ("predicted", "predicted_percent"),
            ("measured", "measured_percent"),
        )
        if isinstance(budget.get(key), (int, float))
    ]
    return [_row("Recording, of one core", ", ".join(parts))] if parts else []


def _flattened(facts: dict[str, Any], prefix: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for key, value in facts.items():
        name = f"{prefix}{key}".replace("_", " ")
        if value is None or value in ("", [], {}):
            continue
        if isinstance(value, dict):
            rows += _flattened(value, f"{name}: ")
        elif key.endswith("_bytes") and isinstance(value, int):
            rows.append(_row(_capital(name.removesuffix(" bytes")), size(value)))
        else:
            rows.append(_row(_capital(name), value))
    return rows


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _row(name: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    if isinstance(value, list) and all(isinstance(item, (str, int, float)) for item in value):
        text = ", ".join(str(item) for item in value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}… (whole in run.json)"
    return {"name": name, "value": text, "wide": len(text) > 60}
