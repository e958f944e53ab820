"""Small evidence for rules: one server over a few seconds, every number chosen by the test."""

from __future__ import annotations

from typing import Any

from toolkit.analysis.findings.evidence import Evidence, ServerEvidence
from toolkit.analysis.findings.finding import Finding, RuledOut, Unknown
from toolkit.analysis.findings.registry import RULES
from toolkit.analysis.findings.sites import sites_of

SECONDS = 20
ZERO = 1_795_271_400
SERVING = (
    "run (/srv/venv/lib/python3.11/site-packages/gunicorn/app/wsgiapp.py:66)",
    "handle (/srv/venv/lib/python3.11/site-packages/gunicorn/workers/gthread.py:340)",
)
VIEW = "view (/srv/shop/views.py:12)"
OTHER = "other (/srv/shop/other.py:7)"
DRIVER = "execute (/srv/venv/lib/python3.11/site-packages/psycopg/cursor.py:97)"

Counts = dict[str, float]


def metric(mean: float, **others: float) -> dict[str, float]:
    """A row of `metrics`."""
    return {"mean": mean, "min": mean, "max": mean, "p95": mean, "last": mean, **others}


def worker(pid: int, **values: Any) -> dict[str, Any]:
    """A row of `per_worker`."""
    return {
        "pid": pid,
        "born_ns": None,
        "died_ns": None,
        "cpu_mean": 0.1,
        "busy": 0.1,
        "rss_last": 50 << 20,
        **values,
    }


def stacks(*found: tuple[tuple[str, ...], float]) -> list[tuple[tuple[str, ...], int]]:
    """(frames below the server's, seconds) as a flame has them."""
    return [((*SERVING, *frames), round(seconds * 1e6)) for frames, seconds in found]


def server(
    lanes: dict[str, Any] | None = None,
    *,
    name: str = "web",
    workers: int = 2,
    threads: int = 1,
    worker_class: str = "sync",
    cores: float = 4,
    per_worker: list[dict[str, Any]] | None = None,
    metrics: dict[str, dict[str, float]] | None = None,
    wall: list[Any] | None = None,
    cpu: list[Any] | None = None,
    gil: dict[int, float] | None = None,
    rate_hz: float = 20,
    deaths: list[dict[str, Any]] | None = None,
    **fields: Any,
) -> ServerEvidence:
    """A server in which nothing stands out, but for what the test says. A lane may be one number for all of its seconds."""
    given: dict[str, Any] = {
        "workers_cpu": 0.2,
        "cpu_user": 0.5,
        "cpu_system": 0.1,
        "cpu_steal": 0.0,
        "accept_queue": 0.0,
        "busy_workers": 0.3,
        "busy_threads": 0.3,
        "workers": workers,
        "born": 0,
        "died": 0,
        **(lanes or {}),
    }
    columns = {
        lane: list(value) if isinstance(value, (list, tuple)) else [value] * SECONDS
        for lane, value in given.items()
    }
    columns["t"] = [ZERO + at for at in range(SECONDS)]
    busy = given["busy_threads"] if threads > 1 else given["busy_workers"]
    taken = sum(busy) / len(busy) if isinstance(busy, (list, tuple)) else busy or 0.0
    event_loop = worker_class in ("gevent", "asgi")
    views = {}
    sites = {}
    for view, found in (("wall", wall), ("cpu", cpu)):
        if found is not None:
            sites[view] = sites_of(found, SECONDS)
            total = sum(us for _, us in found)
            views[view] = {
                "view": view,
                "rate_hz": rate_hz,
                "samples": round(total / 1e6 * rate_hz),
                "recorded_s": SECONDS,
                "hotspots": _hotspots(found, total),
            }
    if gil is not None:
        processes = [{"pid": pid, "sampled_s": share * SECONDS} for pid, share in gil.items()]
        views["gil"] = {"view": "gil", "rate_hz": rate_hz, "recorded_s": SECONDS, "processes": processes}
    watch = {
        "window": {"of": "load", "from_ns": ZERO * 10**9, "to_ns": (ZERO + SECONDS) * 10**9},
        "lines": SECONDS,
        "metrics": {
            "host.cores": metric(cores),
            "host.memory_total": metric(8 << 30),
            "host.memory_available": metric(6 << 30),
            "host.swap_in": metric(0),
            **(metrics or {}),
        },
        "workers": {
            "configured": workers,
            "threads": threads,
            "class": worker_class,
            "at_start": workers,
            "births": 0,
            "born": [],
            "deaths": deaths or [],
        },
        "busy": {
            "workers": workers,
            "event_loop": event_loop,
            "reason": "",
            "from_stacks": {
                "workers_mean": min(taken, workers),
                "threads_mean": taken,
                "threads": None if event_loop else workers * threads,
            },
        },
        "per_worker": per_worker or [worker(701 + number) for number in range(workers)],
    }
    return ServerEvidence(name, watch, views, columns, sites, **fields)


def _hotspots(found: list[Any], total: float) -> dict[str, Any]:
    own: Counts = {}
    for frames, us in found:
        inner = next(frame for frame in reversed(frames) if "/srv/shop/" in frame)
        own[inner] = own.get(inner, 0.0) + us
    rows = [
        {
            "function": label.split(" (")[0],
            "file": label.split(" (")[1].rpartition(":")[0],
            "own_percent": us / total * 100,
        }
        for label, us in sorted(own.items(), key=lambda item: -item[1])
    ]
    return {"application": rows}


def evidence(
    *servers: ServerEvidence, series: dict[str, list[Any]] | None = None, **summary: Any
) -> Evidence:
    """A run of 1,000 good requests against these servers."""
    totals = {"count": 1000, "failed": 0, "p50_ms": 4.0, "p95_ms": 9.0, **summary.pop("totals", {})}
    columns: dict[str, list[Any]] = {
        "t": [ZERO + at for at in range(SECONDS)],
        "requests": [50] * SECONDS,
        "p95_ms": [9.0] * SECONDS,
        "status_5xx": [0] * SECONDS,
        "errors": [0] * SECONDS,
        **(series or {}),
    }
    trust = {"verdict": "good", "reasons": [], "rows": [row("arrivals")]}
    return Evidence({"totals": totals, "trust": trust, "servers": [], **summary}, list(servers), columns)


def row(key: str, reason: str = "", tone: str = "good") -> dict[str, Any]:
    """A row of the verdict."""
    return {"key": key, "name": key.capitalize(), "value": "1", "tone": tone, "words": "", "reason": reason}


def found(rule: str, given: Evidence) -> Finding:
    """The only thing that a rule finds."""
    said = list(RULES[rule](given))
    findings = [one for one in said if isinstance(one, Finding)]
    assert len(findings) == 1, said
    return findings[0]


def ruled_out(rule: str, given: Evidence) -> str:
    """What speaks against it: the rule looked, and found nothing."""
    said = list(RULES[rule](given))
    assert said, "it was looked for"
    assert all(isinstance(one, RuledOut) for one in said), said
    return " ".join(one.words for one in said if isinstance(one, RuledOut))


def unknown(rule: str, given: Evidence) -> str:
    """Why it cannot be told."""
    said = list(RULES[rule](given))
    assert said, "it was looked for"
    assert all(isinstance(one, Unknown) for one in said), said
    return " ".join(one.words for one in said if isinstance(one, Unknown))
