"""What report.html says, as plain words and numbers for its templates and its script. No markup here."""

from __future__ import annotations

import shlex
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import __version__
from toolkit.reports import page_numbers as numbers
from toolkit.reports.flamegraph_text import bounded
from toolkit.reports.page_checks import check_words
from toolkit.reports.page_consistency import consistency_words
from toolkit.reports.page_errors import error_words
from toolkit.reports.page_findings import finding_words
from toolkit.reports.page_kind import kind_words
from toolkit.reports.page_requests import worth_showing
from toolkit.reports.page_servers import server_words
from toolkit.reports.page_time import zero_s
from toolkit.reports.page_traffic import traffic_words
from toolkit.reports.page_trust import trust_words

if TYPE_CHECKING:
    from toolkit.analysis.results import Results
    from toolkit.recording.manifest import Manifest

_OUTCOMES = {
    "passed": ("passed", "good"),
    "failed": ("failed", "bad"),
    "invalid": ("invalid: do not use the numbers", "bad"),
    "check-failed": ("a check did not hold", "bad"),
    "interrupted": ("interrupted", "warn"),
    "running": ("not ended", "warn"),
}


def words(results: Results) -> dict[str, Any]:
    """Everything the templates print; the keys are the names used in page/templates."""
    summary = results.summary
    manifest = results.manifest
    found = {server["name"]: server for server in summary.get("servers", [])}
    zero = zero_s(results)
    return {
        "head": _head(manifest),
        "missing": list(dict.fromkeys(summary.get("missing", manifest.missing))),
        "figures": numbers.figures(summary),
        "nothing_measured": "No load was driven in this run: it is a profile alone."
        if not manifest.loads
        else "No request was recorded.",
        "scenarios": numbers.scenarios(summary),
        "requests": numbers.request_table(summary),
        "codes": numbers.codes(summary),
        "errors": numbers.errors(summary),
        "worth_showing": worth_showing(results, zero),
        "failures": error_words(results, zero),
        "checks": check_words(summary),
        "kind": kind_words(summary),
        "traffic": traffic_words(summary),
        "consistency": consistency_words(summary),
        "findings": finding_words(results, zero),
        "trust": trust_words(summary),
        "servers": [
            server_words(
                entry,
                found.get(entry.name, {}),
                [log for log in results.log_sources if log["server"] == entry.name],
                zero,
            )
            for entry in manifest.servers
        ],
        "again": again(results),
        "versions": [_fact(name, version) for name, version in sorted(manifest.versions.items())],
        "footer": f"Written by gunicorn-load-profile-toolkit {__version__} from the run folder of {manifest.run_id}. "
        "Times are on the controller's clock, in UTC; times like 1:05 count from the first request.",
    }


def _head(manifest: Manifest) -> dict[str, Any]:
    outcome, tone = _OUTCOMES.get(manifest.outcome, (manifest.outcome, "warn"))
    facts = [_fact("Started", _utc(manifest.started_ns)), _fact("Duration", duration_words(manifest))]
    if manifest.target:
        facts.append(_fact("Target", manifest.target))
    if manifest.servers:
        named = ", ".join(f"{server.name} ({server.address})" for server in manifest.servers)
        facts.append(
            _fact("Server" if len(manifest.servers) == 1 else "Servers", named, wide=len(named) > 40)
        )
    if manifest.loads:
        # A stress and a capacity drive a file several times.
        files = dict.fromkeys(_tail(load.file) if load.file else load.name for load in manifest.loads)
        facts.append(_fact("Scenario file" if len(files) == 1 else "Scenario files", ", ".join(files)))
    facts.append(_fact("Command", manifest.command))
    if manifest.exit_code is not None:
        facts.append(_fact("Exit code", str(manifest.exit_code)))
    return {
        "plan": bounded(manifest.plan_name),
        "run_id": bounded(manifest.run_id),
        "outcome": outcome,
        "tone": tone,
        "reason": manifest.reason,
        "facts": facts,
    }


def again(results: Results) -> list[dict[str, str]]:
    """`{"command", "why"}`: how to do a run again, and how to build what is derived of it, from the folder one is in now."""
    manifest, run = results.manifest, str(results.run.path)
    with suppress(ValueError):
        run = str(results.run.path.absolute().relative_to(Path.cwd()))
    return [
        {
            "command": f"python -m toolkit {manifest.kind} {shlex.quote(f'{run}/plan.yml')}",
            "why": "the same run again, from its own plan (secrets in it are masked)",
        },
        {
            "command": f"python -m toolkit report {shlex.quote(run)}",
            "why": "this page and everything derived, from what was recorded",
        },
    ]


def duration_words(manifest: Manifest) -> str:
    """How long a run took: `39.9 s`, `4 h 2 min 10 s`."""
    if not manifest.ended_ns:
        return "did not end"
    seconds = (manifest.ended_ns - manifest.started_ns) / 1e9
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min {rest} s" if minutes >= 60 else f"{minutes} min {rest} s"


def _tail(path: str) -> str:
    return "/".join(path.replace("\\", "/").split("/")[-2:])


def _utc(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _fact(name: str, value: str, *, wide: bool = False) -> dict[str, Any]:
    return {"name": bounded(name), "value": bounded(value), "wide": wide}
