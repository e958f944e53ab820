"""Everything a renderer may show of one run, computed once from the run folder."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from toolkit.analysis.checks.judge import checks_summary
from toolkit.analysis.checks.measured import Given
from toolkit.analysis.database import rows
from toolkit.analysis.findings.judge import findings_summary
from toolkit.analysis.findings.reading import read_evidence
from toolkit.analysis.flames import Flame
from toolkit.analysis.joins.findings import ServerErrors, read_server_errors
from toolkit.analysis.kinds.summary import kind_summary
from toolkit.analysis.load_shape import LoadShape, read_load_shape
from toolkit.analysis.load_summary import phase_list
from toolkit.analysis.series import read_series
from toolkit.analysis.summary import make_summary, run_summary
from toolkit.analysis.tables import open_tables
from toolkit.analysis.trust.judge import trust_summary
from toolkit.analysis.trust.reading import read_generator
from toolkit.analysis.views import read_profiles
from toolkit.analysis.watch.lanes import read_server_series
from toolkit.analysis.watch.summary import read_busy, watch_summary
from toolkit.analysis.windows_profile import RecordedProfile
from toolkit.analysis.windows_reading import open_source, read_profile, time_zero_ms
from toolkit.recording.manifest import Manifest, load_manifest

if TYPE_CHECKING:
    import duckdb

    from toolkit.recording.layout import RunFolder

_MOST_FAILURES = 30

__all__ = ["Flame", "Results", "read_results"]


@dataclass(frozen=True)
class Results:
    """The findings of one run."""

    run: RunFolder
    manifest: Manifest
    summary: dict[str, Any]
    """The content of summary.json, and `trust.series`, which is left out of that file."""
    series: dict[str, list[Any]] = field(default_factory=dict)
    """Columns on one grid of whole seconds: `t` (epoch seconds, controller's clock), `requests` (that ended in this second,
    answered or not), `status_2xx` … `status_5xx`, `status_0` (websocket, Socket.IO), `accepted` (400 and above that the scenario
    takes for right; in none of the others), `errors` (ended without an answer), `failed_checks` (answered, with an error),
    `failed` (any of these or status ≥ 400, each once),
    `p50_ms`, `p95_ms`, `p99_ms` (of the answered; None where there was none), `started`."""
    shape: LoadShape = field(default_factory=LoadShape)
    """Arrivals and latencies in bins, second by second and request by request."""
    phases: list[dict[str, Any]] = field(default_factory=list)
    """`{"load", "file", "name", "index", "start_ns", "end_ns"}` in order of start."""
    server_series: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    """Per server, columns on one grid of whole seconds that is the same for all servers and holds that of `series`: `t`; of the
    service `accept_queue` (largest of the second), `accept_queue_limit`, `connections…`; of the host `cpu_…` (cores), `cores`,
    `memory_available`, `swap_used` (bytes), `net_…`, `disk_…` (bytes/s), `pressure_…` and others of metric_fields.py; of the
    workers together `workers_cpu` (cores), `workers_rss` (bytes; shared memory counts in each), `workers` (alive), `born`,
    `died`, `busy_by_cpu` (how many used half a core or more), `busy_workers` and `busy_threads` (from the stacks, a chunk's
    mean in each of its seconds). None where nothing is known. Last `by_worker`, no column: `{"pid", "at", "cpu", "rss",
    "busy"}` by PID, its columns begin at the index `at` of the grid."""
    server_errors: ServerErrors = field(default_factory=lambda: ServerErrors({}))
    """Requests worth showing with their lines of the servers' logs, and the tracebacks second by second."""
    log_sources: list[dict[str, Any]] = field(default_factory=list)
    """The logs that were looked at: `{"server", "source", "path", "role", "kind", "format", "bytes", "lines", "dropped_bytes",
    "limited", "generations", "found", "note"}`."""
    first_failures: list[dict[str, Any]] = field(default_factory=list)
    """`{"status", "error", "requests", "first_ns", "last_ns", "name"}` of each kind of failure, the earliest first."""
    flames: list[Flame] = field(default_factory=list)
    """Per server and view: the whole server first, then its workers by PID."""
    postmortem_template: tuple[str, str] | None = None
    """Name and text of the user's own; None for the one that comes with the toolkit."""
    profile: RecordedProfile = field(default_factory=RecordedProfile)
    """Every chunk of every view that is shown: what the page adds windows up from."""


def read_results(run: RunFolder, tables: duckdb.DuckDBPyConnection | None = None) -> Results:
    """Compute the findings of a run from its tables, which are built where they are missing.

    Args:
        run: the run folder.
        tables: a database with one view a table, where there is one already.

    Raises:
        ToolkitError: there is no run.json that this toolkit can read. Anything else that is missing or broken becomes a
            sentence in `summary["missing"]`.
    """
    manifest = load_manifest(run.manifest)
    generator = read_generator(run)
    with open_tables(run) if tables is None else nullcontext(tables) as connection:
        profiles = read_profiles(connection, run, manifest)
        series = read_series(connection)
        server_errors = read_server_errors(connection, manifest, generator.canary.asked)
        busy = read_busy(connection, manifest, profiles.servers)
        server_series = read_server_series(connection, manifest, busy, series["t"])
        summary = make_summary(connection, run, manifest, profiles, server_errors.summary)
        summary["run"]["zero_ns"] = time_zero_ms(connection, manifest) * 1_000_000
        for server in summary["servers"]:
            name = server["name"]
            lanes = server_series.get(name, {})
            server["watch"] = watch_summary(connection, manifest, name, busy[name], lanes, summary["totals"])
        summary["trust"] = trust_summary(connection, generator, manifest, summary, series["t"])
        summary["checks"] = checks_summary(connection, manifest, summary)
        summary["load_kind"] = kind_summary(Given(connection, manifest, summary))
        evidence = read_evidence(connection, summary, series, server_series, profiles.flames, busy)
        summary["findings"] = findings_summary(evidence)
        return Results(
            run,
            manifest,
            summary=summary,
            series=series,
            shape=read_load_shape(connection),
            server_errors=server_errors,
            log_sources=rows(connection, "log_source_list"),
            first_failures=rows(connection, "first_failures", {"most": _MOST_FAILURES}),
            server_series=server_series,
            phases=phase_list(connection, manifest),
            flames=[_with_doubts(flame, summary) for flame in profiles.flames],
            profile=read_profile(open_source(connection, run, manifest), profiles.servers),
        )


def with_new_end(results: Results, tables: duckdb.DuckDBPyConnection) -> Results:
    """The same results after run.json was given another end. Only of a run that became invalid is anything else another."""
    manifest = load_manifest(results.run.manifest)
    if manifest.outcome == "invalid":
        return read_results(results.run, tables)
    zero_ns = results.summary["run"]["zero_ns"]
    summary = {**results.summary, "run": {**run_summary(manifest), "zero_ns": zero_ns}}
    return replace(results, manifest=manifest, summary=summary)


def _with_doubts(flame: Flame, summary: dict[str, Any]) -> Flame:
    """A flame is looked at by itself, too: what the verdict says of its view stands in its note."""
    key = f"cpu_counted:{flame.server}"
    said = [row["reason"] for row in summary["trust"]["rows"] if row["key"] == key and row["reason"]]
    return (
        replace(flame, note=" ".join([flame.note, *said]).strip()) if said and flame.view == "cpu" else flame
    )
