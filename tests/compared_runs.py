"""Runs to compare: a minute of steady load on one watched and profiled server, of which one thing at a time can be changed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from tests.run_folders import (
    GUNICORN,
    HOT,
    SECOND_NS,
    START_NS,
    WORKER_A,
    RunFolderBuilder,
    raw,
    request,
)
from tests.server_metrics import ServerWatch, process

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.recording.layout import RunFolder

OTHER = "render (/srv/shop/shop/views.py:40)"
_NAMES = (("GET /load", 20.0), ("POST /orders", 60.0))


def steady_run(
    root: Path,
    name: str,
    *,
    seed: int,
    seconds: int = 60,
    rate: int = 40,
    times: float = 1.0,
    hot: float = 1.0,
    hot_spread: float = 2.0,
    failed: float = 0.0,
    names: tuple[tuple[str, float], ...] = _NAMES,
    profiled: bool = True,
    loaded: bool = True,
    **manifest: Any,
) -> RunFolder:
    """Write the recordings of a run.

    Args:
        root: where run folders lie.
        name: of the folder.
        seed: another one makes another run of the same service.
        seconds: how long its one phase, `steady`, lasts.
        rate: requests a second.
        times: how much slower every request is.
        hot: how much more CPU time one of two functions takes.
        hot_spread: samples by which it differs from chunk to chunk, of 40.
        failed: part of the requests that gets 500.
        names: request names and their median latencies (ms).
        profiled: with chunks of stacks.
        loaded: with load.
        manifest: fields of run.json to be others.
    """
    chance = random.Random(seed)
    builder = RunFolderBuilder(root, name=name)
    told = builder.manifest
    told.run_id, told.started_ns = name, START_NS + seed
    told.ended_ns = START_NS + seconds * SECOND_NS
    if loaded:
        builder.load("http", _requests(chance, seconds, rate, times, failed, names), _events(seconds, rate))
    view = {"rate_hz": 20.0, "valid": True, "reason": ""}
    builder.server("web", {"cpu": view} if profiled else {})
    if profiled:
        for seq in range(seconds // 5):
            text = raw(WORKER_A, (*GUNICORN, HOT), max(0, round(chance.gauss(40, hot_spread) * hot)))
            text += raw(WORKER_A, (*GUNICORN, OTHER), round(chance.gauss(40, 2)))
            builder.chunk("web", "cpu", seq, text)
    watch = ServerWatch(builder, "web")
    used = 0.0
    for second in range(seconds):
        used += 0.5 * times * chance.gauss(1, 0.05)
        watch.line(
            second,
            processes=[process(WORKER_A, cpu_user=used, rss=2e8 + chance.gauss(0, 1e5))],
            service={"accept_queue": chance.randrange(2)},
        )
    for field, value in manifest.items():
        setattr(told, field, value)
    return builder.build()


def _requests(
    chance: random.Random,
    seconds: int,
    rate: int,
    times: float,
    failed: float,
    names: tuple[tuple[str, float], ...],
) -> list[dict[str, Any]]:
    found = []
    for number in range(seconds * rate):
        called, median_ms = names[number % len(names)]
        ms = median_ms * chance.lognormvariate(0, 0.25) * times
        status = 500 if chance.random() < failed else 200
        found.append(request(number / rate, ms, name=called, phase="steady", status=status))
    return found


def _events(seconds: int, rate: int) -> list[dict[str, Any]]:
    of = {"phase": "steady", "index": 0, "duration_s": seconds}
    shares = {"worker": 1, "workers": 1, "mode": "uniform", "rate": rate, "ramp_to": None, "count": None}
    return [
        {"t_ns": START_NS, "kind": "schedule", **of, **shares},
        {"t_ns": START_NS, "kind": "phase_started", **of},
        {"t_ns": START_NS + seconds * SECOND_NS, "kind": "phase_ended", **of},
        {"t_ns": START_NS + seconds * SECOND_NS, "kind": "done"},
    ]
