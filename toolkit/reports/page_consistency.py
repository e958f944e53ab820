"""Section "Consistency" of report.html, from `summary["consistency"]`."""

from __future__ import annotations

from typing import Any

from toolkit.reports.flamegraph_text import bounded
from toolkit.reports.summary_consistency import COUNTS, found_words, sentences

MOST_SHOWN = 1000
_TONES = {"held": "good", "broken": "bad", "unclear": "warn", "unjudged": "bad"}
_WORDS = {
    "held": "the data stayed right",
    "broken": "the data did not stay right",
    "unclear": "not all is known",
    "unjudged": "not known",
}


def consistency_words(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """`{"load", "sentences", "tone", "verdict", "counts": [{"name", "count"}], "invariants": [{"service", "invariant", "verdict",
    "tone", "found"}], "disagreements": [{"service", "invariant", "left", "right", "more", "rows": [[text]]}]}` a scenario.
    """
    return [_words(entry) for entry in summary.get("consistency") or []]


def _words(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "load": bounded(entry["load"]),
        "sentences": [bounded(sentence) for sentence in sentences(entry)],
        "tone": _TONES[entry["verdict"]],
        "verdict": _WORDS[entry["verdict"]],
        "counts": [{"name": name, "count": f"{entry[name]:,}"} for name in COUNTS],
        "invariants": [
            {
                "service": bounded(one["service"]),
                "invariant": bounded(one["invariant"]),
                "verdict": one["verdict"],
                "tone": _TONES[one["verdict"]],
                "found": bounded(found_words(one)),
            }
            for one in entry["invariants"]
        ],
        "disagreements": [words for one in entry["invariants"] if (words := _disagreements(one))["rows"]],
    }


def _disagreements(one: dict[str, Any]) -> dict[str, Any]:
    rows = [("no", row) for row in one["violating"]] + [("unclear", row) for row in one["undecided"]]
    listed = [(holds, row) for holds, row in rows if row["id"]]
    return {
        "service": bounded(one["service"]),
        "invariant": bounded(one["invariant"]),
        "left": bounded(one["left"]),
        "right": bounded(one["right"]),
        "more": max(0, one["violations"] + one["unclear"] - MOST_SHOWN),
        "rows": [
            [
                bounded(row["id"]),
                holds,
                bounded(row["left"]),
                bounded(row["right"]),
                bounded(", ".join(row["actions"])),
            ]
            for holds, row in listed[:MOST_SHOWN]
        ],
    }
