"""Made-up runs for the benchmark of `toolkit compare`: latencies that behave as those of a service do, and its server's metrics.

Of each request: a lognormal time of its name; a level that all share and that drifts from second to second (autoregressive);
slow periods of some seconds that hit everything (a neighbour, a backup); pauses of a garbage collector that hold up whatever is
under way. Arrivals are a Poisson process. The server's CPU time is a part of the latencies, its memory a level with a drift.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from tests.run_folders import START_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NAMES = ("GET /", "GET /items/{id}", "POST /orders", "GET /report")
_SHARES = (0.5, 0.3, 0.15, 0.05)
_MEDIANS_MS = np.array([12.0, 25.0, 60.0, 140.0])
_SIGMAS = np.array([0.35, 0.4, 0.5, 0.5])
_WORKERS = 4


@dataclass(frozen=True)
class Service:
    """How a made-up service varies while nothing changes."""

    name: str
    drift: float = 0.03
    """Standard deviation of the shared level, as a part of the latency."""
    memory: float = 0.6
    """How much of the level of one second is left in the next."""
    periods_per_s: float = 1 / 60
    period_s: tuple[float, float] = (1.0, 4.0)
    period_times: tuple[float, float] = (1.2, 1.6)
    """How much slower all is in a slow period."""
    pauses_per_s: float = 1 / 5
    pause_ms: tuple[float, float] = (20.0, 60.0)
    failed: float = 0.001


USUAL = Service("usual")
RESTLESS = Service("restless", drift=0.06, memory=0.9, periods_per_s=1 / 30, period_s=(4.0, 10.0))
CALM = Service("calm", drift=0.005, memory=0.0, periods_per_s=1e-9, pauses_per_s=1e-9, failed=0.0)


@dataclass
class MadeRun:
    """One run's requests (times in seconds) and its server's metrics, once a second."""

    at_s: Floats
    name: NDArray[np.int64]
    ms: Floats
    failed: NDArray[np.bool_]
    cores: Floats
    rss: Floats
    queue: Floats
    seconds: float
    also: dict[str, Any] = field(default_factory=dict)

    def part(self, start_s: float, end_s: float) -> MadeRun:
        """A window of it, as a run of its own."""
        kept = (self.at_s >= start_s) & (self.at_s < end_s)
        whole = slice(int(start_s), int(end_s))
        return MadeRun(
            self.at_s[kept] - start_s,
            self.name[kept],
            self.ms[kept],
            self.failed[kept],
            self.cores[whole],
            self.rss[whole],
            self.queue[whole],
            end_s - start_s,
        )


def make(service: Service, seconds: int, rate: float, seed: int, times: float = 1.0) -> MadeRun:
    """A steady run; with `times` = 1.1 everything takes 10 % longer."""
    chance = np.random.default_rng([seed, seconds])
    count = int(chance.poisson(seconds * rate))
    at_s = np.sort(chance.uniform(0, seconds, count))
    name = chance.choice(len(NAMES), count, p=_SHARES)
    level = _level(chance, service, seconds)
    slower = np.interp(at_s, np.arange(seconds) + 0.5, level)
    for start in _moments(chance, service.periods_per_s, seconds):
        end = start + chance.uniform(*service.period_s)
        slower[(at_s >= start) & (at_s < end)] += np.log(chance.uniform(*service.period_times))
    ms = _MEDIANS_MS[name] * np.exp(slower + _SIGMAS[name] * chance.normal(size=count)) * times
    busy_s = np.bincount(np.minimum(at_s, seconds - 1).astype(int), ms, seconds) / 1000
    for start in _moments(chance, service.pauses_per_s, seconds):
        pause_ms = chance.uniform(*service.pause_ms)
        ms[(at_s >= start - pause_ms / 1000) & (at_s < start + pause_ms / 1000)] += pause_ms
    return MadeRun(
        at_s,
        name,
        ms,
        chance.random(count) < service.failed,
        0.4 * busy_s * np.exp(0.03 * chance.normal(size=seconds)),
        4e8 * (1 + 0.01 * np.cumsum(chance.normal(size=seconds)) / np.sqrt(seconds)),
        chance.poisson(np.maximum(0.2, busy_s / _WORKERS * np.exp(level))).astype(float),
        float(seconds),
    )


def open_made(run: MadeRun) -> duckdb.DuckDBPyConnection:
    """A database with the tables `requests`, `phases` and `metrics` of it, as `open_tables` gives them."""
    connection = duckdb.connect(":memory:", config={"threads": 1})
    start_ns = START_NS + (run.at_s * 1e9).astype(np.int64)
    given = {  # noqa: F841 - DuckDB finds it by its name
        "start_ns": start_ns,
        "latency_ms": run.ms,
        "number": run.name,
        "failed": run.failed,
    }
    connection.execute(
        """CREATE TABLE requests AS SELECT 'http' AS load, 'http' AS protocol, ($names)[number + 1] AS name, 'steady' AS phase,
        start_ns, start_ns + (latency_ms * 1e6)::BIGINT AS end_ns, if(failed, 500, 200) AS status, NULL::VARCHAR AS error,
        latency_ms FROM given""",
        {"names": list(NAMES)},
    )
    connection.execute(
        "CREATE TABLE phases AS SELECT 'http' AS load, 'steady' AS name, 0 AS idx, $start AS start_ns, $end AS end_ns",
        {"start": START_NS, "end": START_NS + round(run.seconds * 1e9)},
    )
    seconds = START_NS + ((np.arange(len(run.cores)) + 0.5) * 1e9).astype(np.int64)
    measured = {"t_ns": seconds, "cores": run.cores, "rss": run.rss, "queue": run.queue}  # noqa: F841 - as above
    connection.execute(
        """CREATE TABLE metrics AS
        SELECT 'web' AS server, t_ns, 'process' AS scope, 'worker' AS role, 'cpu_user' AS name, cores AS value FROM measured
        UNION ALL SELECT 'web', t_ns, 'process', 'worker', 'rss', rss FROM measured
        UNION ALL SELECT 'web', t_ns, 'service', NULL, 'accept_queue', queue FROM measured"""
    )
    return connection


def _level(chance: np.random.Generator, service: Service, seconds: int) -> Floats:
    steps = chance.normal(0, service.drift * np.sqrt(1 - service.memory**2), seconds)
    level = np.empty(seconds)
    level[0] = chance.normal(0, service.drift)
    for second in range(1, seconds):
        level[second] = service.memory * level[second - 1] + steps[second]
    return level


def _moments(chance: np.random.Generator, per_s: float, seconds: int) -> Floats:
    return np.sort(chance.uniform(0, seconds, int(chance.poisson(per_s * seconds))))
