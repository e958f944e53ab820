"""`toolkit compare` and `toolkit baseline`, as people and pipelines call them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.compared_runs import steady_run
from toolkit.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Call = Callable[..., tuple[int, str, str]]

BASE, SAME, SLOW = "20261121T143000Z-base", "20261121T144000Z-same", "20261121T145000Z-slow"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    reports = tmp_path_factory.mktemp("reports")
    steady_run(reports, BASE, seed=1, commit="abc1234")
    steady_run(reports, SAME, seed=2)
    steady_run(reports, SLOW, seed=3, times=1.2, hot=1.5)
    return reports


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str], runs: Path) -> Call:
    def called(*words: object, reports: Path = runs) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in (*words, "--reports", reports)])
        out, err = capfd.readouterr()
        return int(left.value.code or 0), out, err

    return called


def test_a_slower_run_ends_with_98_and_says_where(call: Call, runs: Path, tmp_path: Path) -> None:
    code, out, err = call("compare", BASE, runs / SLOW, "--output", tmp_path / "c")
    assert code == 98
    assert out == ""
    last = err.strip().splitlines()[-1]
    assert last.startswith("worse: ")
    assert " [+" in last
    assert last.endswith("exit 98")
    assert "commit abc1234" in err
    content = json.loads((tmp_path / "c" / "compare.json").read_text())
    worse = {(row.get("name"), row["metric"]) for row in content["comparisons"] if row["verdict"] == "worse"}
    assert {("GET /load", "p50_ms"), ("POST /orders", "p50_ms"), (None, "cpu_s_per_request")} <= worse
    [gained] = [row for row in content["functions"] if row["verdict"] == "gained"]
    assert gained["function"] == "hot"
    low, high = gained["relative_interval"]
    assert low < 0.5 < high
    assert content["line"] == last
    page = (tmp_path / "c" / "compare.html").read_text()
    assert "GET /load" in page
    assert "unsafe-inline" not in page
    assert (tmp_path / "c" / content["flamegraphs"][0]["file"]).read_text().startswith("<?xml")


def test_the_same_service_twice_ends_with_0(call: Call, runs: Path) -> None:
    code, out, err = call("compare", BASE, SAME, "--json")
    assert code == 0
    content = json.loads(out)
    assert content["verdict"] == "no difference"
    assert content["forced"] == []
    assert (runs / f"compare-{BASE}-{SAME}" / "compare.html").is_file()
    assert err == ""


def test_last_takes_the_two_newest_that_can_be_compared(call: Call, tmp_path: Path) -> None:
    steady_run(tmp_path, BASE, seed=1)
    steady_run(tmp_path, SAME, seed=2, rate=20)
    steady_run(tmp_path, SLOW, seed=3, times=1.2)
    code, out, _ = call("compare", "--last", "--json", reports=tmp_path)
    assert code == 98
    content = json.loads(out)
    assert (content["base"]["run"], content["new"]["run"]) == (BASE, SLOW)


def test_a_baseline_is_kept_and_robust(call: Call, tmp_path: Path) -> None:
    base = steady_run(tmp_path, BASE, seed=1, commit="abc1234").path
    steady_run(tmp_path, SAME, seed=2)
    assert call("baseline", "set", "main", BASE, reports=tmp_path)[0] == 0
    told = json.loads(call("baseline", "list", "--json", reports=tmp_path)[1])["baselines"]
    assert [(row["name"], row["run"], row["commit"], row["there"]) for row in told] == [
        ("main", BASE, "abc1234", True)
    ]
    assert call("compare", "--baseline", "main", reports=tmp_path)[0] == 0
    code, _, err = call("compare", "--baseline", "mian", reports=tmp_path)
    assert (code, "did you mean 'main'" in err) == (2, True)
    with (base / "servers" / "web" / "workers.jsonl").open("a") as file:
        file.write("{}\n")
    code, _, err = call("compare", "--baseline", "main", reports=tmp_path)
    assert (code, "was changed since" in err) == (2, True)
    shutil.rmtree(base)
    code, _, err = call("compare", "--baseline", "main", reports=tmp_path)
    assert (code, "is not under" in err) == (2, True)
    assert "the run is gone" in call("baseline", "list", reports=tmp_path)[2]
    assert call("baseline", "remove", "main", reports=tmp_path)[0] == 0
    assert "No baseline is set" in call("baseline", "list", reports=tmp_path)[2]


@pytest.mark.parametrize(
    ("other", "code", "reason"),
    [
        ({"target": "http://10.0.0.9:8000"}, 2, "the target is another one: 127.0.0.1, 10.0.0.9"),
        (
            {"outcome": "invalid", "reason": "The generator was late."},
            97,
            "new is invalid: The generator was late.",
        ),
        ({"outcome": "interrupted"}, 2, "new was interrupted"),
        ({"profiled": False}, 2, "the profiler was on in base alone"),
        ({"rate": 30}, 2, "phase steady of http has another rate (/s): 40, 30"),
        ({"kind": "load"}, 2, "one is a run of `profile-and-load`, the other of `load`"),
    ],
)
def test_what_cannot_be_compared_is_refused_unless_forced(
    call: Call, runs: Path, tmp_path: Path, other: dict[str, Any], code: int, reason: str
) -> None:
    new = steady_run(tmp_path, SAME, seed=4, **other).path
    ended, _, err = call("compare", BASE, new)
    assert ended == code
    assert "These two runs cannot be compared:" in err
    assert reason in err
    ended, out, _ = call("compare", BASE, new, "--force", "--json", "--output", tmp_path / "c")
    content = json.loads(out)
    assert ended == content["exit_code"]
    assert any(reason in one for one in content["forced"])
    assert "; forced;" in content["line"]


def test_wrong_words_are_answered_in_words(call: Call, runs: Path, tmp_path: Path) -> None:
    def answer(*words: object) -> str:
        code, _, err = call("compare", *words)
        assert code == 2
        return err

    copy = tmp_path / "copy"
    shutil.copytree(runs / BASE, copy)
    assert "Name two runs" in answer(BASE)
    assert f"did you mean '{BASE}'" in answer("20261121T143000Z-bose", SAME)
    assert "is not a run folder" in answer(BASE, tmp_path)
    assert "are the same run" in answer(BASE, runs / BASE)
    assert "copies of one run" in answer(BASE, copy)
    assert "leave one out" in answer("--last", "--baseline", "main")
    assert "no percentage" in answer(BASE, SAME, "--threshold", "some")


def test_runs_with_the_profile_alone_and_with_the_load_alone(call: Call, tmp_path: Path) -> None:
    for name, seed, hot in (("a", 1, 1.0), ("b", 2, 1.6)):
        steady_run(tmp_path, name, seed=seed, hot=hot, loaded=False, kind="profile")
    code, out, _ = call("compare", "a", "b", "--json", reports=tmp_path)
    content = json.loads(out)
    assert (code, content["comparisons"]) == (0, [])
    assert [row["function"] for row in content["functions"] if row["verdict"] == "gained"] == ["hot"]
    for name, seed in (("c", 3), ("d", 4)):
        steady_run(tmp_path, name, seed=seed, profiled=False, kind="load")
    code, out, _ = call("compare", "c", "d", "--json", reports=tmp_path)
    content = json.loads(out)
    assert (code, content["functions"], content["flamegraphs"]) == (0, [], [])
    for name, seed in (("e", 5), ("f", 6)):
        steady_run(tmp_path, name, seed=seed, profiled=False, loaded=False, kind="load")
    code, _, err = call("compare", "e", "f", reports=tmp_path)
    assert (code, "There is nothing to compare" in err) == (2, True)


def test_too_short_runs_do_not_pass_for_equal(call: Call, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        steady_run(tmp_path, name, seed=seed, seconds=10)
    code, _, err = call("compare", "a", "b", reports=tmp_path)
    assert code == 97
    assert err.strip().splitlines()[-1].startswith("not enough data: none of ")
    assert "the phase lasted 10 s in base, 40 s are needed" in err


def test_a_function_of_which_nothing_can_be_told_is_not_said_to_be_unchanged(
    call: Call, tmp_path: Path
) -> None:
    for name, seed, hot in (("a", 1, 1.0), ("b", 2, 1.5)):
        steady_run(tmp_path, name, seed=seed, hot=hot, hot_spread=40.0)
    _, _, err = call("compare", "a", "b", reports=tmp_path)
    content = json.loads((tmp_path / "compare-a-b" / "compare.json").read_text())

    verdicts = {row["function"]: row["verdict"] for row in content["functions"]}
    assert verdicts == {"hot": "not enough data", "render": "no difference"}
    said = "Of 1 it cannot be told (its interval is too wide to say that nothing has changed), with the largest difference in hot"
    assert said in err
    assert said in (tmp_path / "compare-a-b" / "compare.html").read_text()


def test_two_loads_with_no_request_in_common_give_no_verdict_and_97(call: Call, tmp_path: Path) -> None:
    steady_run(tmp_path, "a", seed=1)
    steady_run(tmp_path, "b", seed=2, names=(("GET /else", 20.0),))
    code, _, err = call("compare", "a", "b", "--force", reports=tmp_path)

    assert code == 97
    assert "no verdict: no request name and phase is in both" in err.strip().splitlines()[-1]


def test_names_of_a_run_steer_neither_terminal_nor_page(call: Call, tmp_path: Path) -> None:
    names = (("\x1b[31m<script>alert(1)</script>", 20.0),)
    for name, seed in (("a", 1), ("b", 2)):
        steady_run(tmp_path, name, seed=seed, names=names)
    _, _, err = call("compare", "a", "b", reports=tmp_path)
    assert "\x1b" not in err
    page = (tmp_path / "compare-a-b" / "compare.html").read_text()
    assert "<script>alert" not in page
    assert "\x1b" not in page
