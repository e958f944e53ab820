"""Reads log texts as the tables do, without a run around them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.run_folders import SECOND_NS, START_NS
from toolkit.analysis.logs.assembly import Assembly
from toolkit.analysis.logs.lines import Line

CAPTURED = Path(__file__).parent / "captured"


def captured(name: str) -> str:
    """A log that a real gunicorn wrote."""
    return (CAPTURED / name).read_text(encoding="utf-8")


def read(
    text: str,
    *,
    low_s: float = 0.0,
    high_s: float = 1.0,
    **said: Any,
) -> list[dict[str, Any]]:
    """The events of `text`, read as one block, in the order of their first lines; `said` as in sources.json."""
    lines = []
    position = 0
    for one in text.splitlines(keepends=True) if "\r" not in text else text.split("\n"):
        raw = one.rstrip("\n")
        size = len(one.encode("utf-8", "replace"))
        low_ns, high_ns = (START_NS + round(at * SECOND_NS) for at in (low_s, high_s))
        lines.append(Line(position, size, low_ns, high_ns, raw))
        position += size
    events = list(Assembly(0, said, 2026).events(lines))
    return sorted(events, key=lambda event: int(event["position"]))


def one(text: str, **asked: Any) -> dict[str, Any]:
    """The only event of `text`."""
    (event,) = read(text, **asked)
    return event
