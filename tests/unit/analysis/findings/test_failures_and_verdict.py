"""What failed, what restarted, whether the generator could, and when a run is called healthy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.analysis.findings.small import SECONDS, ZERO, evidence, found, row, ruled_out, server, unknown
from toolkit.analysis.findings import registry
from toolkit.analysis.findings.finding import Finding
from toolkit.analysis.findings.judge import findings_summary


def _death(cause: str, at_s: float = 5, **more: Any) -> dict[str, Any]:
    words = {"cause": cause, "words": f"so it was: {cause}", "certainty": "certain", "evidence": "a line"}
    return {"pid": 701, "t_ns": round((ZERO + at_s) * 1e9), **words, **more}


def _explained(what: str, count: int, **more: Any) -> dict[str, Any]:
    part = {
        "count": count,
        "what": what,
        "words": "stand so",
        "fingerprint": None,
        "certainty": "certain",
        "cause": what,
        **more,
    }
    return {
        "kind": "status",
        "status": 500,
        "error": None,
        "count": count,
        "parts": [part],
        "sentence": "They failed.",
    }


def test_timeouts_say_what_they_cost() -> None:
    errors = {"explanations": [_explained("timeout", 7)], "tracebacks": []}
    row_ = found("restarts", evidence(server(deaths=[_death("timeout")] * 2), server_errors=errors))
    assert row_.title == "2 workers killed by gunicorn for its timeout; 7 requests failed by it"
    assert row_.certainty == "certain"
    assert row_.counts["requests_failed"] == 7


def test_each_cause_is_told_what_its_own_ends_cost() -> None:
    errors = {
        "explanations": [_explained("timeout", 6), _explained("killed", 3), _explained("closed", 2)],
        "tracebacks": [],
    }
    deaths = [*[_death("timeout")] * 6, *[_death("killed")] * 3]
    given = evidence(server(deaths=deaths), server_errors=errors)
    said = {
        one.counts["workers_ended"]: one
        for one in registry.RULES["restarts"](given)
        if isinstance(one, Finding)
    }
    assert {ended: row.counts["requests_failed"] for ended, row in said.items()} == {6: 6, 3: 3}


def test_workers_that_are_missing_are_counted() -> None:
    given = server({"workers": [2] * 5 + [1] * 10 + [2] * 5}, deaths=[_death("oom", certainty="likely")])
    row_ = found("restarts", evidence(given))
    assert row_.counts["worker_seconds_missing"] == 10
    assert row_.certainty == "likely"


@pytest.mark.parametrize(
    "death", [_death("max_requests"), _death("shutdown"), _death("timeout", at_s=SECONDS + 5)]
)
def test_what_was_planned_or_came_after_the_load_is_none(death: dict[str, Any]) -> None:
    assert "No restart" in ruled_out("restarts", evidence(server(deaths=[death])))


def test_errors_go_by_their_traceback() -> None:
    group = {
        "fingerprint": "f",
        "known_by": "ValueError at shop.py:3 pay",
        "message": "no",
        "count": 9,
        "servers": ["web"],
        "first_ns": ZERO * 10**9,
        "last_ns": (ZERO + 4) * 10**9,
        "requests": [{"name": "pay", "requests": 9}],
    }
    errors = {"explanations": [_explained("traceback", 9, fingerprint="f")], "tracebacks": [group]}
    row_ = found("errors", evidence(server(), totals={"failed": 9}, server_errors=errors))
    assert row_.title == "ValueError at shop.py:3 pay: 9 requests failed"
    assert row_.part == "errors"
    assert "0.9 %" in row_.evidence[0]


def test_errors_without_a_traceback_are_said_too() -> None:
    errors = {"explanations": [_explained("access", 3)], "tracebacks": []}
    row_ = found("errors", evidence(server(), totals={"failed": 3}, server_errors=errors))
    assert row_.title == "3 requests got 500"


def test_no_failure_is_ruled_out_with_its_number() -> None:
    assert ruled_out("errors", evidence(server())) == "No request failed: 0 of 1,000."


def _restarts(slow: float) -> Any:
    born = [1 if at in (6, 14) else 0 for at in range(SECONDS)]
    p95 = [slow if at in (7, 15) else 9.0 for at in range(SECONDS)]
    return evidence(server({"born": born}), series={"p95_ms": p95})


def test_answers_after_a_birth_are_slow() -> None:
    row_ = found("slow-after-restart", _restarts(400.0))
    assert row_.certainty == "perhaps", "two births may be chance"
    assert row_.counts["p95_ms_after"] == 400
    assert "p95 400 ms where it is 9 ms" in row_.title


def test_answers_after_a_birth_are_as_ever() -> None:
    assert "Not slow after a restart" in ruled_out("slow-after-restart", _restarts(14.0))


def test_what_failed_as_the_worker_before_ended_makes_no_birth_slow() -> None:
    born = [1 if at in (6, 14) else 0 for at in range(SECONDS)]
    near = {7, 15}
    series: dict[str, list[Any]] = {
        "p95_ms": [1000.0 if at in near else 9.0 for at in range(SECONDS)],
        "status_5xx": [3 if at in near else 0 for at in range(SECONDS)],
    }
    assert "Not slow after a restart" in ruled_out(
        "slow-after-restart", evidence(server({"born": born}), series=series)
    )


def test_the_generator_is_judged_by_the_verdict() -> None:
    rows = [row("event_loop", "It was late.", "warn"), row("arrivals")]
    trust = {"verdict": "doubtful", "reasons": [], "rows": rows}
    assert found("generator", evidence(server(), trust=trust)).certainty == "perhaps"
    certain = {**trust, "rows": [row("canary", "It is the generator.", "bad")]}
    assert found("generator", evidence(server(), trust=certain)).certainty == "certain"
    assert "not the bottleneck" in ruled_out("generator", evidence(server()))


def test_a_machine_without_a_core_to_spare_is_not_the_generator() -> None:
    rows = [row("host_cpu", "No core to spare.", "warn"), row("arrivals")]
    trust = {"verdict": "doubtful", "reasons": [], "rows": rows}
    assert "not the bottleneck" in ruled_out("generator", evidence(server(), trust=trust))


def test_a_run_in_which_nothing_stands_out_is_healthy() -> None:
    said = findings_summary(evidence(server()))
    assert [one["rule"] for one in said["found"]] == ["healthy"], said
    assert said["found"][0]["title"] == "Healthy: nothing stands out"
    assert {one["rule"] for one in said["ruled_out"]} >= {"cpu-bound", "errors", "host-cpu", "restarts"}


def test_a_run_of_few_requests_or_without_a_server_is_not_called_so() -> None:
    assert findings_summary(evidence(server(), totals={"count": 5}))["found"] == []
    assert findings_summary(evidence())["found"] == []


def test_what_is_found_comes_most_certain_first_and_has_an_anchor() -> None:
    errors = {"explanations": [_explained("access", 3)], "tracebacks": []}
    trust = {"verdict": "doubtful", "reasons": [], "rows": [row("event_loop", "It was late.", "warn")]}
    said = findings_summary(evidence(server(), totals={"failed": 3}, server_errors=errors, trust=trust))
    assert [one["certainty"] for one in said["found"]] == ["certain", "perhaps"]
    assert [one["id"] for one in said["found"]] == ["finding-errors-status-500-none", "finding-generator"]


def test_a_rule_that_breaks_costs_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setitem(registry.RULES, "cpu-bound", broken)
    said = findings_summary(evidence(server()))
    assert "cpu-bound" in {one["rule"] for one in said["unknown"]}
    assert [one["rule"] for one in said["found"]] == ["healthy"]


def test_moments_begin_when_they_began() -> None:
    half = SECONDS // 2
    full = server({"busy_workers": [0.5] * half + [2.0] * half, "accept_queue": [0] * half + [5] * half})
    moments = findings_summary(evidence(full))["moments"]
    assert [(one["what"], one["t_ns"]) for one in moments if one["server"]] == [
        ("all_busy", (ZERO + half) * 10**9),
        ("queue", (ZERO + half) * 10**9),
    ]
    assert moments[1]["words"] == "all 2 workers were busy"


def test_a_chunk_in_which_some_were_busy_may_hold_the_beginning() -> None:
    full = server({"busy_workers": [0.0] * 5 + [0.5] * 5 + [2.0] * 10})
    (moment,) = [one for one in findings_summary(evidence(full))["moments"] if one["what"] == "all_busy"]
    assert moment["t_ns"] == (ZERO + 10) * 10**9
    assert moment["earliest_ns"] == (ZERO + 8) * 10**9, "a quarter of two, for five seconds: both for 1.25 s"


def test_the_queue_of_sync_workers_tells_the_second_that_the_stacks_do_not() -> None:
    lanes = {
        "busy_workers": [0.0] * 5 + [1.0] * 5 + [2.0] * 10,
        "accept_queue": [0] * 7 + [5] * 13,
    }
    (moment,) = [
        one for one in findings_summary(evidence(server(lanes)))["moments"] if one["what"] == "all_busy"
    ]
    assert (moment["t_ns"], moment["earliest_ns"]) == ((ZERO + 7) * 10**9, None)
    assert found("pool-exhausted", evidence(server(lanes))).counts["seconds_all_busy"] == 13
    threads = server({**lanes, "busy_threads": lanes["busy_workers"]}, worker_class="gthread")
    assert threads.all_busy == list(range(10, 20)), "their queue is before the pool of threads"


def test_every_rule_bears_a_server_of_which_nothing_is_known() -> None:
    bare = evidence(
        server(dict.fromkeys(("workers_cpu", "cpu_user", "busy_workers", "accept_queue")), metrics={})
    )
    for rule in registry.RULES.values():
        assert not [one for one in rule(bare) if isinstance(one, Finding)]
    assert unknown("host-cpu", bare)


def test_planned_restarts_count_once_they_leave_workers_missing() -> None:
    deaths = [_death("max_requests", at_s=at) for at in (3, 9)]
    quick = server({"workers": [1 if at in (3, 9) else 2 for at in range(SECONDS)]}, deaths=deaths)
    assert "2 workers ended as planned" in ruled_out("restarts", evidence(quick))
    slow = server({"workers": [1 if 3 <= at < 15 else 2 for at in range(SECONDS)]}, deaths=deaths)
    assert found("restarts", evidence(slow)).counts["worker_seconds_missing"] == 12


def test_moments_of_one_second_have_an_order_though_one_is_of_no_server() -> None:
    full = server({"busy_workers": 2.0, "accept_queue": 5})
    moments = findings_summary(evidence(full, series={"p95_ms": [90.0, *[9.0] * (SECONDS - 1)]}))["moments"]
    assert [one["what"] for one in moments] == ["slowest", "all_busy", "queue"]
