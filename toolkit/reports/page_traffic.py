"""Section "Records sent from files" of report.html, from `summary["traffic"]`."""

from __future__ import annotations

from typing import Any

from toolkit.reports.flamegraph_text import bounded
from toolkit.reports.summary_traffic import COUNTS, sentences, when
from toolkit.reports.unknown_records import name_of


def traffic_words(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """`{"load", "sentences", "tone", "verdict", "counts": [{"name", "count"}], "unknown", "invalid": rows of texts,
    "all_unknown"}` a file.
    """
    return [_words(entry) for entry in summary.get("traffic") or []]


def _words(entry: dict[str, Any]) -> dict[str, Any]:
    whole = not (entry["unknown"] or entry["unsent"])
    return {
        "load": bounded(entry["load"]),
        "sentences": [bounded(sentence) for sentence in sentences(entry)],
        "tone": "good" if whole and not entry["invalid"] else "warn",
        "verdict": "each sent once" if whole else "not all is known",
        "counts": [{"name": name, "count": f"{entry[name]:,}"} for name in COUNTS],
        "unknown": [
            [
                f"{row['record']:,}",
                f"{row['line']:,}" if row["line"] else "–",
                when(row["sent_ns"]),
                bounded(row["request_id"]),
                bounded(row["problem"]),
            ]
            for row in entry["unknown_records"]
        ],
        "all_unknown": name_of(entry["load"]) if entry["unknown"] else "",
        "invalid": [
            [str(row["record"]), str(row["line"]), bounded(row["problem"])]
            for row in entry["invalid_records"]
        ],
    }
