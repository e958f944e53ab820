"""`summary["checks"]`: every check of a run with what was measured, and whether all held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from toolkit.analysis.checks.aggregated import of_sums
from toolkit.analysis.checks.measured import Given, Measured
from toolkit.analysis.checks.measures import MEASURES
from toolkit.checks.grammar import CheckSyntaxError, parse

if TYPE_CHECKING:
    from toolkit.checks.check import Check
    from toolkit.recording.manifest import Manifest

_NOT_LOOKED = {
    ("profile", "load"): "this run drove no load",
    ("load", "server"): "this run watched no server: toolkit profile-and-load does",
}
_SUITES = {"server": "servers", "load": "all scenarios"}
_MOST_NAMED = 2

Row = dict[str, Any]


def checks_summary(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, summary: dict[str, Any]
) -> dict[str, Any]:
    """`{"verdict": held | failed | none, "held", "failed", "skipped": counts, "reason": one line, "rows": [ROW]}`.

    ROW: `{"name", "check", "measured", "limit", "value" (in "unit"), "unit", "shown" (the value in words), "verdict": held |
    failed | skipped, "reason", "samples", "window": {"from_ns", "to_ns"} or None, "when" (words), "where", "of": plan | default
    | the engine's name, "abort", "stopped" (the load), "suite"}`. `summary` is the rest of summary.json.
    """
    given = Given(connection, manifest, summary)
    asked = manifest.checks or []
    rows = [row for entry in asked if (row := _judged(entry, given)) is not None]
    rows += [_of_engine(load.name, load.engine, said) for load in manifest.loads for said in load.checks]
    counts = {
        verdict: sum(row["verdict"] == verdict for row in rows) for verdict in ("held", "failed", "skipped")
    }
    return {
        "verdict": "failed" if counts["failed"] else "held" if counts["held"] else "none",
        **counts,
        "reason": _reason(rows),
        "rows": rows,
    }


def _judged(entry: dict[str, Any], given: Given) -> Row | None:
    """None of a default that this run has nothing for."""
    text = str(entry.get("check", ""))
    row = _row(str(entry.get("name") or text), text, "default" if entry.get("default") else "plan")
    row["abort"] = bool(entry.get("abort"))
    try:
        check = parse(text)
    except CheckSyntaxError as error:  # written by another version of the toolkit
        return row | {"verdict": "failed", "reason": f"this toolkit does not know the check {error}"}
    row |= {
        "measured": check.measured,
        "limit": check.limited,
        "unit": check.unit.written(0).removeprefix("0").strip(),
    }
    row["suite"] = check.tag("scenario") or _SUITES[check.quantity.of]
    skipped = _NOT_LOOKED.get((given.manifest.kind, check.quantity.of))
    if skipped:
        return None if entry.get("default") else row | {"verdict": "skipped", "reason": skipped}
    measured = _at_abort(entry) or _measured(check, given)
    if measured.problem and entry.get("default") and check.quantity.source != "requests":
        return None
    row |= _verdict(check, measured, given, aborted=bool(entry.get("aborted")))
    if row["reason"] and row["name"] != row["check"]:
        row["reason"] = f"{row['name']}: {row['reason']}"
    return row


def _measured(check: Check, given: Given) -> Measured:
    """A table that cannot be read fails the check, and costs nothing else of the report."""
    sums = given.summary.get("aggregates") or ()
    if sums and check.quantity.source == "requests":  # a load of sums stands alone in its run
        return of_sums(check, sums[0])
    try:
        return MEASURES[check.quantity.source](check, given)
    except duckdb.Error as error:
        return Measured(problem=f"it could not be measured: {str(error).splitlines()[0]}")


def _at_abort(entry: dict[str, Any]) -> Measured | None:
    """What was seen when the check stopped the load: it stands, whatever the records say afterwards."""
    seen = entry.get("aborted")
    if not isinstance(seen, dict):
        return None
    return Measured(
        seen["value"], seen["samples"], seen["from_ns"], seen["to_ns"], str(seen.get("where") or "")
    )


def _verdict(check: Check, measured: Measured, given: Given, *, aborted: bool) -> Row:
    found: Row = {"samples": measured.samples, "where": measured.where}
    if measured.value is None:
        return found | {"verdict": "failed", "reason": f"{check.measured}: {measured.problem}"}
    value = round(measured.value, 6)
    held = check.holds(value) and not aborted
    found |= {
        "stopped": aborted,
        "value": value,
        "verdict": "held" if held else "failed",
        "shown": check.unit.written(value),
    }
    when = ""
    if measured.from_ns is not None and measured.to_ns is not None:
        found["window"] = {"from_ns": measured.from_ns, "to_ns": measured.to_ns}
        zero_ns = given.summary["run"]["zero_ns"]
        when = f" from {_clock(measured.from_ns - zero_ns)} to {_clock(measured.to_ns - zero_ns)}"
    found["when"] = when.strip()
    if not held:
        where = f" on {measured.where}" if measured.where else ""
        stopped = ", and stopped the load" if aborted else ""
        found["reason"] = (
            f"{check.measured} was {found['shown']}{where}{when}, wanted {check.limited}{stopped}"
        )
    return found


def _of_engine(load: str, engine: str, said: dict[str, Any]) -> Row:
    text, held = str(said.get("check", "")), bool(said.get("held"))
    row = _row(f"{load}: {text}", text, engine)
    words = str(said.get("words") or "") or "it did not hold"
    reason = "" if held else f"{engine} says of {load}: {text}: {words}"
    return row | {
        "measured": text,
        "shown": words if said.get("words") else "",
        "verdict": "held" if held else "failed",
        "reason": reason,
        "suite": load,
    }


def _row(name: str, text: str, of: str) -> Row:
    return {
        "name": name,
        "check": text,
        "measured": text,
        "limit": "",
        "value": None,
        "unit": "",
        "shown": "",
        "verdict": "failed",
        "reason": "",
        "samples": 0,
        "window": None,
        "when": "",
        "where": "",
        "of": of,
        "abort": False,
        "stopped": False,
        "suite": "all scenarios",
    }


def _reason(rows: list[Row]) -> str:
    """One line; empty where all held. What stopped the load comes first."""
    failed = sorted(
        (row for row in rows if row["verdict"] == "failed"),
        key=lambda row: not row["stopped"],
    )
    if not failed:
        return ""
    judged = sum(row["verdict"] != "skipped" for row in rows)
    named = "; ".join(row["reason"] for row in failed[:_MOST_NAMED])
    more = f"; and {len(failed) - _MOST_NAMED} more" if len(failed) > _MOST_NAMED else ""
    count = f"{len(failed)} of {judged} checks" if judged > 1 else "The one check"
    return f"{count} did not hold: {named}{more}."


def _clock(nanoseconds: int) -> str:
    sign, seconds = ("-", -nanoseconds // 10**9) if nanoseconds < 0 else ("", nanoseconds // 10**9)
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
