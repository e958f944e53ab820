"""`summary["trust"]`: whether the numbers of a run can be used, with everything that was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import rows
from toolkit.analysis.trust import load_rules, machine_rules, server_rules
from toolkit.analysis.trust.arrivals import Arrivals
from toolkit.analysis.trust.canary import compare
from toolkit.analysis.trust.cpu_time import counted_s, cpu_counted
from toolkit.analysis.trust.findings import JUDGED, Finding, reasons_of, verdict_of
from toolkit.analysis.trust.machine_rules import Machine
from toolkit.analysis.trust.series import trust_series

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from toolkit.analysis.trust.reading import Generator
    from toolkit.recording.manifest import Manifest


def trust_summary(
    connection: duckdb.DuckDBPyConnection,
    generator: Generator,
    manifest: Manifest,
    summary: dict[str, Any],
    grid: list[int],
) -> dict[str, Any]:
    """`{"verdict": good | doubtful | invalid, "reasons": [sentences], "rows": [{"key", "name", "value", "tone": good | warn |
    bad | none, "words", "reason"}],
    "series": as `trust_series`}`. `summary` is the rest of it, `grid` the seconds of the load."""
    arrivals = [Arrivals(load) for load in generator.loads]
    lags = {row["t"]: tuple(row["lag_ms"]) for row in rows(connection, "trust_send_lag")}
    findings = [
        *_known_before(manifest),
        *_of_load(connection, generator, arrivals, summary),
        *server_rules.records(summary["records"]),
        *_of_servers(connection, manifest, summary),
    ]
    return {
        "verdict": verdict_of(findings),
        "reasons": reasons_of(findings),
        "rows": [finding.row() for finding in findings if finding.name],
        "series": trust_series(grid, arrivals, generator, lags),
    }


def _known_before(manifest: Manifest) -> Iterator[Finding]:
    """What the run itself saw: a worker of the generator died, say."""
    if manifest.outcome == "running":
        reason = (
            "The run never came to its end: its controller was killed, or its machine went down. What was recorded until then "
            "is here, and nothing of what came after."
        )
        yield Finding("", "", "", "warn", "", reason)
    elif manifest.outcome == "failed":
        yield Finding("", "", "", "warn", "", f"The run failed: {manifest.reason}")
    if manifest.outcome != "invalid" or manifest.reason.startswith(JUDGED):
        return
    problems = [f"Load {load.name}: {load.problem}." for load in manifest.loads if load.problem]
    for reason in problems or [manifest.reason]:
        yield Finding("", "", "", "bad", "", reason or "The run was found invalid.", certain=True)


def _of_load(
    connection: duckdb.DuckDBPyConnection,
    generator: Generator,
    arrivals: list[Arrivals],
    summary: dict[str, Any],
) -> Iterator[Finding]:
    totals = summary["totals"]
    if not totals["count"]:
        return
    machine = Machine(generator, totals["started_ns"] / 1e9, totals["ended_ns"] / 1e9)
    phases = [
        phase
        for one in arrivals
        if one.load.pulses  # a recording of an older toolkit has none
        for phase in one.phases()
    ]
    yield from load_rules.arrivals(phases, machine.at_its_limit)
    yield from load_rules.stretched(phases)
    yield from load_rules.skipped(totals)
    yield from load_rules.send_lag(totals)
    yield from load_rules.lateness(generator.loads, machine.at_its_limit)
    yield from machine_rules.event_loop(machine)
    yield from machine_rules.generator_cpu(machine)
    yield from machine_rules.host_cpu(machine)
    yield from machine_rules.canary(generator.canary, compare(connection, generator.canary), machine)


def _of_servers(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, summary: dict[str, Any]
) -> Iterator[Finding]:
    found = {server["name"]: server for server in summary["servers"]}
    for entry in manifest.servers:
        yield from server_rules.clock(entry)
        yield from server_rules.connection(entry)
        yield from server_rules.profiler_cpu(entry)
        for view in found.get(entry.name, {}).get("views", []):
            yield from server_rules.view(entry.name, view)
            if view["view"] == "cpu":
                counted = counted_s(connection, entry.name)
                for finding in cpu_counted(entry.name, view, counted, _spare(found[entry.name])):
                    view["note"] = (
                        f"{view['note'] or ''} {finding.reason}".strip()
                    )  # for who sees the flamegraph alone
                    yield finding


def _spare(server: dict[str, Any]) -> float | None:
    idle = (server.get("watch") or {}).get("metrics", {}).get("host.cpu_idle")
    return None if idle is None else idle["mean"]
