"""Artillery's own thresholds, as its plugin `ensure` prints them."""

from __future__ import annotations

from toolkit.engines.ensure import ensured

CONSOLE = [
    "ok: not yet",
    "",
    "Checks:",
    "ok: http.response_time.p95 < 900",
    "fail: maxErrorRate < 1",
    "fail: p99 < 5 (optional)",
    "other",
]


def test_each_threshold_is_taken_in() -> None:
    assert ensured(CONSOLE) == (
        {"check": "http.response_time.p95 < 900", "held": True, "words": ""},
        {"check": "maxErrorRate < 1", "held": False, "words": ""},
        {"check": "p99 < 5", "held": True, "words": "did not hold, and is optional"},
    )


def test_without_thresholds_there_are_none() -> None:
    assert ensured(["ok: fine", "fail: not"]) == ()


def test_an_expectation_is_one_check() -> None:
    (found,) = ensured([], expect_failed=True)
    assert not found["held"]
