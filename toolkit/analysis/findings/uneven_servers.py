"""One server unlike the others: its answers take longer, or its workers need more CPU for each."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from toolkit.analysis.findings.finding import LIKELY, PERHAPS, Finding, RuledOut, Unknown
from toolkit.analysis.findings.words import cores, count, ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.analysis.findings.evidence import Evidence, ServerEvidence
    from toolkit.analysis.findings.finding import Said

_TIMES = 1.5
_FEWEST = 100
"""Answers of each server."""


class _Quantity(NamedTuple):
    name: str
    what: str
    least: float
    written: Callable[[float], str]
    of: Callable[[ServerEvidence], float | None]


def _server_ms(server: ServerEvidence) -> float | None:
    answers = _answers(server)
    if answers < _FEWEST:
        return None
    timed = [row for row in server.answers.values() if row["server_ms"] is not None]
    counted = sum(row["answers"] for row in timed)
    return sum(row["server_ms"] * row["answers"] for row in timed) / counted if counted else None


def _answers(server: ServerEvidence) -> int:
    return sum(row["answers"] for row in server.answers.values())


def _answers_per_s(server: ServerEvidence) -> float | None:
    answers = _answers(server)
    return answers / len(server.seconds) if answers and server.seconds else None


def _cpu(server: ServerEvidence) -> float | None:
    return server.mean("workers_cpu")


_QUANTITIES = (
    _Quantity("server_ms", "time in the server", 5.0, ms, _server_ms),
    _Quantity("answers_per_s", "answers a second", 5.0, lambda value: f"{value:,.1f}", _answers_per_s),
    _Quantity("workers_cpu", "CPU of the workers", 0.2, cores, _cpu),
)


def rule(evidence: Evidence) -> Iterator[Said]:
    """One finding a quantity, of the server that differs most."""
    # A service behind another has work of its own: it is no second of its kind.
    servers = [server for server in evidence.servers if not server.behind]
    if len(servers) < 2:
        return
    if not evidence.loaded:
        yield Unknown("Whether one server was unlike the others: no load was driven.")
        return
    said, found = [], False
    for quantity in _QUANTITIES:
        values = {
            server: value
            for server in range(len(servers))
            if (value := quantity.of(servers[server])) is not None
        }
        if len(values) < 2:
            continue
        said.append(
            f"{quantity.what} {quantity.written(min(values.values()))} to {quantity.written(max(values.values()))}"
        )

        def typical(index: int, values: dict[int, float] = values) -> float:
            return float(median(value for at, value in values.items() if at != index))

        odd = max(values, key=lambda index: (abs(values[index] - typical(index)), values[index]))
        its, others = values[odd], typical(odd)
        if abs(its - others) < quantity.least or not (its >= _TIMES * others or its <= others / _TIMES):
            continue
        found = True
        server = servers[odd]
        than = "the other one" if len(values) == 2 else f"the median of the {len(values) - 1} others"
        yield Finding(
            title=f"Server {server.name} is unlike the others: {quantity.what} {quantity.written(its)} against "
            f"{quantity.written(others)}",
            certainty=LIKELY if len(values) > 2 else PERHAPS,
            evidence=[
                f"{quantity.what[:1].upper()}{quantity.what[1:]}: {quantity.written(its)} on {server.name}, "
                f"{quantity.written(others)} on {than}.",
                f"Its access log has {count(_answers(server), 'answer')} of this load.",
            ],
            settle="Compare the facts of both servers (cores, versions, number of workers) and their flamegraphs; then give both "
            "the same share of the load.",
            server=server.name,
            span=server.span_of(server.seconds),
            lanes=("workers_cpu",),
            counts={quantity.name: its, f"{quantity.name}_of_others": others, "servers": len(values)},
            part="servers",
            same=quantity.name,
        )
    if not found and said:
        yield RuledOut(f"No server unlike the others: of {len(servers)} servers, {'; '.join(said)}.")
    elif not said:
        yield Unknown(
            "Whether one server was unlike the others: neither metrics nor access logs of two of them were recorded."
        )
