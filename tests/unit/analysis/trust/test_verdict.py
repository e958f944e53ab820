"""Each rule of the verdict from what was recorded: what breaks it, and what must not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.run_folders import RunFolderBuilder, failed, raw
from tests.unit.analysis.trust.generators import (
    at,
    canary,
    cpu,
    pulse,
    pulses,
    requests,
    schedule,
    tone,
    trust,
)

if TYPE_CHECKING:
    from pathlib import Path

BUSY, IDLE = cpu(0.98, 30), cpu(0.2, 30)
WELL = [schedule(), *pulses(100, 10)]


def test_a_healthy_run(tmp_path: Path) -> None:
    found = trust(tmp_path, events=WELL, machine=IDLE, bird=canary(4, 10))
    assert (found["verdict"], found["reasons"]) == ("good", [])
    assert {row["tone"] for row in found["rows"]} == {"good"}
    keys = [row["key"] for row in found["rows"]]
    assert keys == [
        *("arrivals", "phases", "send_lag", "late:http", "event_loop"),
        *("generator_cpu", "host_cpu", "canary", "records"),
    ]


def test_a_recording_without_any_of_it_is_not_blamed(tmp_path: Path) -> None:
    found = trust(tmp_path)
    assert found["verdict"] == "good"
    assert tone(found, "canary") == "none"


def test_a_generator_that_cannot_keep_up(tmp_path: Path) -> None:
    found = trust(tmp_path, events=[schedule(), *pulses(40, 25)], machine=BUSY)
    assert found["verdict"] == "invalid"
    assert "could not keep up: in phase peak of http 412 of 1,000 planned users (41 %)" in found["reasons"][0]
    assert tone(found, "arrivals") == "bad"
    assert any("took 25 s instead of 10 s" in reason for reason in found["reasons"])


def test_users_that_come_after_their_phase_was_said_to_have_ended(tmp_path: Path) -> None:
    ramp = schedule(mode="ramp", ramp_to=100)
    late = [pulse(second, 400 + 20 * (second - 10)) for second in range(11, 41)]
    found = trust(tmp_path, events=[ramp, *pulses(40, 10), *late], machine=BUSY)
    assert (found["verdict"], tone(found, "phases")) == ("invalid", "warn")
    assert any("took 40 s instead of 10 s" in reason for reason in found["reasons"])


def test_fewer_users_without_a_busy_generator_are_a_doubt(tmp_path: Path) -> None:
    found = trust(tmp_path, events=[schedule(), *pulses(40, 25)], machine=IDLE)
    assert found["verdict"] == "doubtful"
    assert any(reason.startswith("Less load was made than planned") for reason in found["reasons"])


def test_a_thread_that_waits_for_a_core_is_at_its_limit_too(tmp_path: Path) -> None:
    starved = cpu(0.5, 30, waited=0.48)
    assert trust(tmp_path, events=[schedule(), *pulses(40, 25)], machine=starved)["verdict"] == "invalid"


@pytest.mark.parametrize(("per_s", "verdict"), [(97, "good"), (93, "doubtful"), (85, "invalid")])
def test_how_many_users_must_come(tmp_path: Path, per_s: int, verdict: str) -> None:
    # They come for 10 s and no more, so that nothing is stretched.
    found = trust(tmp_path, events=[schedule(), *pulses(per_s, 10)], machine=BUSY)
    assert found["verdict"] == verdict
    assert tone(found, "phases") == "good"


def test_a_busy_wait_is_no_limit(tmp_path: Path) -> None:
    found = trust(tmp_path, events=WELL, machine=BUSY)
    assert found["verdict"] == "good"
    assert tone(found, "generator_cpu") == "none"


def test_a_thread_at_its_limit_that_does_not_wait_busily(tmp_path: Path) -> None:
    ramp = schedule(mode="ramp", ramp_to=100)
    found = trust(tmp_path, events=[ramp, *pulses(100, 10)], machine=BUSY)
    assert found["verdict"] == "doubtful"
    assert "at the limit of its core" in found["reasons"][0]


def test_users_that_come_late(tmp_path: Path) -> None:
    late = [schedule(), *pulses(100, 10, late_ms=1500)]
    assert trust(tmp_path / "busy", events=late, machine=BUSY)["verdict"] == "invalid"
    assert trust(tmp_path / "idle", events=late, machine=IDLE)["verdict"] == "doubtful"


def test_requests_that_are_sent_late(tmp_path: Path) -> None:
    # As with http.pool: they wait for a connection. That is no fault of the generator, and yet no latency shows it.
    found = trust(tmp_path, events=WELL, rows=requests(5, 10, lag_ms=2000), machine=BUSY)
    assert found["verdict"] == "doubtful"
    assert found["reasons"][0].startswith("Requests were sent late (p50 2,000 ms")


def test_an_event_loop_that_is_late(tmp_path: Path) -> None:
    found = trust(tmp_path, events=[schedule(), *pulses(100, 10, loop_p99_ms=26)], machine=IDLE)
    assert (found["verdict"], tone(found, "event_loop")) == ("doubtful", "warn")


def test_a_machine_without_a_core_to_spare(tmp_path: Path) -> None:
    found = trust(tmp_path, events=WELL, machine=cpu(0.3, 30, host=1.97))
    assert (found["verdict"], tone(found, "host_cpu")) == ("doubtful", "warn")


def closed(loop_ms: float) -> list[dict[str, Any]]:
    """Users that come in time and then ask again and again."""
    first = schedule(mode="count", rate=None, count=400, duration_s=1)
    later = [pulse(second, 400, loop_ms=loop_ms) for second in range(2, 22)]
    return [first, *pulses(400, 1, loop_ms=loop_ms), *later]


class TestTheCanary:
    """The generator says slow and the canary says fast: field measurements, both ways."""

    def verdict(
        self, root: Path, load_ms: float, canary_ms: float, machine: Any = BUSY, loop_ms: float = 11.0
    ) -> Any:
        rows = requests(load_ms, 21, per_s=40)
        return trust(root, events=closed(loop_ms), rows=rows, machine=machine, bird=canary(canary_ms, 21))

    def test_a_saturated_generator(self, tmp_path: Path) -> None:
        found = self.verdict(tmp_path, 71.5, 50.7)
        assert found["verdict"] == "invalid"
        assert found["reasons"][0].startswith(
            "The load generator is the bottleneck, not the service: the canary got the same"
        )
        assert "(51 ms against 72 ms, medians of the " in found["reasons"][0]

    def test_a_saturated_server(self, tmp_path: Path) -> None:
        found = self.verdict(tmp_path, 2060, 2014)
        assert tone(found, "canary") == "good"
        assert found["verdict"] == "good"

    def test_a_healthy_run(self, tmp_path: Path) -> None:
        assert tone(self.verdict(tmp_path, 50.5, 49.9), "canary") == "good"

    def test_a_quick_service_and_a_slow_language(self, tmp_path: Path) -> None:
        assert tone(self.verdict(tmp_path, 4.1, 0.6), "canary") == "good"

    def test_an_idle_generator_is_not_blamed(self, tmp_path: Path) -> None:
        # Connections that are kept stay with a busy worker; those of the canary go to an idle one.
        found = self.verdict(tmp_path, 300, 50, IDLE, loop_ms=0.3)
        assert (found["verdict"], tone(found, "canary")) == ("good", "warn")

    def test_of_some_slow_windows_it_only_warns(self, tmp_path: Path) -> None:
        """The same signs as of a saturated generator, but in three windows of five."""
        rows = [
            {**row, "end_ns": row["start_ns"] + round((71.5 if now_s < 13 else 50.7) * 1e6)}
            for row in requests(50.7, 21, per_s=40)
            for now_s in [(row["start_ns"] - at(0)) / 1e9]
        ]
        found = trust(tmp_path, events=closed(11.0), rows=rows, machine=BUSY, bird=canary(50.7, 21))
        row = next(row for row in found["rows"] if row["key"] == "canary")
        assert (found["verdict"], row["tone"]) == ("doubtful", "warn")
        assert "in 3 of them the load was slower beyond chance" in row["words"]
        assert found["reasons"][0].startswith("The load generator may be the bottleneck: the canary got")

    def test_while_the_service_hangs_the_canary_is_not_quick(self, tmp_path: Path) -> None:
        """Twenty quick answers a second, then one that never comes: half of the time it waited."""
        bird = canary(5, 11, per_s=20)
        hung = {
            "t_ns": at(11),
            "ms": 10_000,
            "late_ms": 0.1,
            "status": None,
            "bytes": 0,
            "error": "TimeoutError",
        }
        found = trust(tmp_path, events=WELL, rows=requests(5, 21), machine=IDLE, bird=[*bird, hung])
        row = next(row for row in found["rows"] if row["key"] == "canary")
        assert row["value"].startswith("p50 10,000 ms")
        assert row["value"].endswith("1 of 201 without an answer (after up to 10,000 ms)")
        assert found["series"]["canary_p50_ms"][15] == 10_000

    def test_one_sign_alone_is_a_doubt(self, tmp_path: Path) -> None:
        assert self.verdict(tmp_path / "loop", 71.5, 50.7, IDLE)["verdict"] == "doubtful"
        assert self.verdict(tmp_path / "cpu", 71.5, 50.7, loop_ms=0.3)["verdict"] == "doubtful"

    @pytest.mark.parametrize(
        ("changed", "why"),
        [
            ({"status": 404}, "other answers"),
            ({"bytes": 5000}, "other answers"),
            ({"url": "http://127.0.0.1:8000/other"}, "other addresses"),
            ({"url": "http://127.0.0.1:8001/data"}, "other addresses"),
            ({"per_s": 0}, "no answer"),
            ({"error": "ConnectionRefusedError", "status": None}, "did not answer"),
        ],
    )
    def test_unlike_things_are_not_compared(self, tmp_path: Path, changed: dict[str, Any], why: str) -> None:
        per_s = changed.pop("per_s", 10)
        bird = canary(1, 21, per_s=per_s or 1, **changed)
        found = trust(
            tmp_path,
            events=closed(11),
            rows=requests(500, 21, per_s=40),
            machine=BUSY,
            bird=bird if per_s else bird[:2],
        )
        row = next(row for row in found["rows"] if row["key"] == "canary")
        assert why in f"{row['value']}: {row['words']}"
        assert found["verdict"] == "good"

    def test_a_few_answers_that_took_seconds_are_compared_over_longer(self, tmp_path: Path) -> None:
        bird = canary(3900, 41, per_s=1)
        rows = requests(4000, 40, per_s=4)
        every_other = [*bird[:2], *bird[2::2]]
        found = trust(tmp_path, events=closed(0.1), rows=rows, machine=IDLE, bird=every_other)
        row = next(row for row in found["rows"] if row["key"] == "canary")
        assert row["words"].find("the load 4,000 ms") > 0


def test_what_the_run_itself_found_stands_first(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.manifest.outcome, builder.manifest.reason = "invalid", "Scenario http: a generator worker died."
    found = trust(tmp_path, builder=builder, events=[schedule(), *pulses(100, 10, loop_p99_ms=26)])
    assert found["verdict"] == "invalid"
    assert found["reasons"][0] == "Scenario http: a generator worker died."


@pytest.mark.parametrize(
    ("outcome", "told"),
    [("running", "The run never came to its end"), ("failed", "The run failed: The agent was lost.")],
)
def test_a_run_that_was_killed_or_failed_is_not_simply_trusted(
    tmp_path: Path, outcome: str, told: str
) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.manifest.outcome, builder.manifest.reason = outcome, "The agent was lost."
    found = trust(tmp_path, builder=builder, events=WELL, machine=IDLE)
    assert found["verdict"] == "doubtful"
    assert found["reasons"][0].startswith(told)


def test_a_verdict_does_not_confirm_itself(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.manifest.outcome = "invalid"
    builder.manifest.reason = "The numbers must not be used. As an older toolkit judged."
    assert trust(tmp_path, builder=builder, events=WELL)["verdict"] == "good"


def test_users_that_were_kept_out(tmp_path: Path) -> None:
    counts: dict[str, Any] = {
        "created": {"browse": 80},
        "completed": 80,
        "failed": 0,
        "errors": {},
        "unanswered": {},
    }
    few = {"t_ns": WELL[-1]["t_ns"], "kind": "users", **counts, "skipped": 2}
    found = trust(tmp_path / "few", events=[*WELL, few])
    assert (found["verdict"], tone(found, "skipped")) == ("good", "warn")
    found = trust(tmp_path / "many", events=[*WELL, {**few, "skipped": 20}])
    assert found["reasons"] == [
        "20 % of the users were not let in (maxVusers): the load was smaller than offered."
    ]


def test_records_that_cannot_be_read(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [*requests(5, 10), *({"torn": nth} for nth in range(3))]
    found = trust(tmp_path, rows=rows)
    assert "of the request records could not be read" in found["reasons"][0]


def test_errors_of_the_service_are_no_doubt(tmp_path: Path) -> None:
    rows = [failed(1 + nth / 10, "ECONNREFUSED") for nth in range(90)]
    assert trust(tmp_path, rows=rows, events=WELL, machine=IDLE)["verdict"] == "good"


class TestServers:
    """Clock, profiler and views."""

    def of(self, root: Path, views: dict[str, Any] | None = None, **entry: Any) -> dict[str, Any]:
        builder = RunFolderBuilder(root)
        builder.server("web", views or {})
        for name, value in entry.items():
            setattr(builder.manifest.servers[0], name, value)
        return trust(root, builder=builder)

    def test_the_clock(self, tmp_path: Path) -> None:
        good = self.of(tmp_path / "good", offset_ns=3_600_000_000_000, offset_error_ns=2_000_000)
        assert (good["verdict"], tone(good, "clock:web")) == ("good", "good")
        vague = self.of(tmp_path / "vague", offset_error_ns=900_000_000)
        assert vague["reasons"] == [
            "The clock of web is known to 900 ms only: what it did may stand beside the wrong second."
        ]

    def test_breaks_of_the_connection_are_told_and_doubt_nothing(self, tmp_path: Path) -> None:
        breaks = [{"began_ns": 1, "ended_ns": 2, "silent_s": 11.0}, {"began_ns": 3}, {"silent_s": 0.62}]
        found = self.of(tmp_path / "broke", breaks=breaks)
        assert found["verdict"] == "good"
        (row,) = [row for row in found["rows"] if row["key"] == "connection:web"]
        assert (row["value"], row["tone"]) == ("broke 2 times", "none")
        assert row["words"].startswith("for 11 s, 0.6 s; ")
        whole = self.of(tmp_path / "whole", breaks="nonsense")
        assert "connection:web" not in [row["key"] for row in whole["rows"]]

    @pytest.mark.parametrize(
        ("budget", "expected"),
        [
            ({"percent": 5.0, "measured_percent": 4.8}, "good"),
            ({"percent": 5.0, "measured_percent": 5.8}, "none"),
            ({"percent": 5.0, "measured_percent": 9.0}, "warn"),
            ({"percent": 5.0, "measured_percent": 40.0, "asked_for": True}, "none"),
        ],
    )
    def test_what_the_profiler_took(self, tmp_path: Path, budget: dict[str, Any], expected: str) -> None:
        found = self.of(tmp_path, budget=budget)
        assert tone(found, "profiler_cpu:web") == expected
        assert found["verdict"] == ("doubtful" if expected == "warn" else "good")

    def test_a_view_that_is_not_shown(self, tmp_path: Path) -> None:
        found = self.of(tmp_path, {"gil": {"valid": False, "reason": "this Python has no GIL"}})
        row = next(row for row in found["rows"] if row["key"] == "view:web:gil")
        assert (row["value"], row["tone"], row["words"]) == ("not shown", "warn", "this Python has no GIL")
        assert found["verdict"] == "good", "it is not there to mislead anybody"

    @pytest.mark.parametrize(
        ("samples", "dropped", "verdict"), [(6, 1, "good"), (60, 10, "doubtful"), (600, 10, "good")]
    )
    def test_stacks_that_could_not_be_read(
        self, tmp_path: Path, samples: int, dropped: int, verdict: str
    ) -> None:
        builder = RunFolderBuilder(tmp_path)
        builder.server("web", {"cpu": {"valid": True, "rate_hz": 10.0}})
        builder.chunk("web", "cpu", 1, raw(1, ["main (app.py:1)"], samples), errors=dropped)
        assert trust(tmp_path, builder=builder)["verdict"] == verdict
