"""What each kind says of records whose answer is known."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tests.run_folders import SECOND_NS, START_NS, RunFolderBuilder, failed, request
from toolkit.analysis.kinds.endurance import fitted
from toolkit.analysis.results import read_results
from toolkit.commands.requests import command
from toolkit.reports.page_kind import kind_words
from toolkit.reports.summary_kind import kind_lines

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = (
    ("errors", "requests.errors rate < 5% over 5s"),
    ("latency", "requests.p95 < 1s over 5s"),
)


def _level(load: str, phase: str, role: str, level: int, planned_s: float = 10) -> dict[str, Any]:
    return {
        "load": load,
        "phase": phase,
        "role": role,
        "level": level,
        "unit": "/s",
        "planned_s": planned_s,
    }


def _rows(from_s: float, phase: str, per_s: int, ms: float, seconds: int = 10, **fields: Any) -> list[Any]:
    return [request(from_s + at / per_s, ms, phase=phase, **fields) for at in range(per_s * seconds)]


def _found(builder: RunFolderBuilder, kind: str, levels: list[Any], **more: Any) -> dict[str, Any]:
    builder.manifest.shape = {"kind": kind, "levels": levels, **more}
    found: dict[str, Any] = read_results(builder.build()).summary["load_kind"]
    return found


def _stress(tmp_path: Path, last: list[Any], recovery_ms: float) -> dict[str, Any]:
    builder = RunFolderBuilder(tmp_path)
    builder.load("own", [*_rows(0, "10/s", 10, 20), *_rows(10, "20/s", 20, 30), *last])
    builder.load("own-recovery", _rows(32, "recovery 1", 10, recovery_ms))
    levels = [_level("own", f"{at}/s", "step", at) for at in (10, 20, 30)]
    levels.append(_level("own-recovery", "recovery 1", "recovery", 10))
    limits = [
        {"family": family, "check": text, "name": text, "abort": True, "limit": True}
        for family, text in LIMITS
    ]
    return _found(builder, "stress", levels, limits=limits)


def test_a_stress_says_at_which_step_latency_broke_and_that_it_recovered(tmp_path: Path) -> None:
    found = _stress(tmp_path, _rows(20, "30/s", 30, 1500), 20)
    figures = found["figures"]
    assert (figures["broke"]["step"], figures["broke"]["level"]) == (3, 30)
    assert [one["family"] for one in figures["broke"]["by"]] == ["latency"]
    assert figures["held"] == {"level": 20, "unit": "/s"}
    assert figures["recovered"] is True
    text = "\n".join(kind_lines({"load_kind": found}))
    assert "Broke at step 3, 30/s, 20/s held." in text
    assert "Latency broke at step 3, 30/s: requests.p95 < 1s over 5s was 1500 ms." in text
    assert "It recovered: " in text


def test_what_was_cut_off_at_the_break_is_no_error_of_the_service(tmp_path: Path) -> None:
    cut = [failed(29.5, "interrupted", 100, phase="30/s") for _ in range(90)]
    found = _stress(tmp_path, [*_rows(20, "30/s", 30, 20), *cut], 20)
    assert found["figures"]["broke"] is None
    assert [one["failed_percent"] for one in found["figures"]["steps"]] == [0.0, 0.0, 0.0]
    assert (found["totals"]["failed"], found["totals"]["cut_off"]) == (0, 90)
    assert "No limit broke: 30/s was the last step." in found["sentences"]


def test_errors_that_stay_are_said_to_have_broken_and_not_recovered(tmp_path: Path) -> None:
    found = _stress(tmp_path, _rows(20, "30/s", 30, 20, status=503), 1200)
    assert [one["family"] for one in found["figures"]["broke"]["by"]] == ["errors"]
    assert found["figures"]["recovered"] is False
    assert any("It did not recover" in sentence for sentence in found["sentences"])


def test_a_spike_says_when_it_was_over(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    parts = [("before", "before", 20, 0), ("spike", "spike", 900, 10), ("after 1", "recovery", 400, 20)]
    parts.append(("after 2", "recovery", 22, 30))
    builder.load("own", [row for name, _, ms, at in parts for row in _rows(at, name, 5, ms)])
    found = _found(builder, "spike", [_level("own", name, role, 5) for name, role, _, _ in parts])
    # The spike's last request ends 0.9 s after it was sent, at 20.7 s; "after 2" begins at 30 s.
    assert found["figures"]["recovered"]["own"] == pytest.approx(9.3, abs=0.05)
    assert "p95 went from 20 ms to 900 ms" in found["sentences"][0]


def test_endurance_gives_slopes_without_the_ramp(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    steady = [request(10 + at / 10, 100 + at / 10, phase="steady") for at in range(3600)]
    builder.load("own", [*_rows(0, "ramp-up", 10, 5000), *steady])
    levels = [_level("own", "ramp-up", "ramp", 10), _level("own", "steady", "steady", 10, 360)]
    found = _found(builder, "endurance", levels)
    p50 = next(one for one in found["figures"]["slopes"] if one["name"] == "p50")
    assert p50["per_hour"] == pytest.approx(3600, rel=0.02)  # a millisecond a second
    assert len(found["figures"]["over_time"]) == 60
    assert "P50 of the answers grew" in found["sentences"][0]


def test_a_run_that_was_cut_is_reported_and_says_so(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("own", _rows(0, "steady", 5, 20, seconds=60), joined=False)
    builder.manifest.ended_ns, builder.manifest.outcome = 0, "running"
    found = _found(builder, "endurance", [_level("own", "steady", "steady", 5, 3600)])
    assert found["sentences"][0].startswith("The run was cut short: 60 s of 3600 s planned")
    assert found["figures"]["slopes"]


def test_totals_stand_in_every_report(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load(
        "own", [*(request(at, at, bytes_in=at) for at in (1, 2, 2, 7)), request(8, 3, status=500, bytes_in=2)]
    )
    summary = read_results(builder.build()).summary
    totals = summary["load_kind"]["totals"]
    assert (totals["requests"], totals["succeeded"], totals["failed"]) == (5, 4, 1)
    assert totals["sizes_bytes"] == {"median": 2.0, "mean": 2.8, "mode": 2}
    assert totals["times_ms"]["median"] == 2.0
    words = kind_words(summary)
    assert words is not None
    assert ["success", "4"] in words["totals"]


def test_without_load_there_is_no_section(tmp_path: Path) -> None:
    summary = read_results(RunFolderBuilder(tmp_path).build()).summary
    assert kind_lines(summary) == []
    assert kind_words(summary) is None


def test_a_capacity_says_where_more_clients_do_no_more(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    cells = []
    for clients, ms in ((1, 100), (2, 100), (4, 210), (8, 0)):
        load = f"play@{clients}"
        cells.append(
            {
                "load": load,
                "scenario": "play",
                "clients": clients,
                "repetitions": 10,
                "replicas": None,
                "limit_s": 60.0,
            }
        )
        told: dict[str, Any] = {"protocol": "call", "status": 0, "name": "play"}
        wrong = {"error": "ValueError: no"}
        builder.load(
            load,
            [
                request(
                    clients * 100 + at * ms / 1000, ms, **(told | (wrong if clients == 2 and at == 0 else {}))
                )
                for at in range(10)
                for _ in range(clients if ms else 0)
            ],
        )
    found = _found(builder, "capacity", [], cells=cells)

    rows = found["figures"]["rows"]
    assert [row["completed"] for row in rows] == [10, 20, 40, 0]
    assert [row["succeeded"] for row in rows] == [10, 18, 40, 0]
    assert [row["speed_up"] for row in rows] == pytest.approx([1.0, 2.0, 1.9, None], abs=0.02)
    assert found["figures"]["best"]["play"]["clients"] == 2
    assert found["sentences"] == [
        "Most with 2 clients: 20 repetitions a second; no later row does 10 % more.",
        "2 of 70 completed repetitions failed.",
        "Not begun: 8 clients.",
    ]


def test_single_requests_on_demand(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("own", [request(1, 5, name="=cmd()"), failed(2, "ECONNRESET\x1b[2J", 9)])
    run = builder.build()
    done = CliRunner().invoke(command, [str(run.path)])
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["name"], row["status"], row["at_s"]) for row in rows] == [
        ("'=cmd()", "200", "0.0"),
        ("load data", "", "1.0"),
    ]
    assert rows[1]["error"] == r"ECONNRESET\x1b[2J"
    assert int(rows[0]["start_ns"]) == START_NS + SECOND_NS


def test_a_line_is_fitted_with_its_error() -> None:
    assert fitted([0, 1, 2, 3], [1, 3, 5, 7]) == (2.0, 0.0)
    slope, error = fitted([0, 1, 2], [0, 1, 0])
    assert (slope, round(error, 4)) == (0.0, 0.5774)
