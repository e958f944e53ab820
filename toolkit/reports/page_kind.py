"""Section of report.html on the kind of the load, from `summary["load_kind"]`."""

from __future__ import annotations

from typing import Any

from toolkit.reports.flamegraph_text import bounded
from toolkit.reports.summary_kind import total_rows


def kind_words(summary: dict[str, Any]) -> dict[str, Any] | None:
    """`{"title", "totals": [[name, value]], "sentences", "tables": [{"title", "head", "rows"}]}`; None without load."""
    found = summary.get("load_kind") or {}
    if not found.get("kind"):
        return None
    return {
        "title": found["kind"].capitalize(),
        "totals": total_rows(found["totals"]),
        "sentences": [bounded(sentence) for sentence in found["sentences"]],
        "tables": [
            {
                "title": bounded(one["title"]),
                "head": [bounded(cell) for cell in one["head"]],
                "rows": [[bounded(cell) for cell in row] for row in one["rows"]],
            }
            for one in found["tables"]
        ],
    }
