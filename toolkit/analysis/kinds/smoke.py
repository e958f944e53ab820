"""A smoke test: whether each request was asked for at all, and what it answered. `figures`: `{"all_well": bool}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.analysis.kinds.shown import Shown, Table, ms

if TYPE_CHECKING:
    from toolkit.analysis.checks.measured import Given


def show(given: Given) -> Shown:
    """A line for each request, those that failed first."""
    requests = sorted(
        given.summary["requests"], key=lambda row: (not row["failed"], row["load"], row["name"])
    )
    failed = [row for row in requests if row["failed"]]
    words = (
        f"{len(failed)} of {len(requests)} kinds of request failed at least once."
        if failed
        else f"All {len(requests)} kinds of request were answered well each time."
    )
    rows = [
        [f"{row['load']}: {row['name']}", f"{row['count']:,}", f"{row['failed']:,}", ms(row["max_ms"])]
        for row in requests
    ]
    table = Table("Each kind of request", ["", "requests", "failed", "slowest"], rows)
    return Shown([words], [table], {"all_well": not failed})
