"""How the parts of a sentence are chosen and merged."""

from __future__ import annotations

from typing import Any

from toolkit.analysis.joins.explanations import explanations

KNOWN = ("timeout", "killed", "closed", "access", "none", "interrupted")


def part(what: str, requests: int, **given: Any) -> dict[str, Any]:
    """One row of error_parts.sql."""
    return {
        "kind": "status",
        "status": 502,
        "error": None,
        "what": what,
        "why": None,
        "fingerprint": None,
        "access_status": None,
        "cause": None,
        "what_certainty": "certain",
        "requests": requests,
        "by_id": True,
        "pids": [],
        "pid": None,
        **given,
    }


def test_less_frequent_explanations_are_said_as_such() -> None:
    frequent = [part(what, 100 - number) for number, what in enumerate(KNOWN)]
    rare = [
        part("gave_up", 3, why="lost", access_status=200),
        part("proxy", 2, why="raised_later", fingerprint="f", access_status=500),
        part("unfinished", 1, why="full"),
    ]

    (found,) = explanations([*frequent, *rare], {"f": "ValueError at app.py:1"})

    assert found["sentence"].endswith("; 6 stand with less frequent explanations.")
    others = found["parts"][-1]
    assert (others["count"], others["what"]) == (6, "others")
    assert [others[name] for name in ("why", "fingerprint", "access_status", "cause")] == [None] * 4
    assert found["count"] == sum(one["count"] for one in found["parts"])
