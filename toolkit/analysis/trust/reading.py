"""What was recorded of the generator: its schedule, its pulse, its CPU, and the canary."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from toolkit.recording.jsonl import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from toolkit.recording.layout import RunFolder

Row = dict[str, Any]


@dataclass(frozen=True)
class Load:
    """One engine, as its threads told."""

    name: str
    schedules: list[Row] = field(default_factory=list)
    pulses: list[Row] = field(default_factory=list)
    """Both as `records.LOAD_EVENT_KINDS` describes them, in order of time."""


@dataclass(frozen=True)
class Canary:
    """What the canary was to do, and its requests in order of time; `url` is empty where there was none."""

    url: str = ""
    idle_ms: float | None = None
    requests: list[Row] = field(default_factory=list)
    per_s: float = 0.0
    """How often it was to ask; 0 where it never said."""

    @property
    def asked(self) -> tuple[str, int]:
        """Its path, and how often it asked."""
        return urlsplit(self.url).path or "/", len(self.requests)


@dataclass(frozen=True)
class Generator:
    """Everything that was recorded of the generator."""

    loads: list[Load]
    cpu: list[Row]
    """`records.GENERATOR_LINE`."""
    canary: Canary


def read_generator(run: RunFolder) -> Generator:
    """Read it; what is missing is empty, a line that is not whole is passed over."""
    return Generator(
        [_load(folder.name, read_lines(folder.events)) for folder in run.loads()],
        [row for row in _sane(run.generator.cpu) if _is_sample(row)],
        _canary(run.generator.canary),
    )


def _load(name: str, events: Iterable[Row]) -> Load:
    load = Load(name)
    for row in events:
        if not _numbers(row, "t_ns"):
            continue
        if row.get("kind") == "schedule" and _numbers(row, "worker", "workers", "index", "duration_s"):
            load.schedules.append(row)
        elif row.get("kind") == "pulse" and _numbers(
            row, "worker", "arrived", "late_ms", "loop_ms", "loop_p99_ms"
        ):
            load.pulses.append(row)
    load.schedules.sort(key=_time)
    load.pulses.sort(key=_time)
    return load


def _canary(path: Path) -> Canary:
    url, pace, requests = "", {}, []
    for row in _sane(path):
        if row.get("kind") == "canary":
            url = str(row.get("url") or "")
        elif row.get("kind") == "pace":
            pace = row
        elif _numbers(row, "ms", "bytes") and (row.get("status") is None or _numbers(row, "status")):
            requests.append(row)
    idle_ms = pace.get("idle_ms")
    per_s = float(pace["per_s"]) if _numbers(pace, "per_s") and pace["per_s"] > 0 else 0.0
    return Canary(url, idle_ms if _is_number(idle_ms) else None, requests, per_s)


def _is_sample(row: Row) -> bool:
    engines = row.get("engines")
    return (
        _numbers(row, "interval_s", "cores", "host_cpu")
        and isinstance(engines, list)
        and all(isinstance(engine, dict) and _numbers(engine, "cpu", "busiest") for engine in engines)
    )


def _sane(path: Path) -> Iterable[Row]:
    return sorted((row for row in read_lines(path) if _numbers(row, "t_ns")), key=_time)


def _numbers(row: Row, *names: str) -> bool:
    return all(_is_number(row.get(name)) for name in names)


def _is_number(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _time(row: Row) -> int:
    return int(row["t_ns"])
