"""What is compared: each quantity of a request name or a server, as one number and as what the rounds make of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.analysis.comparison.slices import PER_DECADE, QUANTILES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from toolkit.analysis.comparison.servers import ServerPhase
    from toolkit.analysis.comparison.slices import Cell

    Floats = NDArray[np.float64]

FEWEST_BEYOND = 10
"""Requests slower than a percentile, for it to mean something: 1,000 for a p99."""
FEWEST_ENDED = 20


@dataclass(frozen=True)
class Metric:
    """A quantity as people know it."""

    name: str
    """As in compare.json."""
    label: str
    unit: str
    more_is: str
    """worse or better."""
    is_ratio: bool = True
    """Whether a difference is told as a part of the base; else in the unit itself."""
    least: float = 0.0
    """A difference below this, in the unit, is none."""
    least_relative: float = 0.0
    """The same as a part of the base, where that is more than the user's threshold."""
    widest: float = math.inf
    """In the unit: an interval that reaches further than this, and than WIDEST of the base, cannot say "no difference"."""


LATENCIES = tuple(Metric(f"p{round(100 * q)}_ms", f"p{round(100 * q)}", "ms", "worse") for q in QUANTILES)
THROUGHPUT = Metric("throughput_per_s", "throughput", "/s", "better")
ERRORS = Metric("error_rate", "errors", "", "worse", is_ratio=False, widest=0.01)
CPU = Metric("cpu_s_per_request", "CPU/request", "s", "worse")
# Where the heap of a process ends up is chance, and the same for all of a run: slices do not show it.
RSS = Metric("rss_bytes", "RSS of workers", "bytes", "worse", least_relative=0.05)
QUEUE = Metric("accept_queue", "accept queue", "connections", "worse", is_ratio=False, least=1.0, widest=5.0)


@dataclass(frozen=True)
class Measured:
    """One side of one comparison."""

    value: float | None
    """None where there is nothing."""
    rounds: Floats
    """The value in each round: its logarithm where differences are relative."""
    lacking: str = ""
    """Why it must not be compared; empty where it may."""
    counts: tuple[int, float] | None = None
    """How many in how much, where it is a rate of single events: failures of requests, answers in seconds."""
    is_log: bool = True


_NONE = np.zeros(0)


def request_quantities(cell: Cell, weights: Floats) -> Iterator[tuple[Metric, Measured]]:
    """Of one request name in one phase; `weights` are rounds x slices."""
    drawn = np.cumsum(weights @ cell.counts, axis=1)
    for metric, quantile, value in zip(
        LATENCIES, QUANTILES, cell.quantiles_ms or (None,) * len(QUANTILES), strict=True
    ):
        wanted = math.ceil(FEWEST_BEYOND / (1 - quantile) - 1e-6)
        lacking = _too_few(cell.answered, wanted, "answered")
        yield metric, Measured(value, _quantile(drawn, quantile) if not lacking else _NONE, lacking)
    seconds = weights @ np.full(len(cell.ended_in), cell.window.slice_ns / 1e9)
    value = cell.answered / cell.window.seconds if cell.window.seconds else None
    lacking = _too_few(cell.ended, FEWEST_ENDED, "made")
    counts = (cell.answered, cell.window.seconds)
    yield (
        THROUGHPUT,
        Measured(value or None, _log(_parts(weights @ cell.answered_in, seconds)), lacking, counts),
    )
    rate = cell.failed / cell.ended if cell.ended else None
    rounds = _parts(weights @ cell.failed_in, weights @ cell.ended_in)
    yield ERRORS, Measured(rate, rounds, lacking, (cell.failed, cell.ended), is_log=False)


def server_quantities(phase: ServerPhase, weights: Floats) -> Iterator[tuple[Metric, Measured]]:
    """Of one server in one phase."""
    requests = phase.requests_measured
    value = float(phase.cpu_s.sum() / requests.sum()) if requests.sum() else None
    lacking = _too_few(int(requests.sum()), FEWEST_ENDED, "made while its CPU was measured")
    yield CPU, Measured(value or None, _log(_parts(weights @ phase.cpu_s, weights @ requests)), lacking)
    for metric, sums, lines in (
        (RSS, phase.rss, phase.rss_lines),
        (QUEUE, phase.accept_queue, phase.accept_queue_lines),
    ):
        mean = float(sums.sum() / lines.sum()) if lines.sum() else None
        rounds = _parts(weights @ sums, weights @ lines)
        yield metric, Measured(mean, _log(rounds) if metric.is_ratio else rounds, is_log=metric.is_ratio)


def memory_series(cells: list[Cell]) -> list[Floats]:
    """For how long a phase remembers: of two quantiles how many of each slice lie above it, more or less than its share, all
    request names together, each by its own measure."""
    found = []
    for quantile in (0.5, 0.95):
        series = [_above(cell, quantile) for cell in cells if cell.answered >= FEWEST_BEYOND / (1 - quantile)]
        spread = [one / deviation for one in series if (deviation := one.std()) > 0]
        if spread:
            found.append(np.sum(spread, axis=0))
    return found


def server_series(phase: ServerPhase) -> list[Floats]:
    """The same of a server: CPU beside its requests, and the queue."""
    requests = phase.requests_measured
    rate = phase.cpu_s.sum() / requests.sum() if requests.sum() else 0.0
    lines = np.maximum(phase.accept_queue_lines, 1)
    return [phase.cpu_s - rate * requests, phase.accept_queue / lines]


def _above(cell: Cell, quantile: float) -> Floats:
    totals = cell.answered_in
    cumulative = np.cumsum(cell.counts.sum(axis=0))
    place = int(np.searchsorted(cumulative, quantile * cumulative[-1]))
    above = cell.counts[:, place + 1 :].sum(axis=1)
    return np.asarray(above - above.sum() / totals.sum() * totals)


def _quantile(drawn: Floats, quantile: float) -> Floats:
    """Logarithms of a quantile of each round, from its cumulative counts; a rank within a bin by proportion."""
    wanted = quantile * drawn[:, -1]
    place = np.minimum((drawn < wanted[:, None]).sum(axis=1), drawn.shape[1] - 1)
    every = np.arange(len(drawn))
    before = np.where(place > 0, drawn[every, np.maximum(place - 1, 0)], 0.0)
    within = _parts(wanted - before, drawn[every, place] - before)
    found = (place + np.where(np.isfinite(within), within, 0.0)) * (math.log(10) / PER_DECADE)
    return np.where(drawn[:, -1] > 0, found, np.nan)


def _parts(parts: Floats, wholes: Floats) -> Floats:
    found: Floats = np.divide(parts, wholes, out=np.full(len(parts), np.nan), where=wholes > 0)
    return found


def _log(values: Floats) -> Floats:
    found: Floats = np.log(values, out=np.full(len(values), np.nan), where=values > 0)
    return found


def _too_few(count: int, wanted: int, what: str) -> str:
    return f"{count:,} requests were {what}, {wanted:,} are needed" if count < wanted else ""
