"""What became of the records of each file that was sent: counts, what is unknown, what could not be sent."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError
from toolkit.recording.jsonl import read_lines
from toolkit.recording.ledger import ANSWERED, INVALID, UNKNOWN, UNSENT

if TYPE_CHECKING:
    from toolkit.recording.layout import LoadFolder, RunFolder

MOST_LISTED = 100
"""Unknown and invalid records in summary.json; exports/ has all of the unknown, the ledger all of the invalid."""


def traffic_summary(run: RunFolder) -> tuple[list[dict[str, Any]], list[str]]:
    """One entry a file that was sent, and a sentence for each ledger that cannot be read.

    An entry: `{"load", "file", "sha256", "order", "resumes" (a run folder, or empty), "records", "invalid", "answered",
    "unknown", "unsent", "claimed" (of the unsent), "before": {"answered", "unknown"} or None (what earlier runs share in these
    counts), "statuses": {"201": count} (of this run's answers), "unknown_records": [{"record", "line", "sent_ns",
    "request_id", "problem"}], "invalid_records": [{"record", "line", "problem"}]}`; records count from 1.
    """
    found, missing = [], []
    for load in run.loads():
        if load.ledger.path.is_dir():
            try:
                found.append(_of(load))
            except (ToolkitError, OSError, ValueError, LookupError, EOFError) as error:
                missing.append(f"Load {load.name}: the ledger cannot be read: {error}")
    return found, missing


def _of(load: LoadFolder) -> dict[str, Any]:
    ledger = load.ledger
    state = ledger.read()
    return {
        "load": load.name,
        "file": state.head.file,
        "sha256": state.head.sha256,
        "order": state.head.order,
        "resumes": state.head.resumes,
        "records": state.head.records,
        "invalid": state.count(INVALID),
        "answered": state.count(ANSWERED),
        "unknown": state.count(UNKNOWN),
        "unsent": state.count(UNSENT),
        "claimed": state.claimed,
        "before": state.before or None,
        "statuses": {str(status): state.statuses[status] for status in sorted(state.statuses)},
        "unknown_records": [
            {
                "record": one.record,
                "line": one.line,
                "sent_ns": one.sent_ns,
                "request_id": one.request_id,
                "problem": one.problem,
            }
            for one in islice(ledger.unknown(state), MOST_LISTED)
        ],
        "invalid_records": [
            {"record": row.get("record"), "line": row.get("line"), "problem": str(row.get("problem"))}
            for row in islice(read_lines(ledger.invalid), MOST_LISTED)
        ],
    }
