"""Checks on the run itself: its records, its generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.analysis.checks.measured import Given, Measured

if TYPE_CHECKING:
    from toolkit.checks.check import Check

_OF_GENERATOR = ("arrivals", "canary", "late")
"""Rows of the verdict ("Can this be trusted?") that speak of the generator, up to a colon."""


def measure_records(_check: Check, given: Given) -> Measured:
    """Records that were not used, and files that are cut short."""
    records = given.summary["records"]
    if not given.manifest.loads:
        return Measured(problem="no load was recorded")
    return Measured(
        float(records["unreadable"] + records["implausible"] + records["cut_files"]), records["read"]
    )


def measure_traffic(check: Check, given: Given) -> Measured:
    """Of all files that were sent."""
    files = given.summary["traffic"]
    if not files:
        return Measured(problem="no records of a file were sent")
    return Measured(
        float(sum(file[check.quantity.measure] for file in files)), sum(file["records"] for file in files)
    )


def measure_consistency(check: Check, given: Given) -> Measured:
    """Of all scenarios that looked; nothing where one of them could not be judged."""
    entries = given.summary["consistency"]
    if not entries:
        return Measured(problem="no scenario's consistency was verified")
    for entry in entries:
        unjudged = [one for one in entry["invariants"] if one["verdict"] == "unjudged"]
        if unjudged:
            return Measured(problem=f"{entry['load']}: {unjudged[0]['invariant']}: {unjudged[0]['problem']}")
    looked_at = sum(one["looked_at"] for entry in entries for one in entry["invariants"])
    return Measured(float(sum(entry[check.quantity.measure] for entry in entries)), looked_at)


def measure_generator(_check: Check, given: Given) -> Measured:
    """Signs that make a run invalid."""
    looked = [row for row in given.summary["trust"]["rows"] if row["key"].partition(":")[0] in _OF_GENERATOR]
    if not looked:
        return Measured(problem="nothing is known of the generator")
    return Measured(float(sum(row["tone"] == "bad" for row in looked)), len(looked))
