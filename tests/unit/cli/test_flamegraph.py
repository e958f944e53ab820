"""`toolkit flamegraph`: windows as people name them, every format, and words for what cannot be shown."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.run_folders import (
    GUNICORN,
    HOT,
    START_NS,
    WORKER_A,
    WORKER_B,
    RunFolderBuilder,
    raw,
    request,
)
from toolkit.cli import main
from toolkit.commands.run_times import RunTimes, offset
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

ZERO_MS = START_NS // 10**6
VALID = {"valid": True, "reason": "", "rate_hz": 20.0}
SLOW, OLD = "slow (/srv/shop/shop/views.py:40)", "old (/srv/shop/shop/views.py:60)"


def phase(name: str, start_s: float, end_s: float, load: str = "http") -> dict[str, Any]:
    return {
        "load": load,
        "name": name,
        "start_ns": START_NS + round(start_s * 1e9),
        "end_ns": START_NS + round(end_s * 1e9),
    }


TIMES = RunTimes(
    ZERO_MS, [phase("warm up", 0, 20), phase("peak", 20, 60), phase("peak", 25, 70, "socket")], -4.0, 75.5
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:02:10", 130),
        ("2:10", 130),
        ("1:00:00.25", 3600.25),
        ("90s", 90),
        ("1m30s", 90),
        ("500ms", 0.5),
        ("12.5", 12.5),
        ("-4s", -4),
        ("-00:00:04", -4),
        ("14:32:10Z", 130),
        ("14:32:10 UTC", 130),
        ("2026-11-21T14:32:10Z", 130),
        ("2026-11-22 00:00:00Z", 34_200),
        ("00:00:00Z", 34_200),
    ],
)
def test_times_as_people_write_them(text: str, seconds: float) -> None:
    assert TIMES.moment(text) == seconds


@pytest.mark.parametrize("text", ["soon", "", "1:2:3:4", "25:00:61", "99:99:99Z", "5 apples"])
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="is no time: write an offset"):
        TIMES.moment(text)


def test_windows_and_phases() -> None:
    def bounds(named: Any) -> tuple[float | None, float | None]:
        return named.window.start_s, named.window.end_s

    assert bounds(TIMES.window("10s", "00:00:40")) == (10, 40)
    assert bounds(TIMES.window(None, "40s")) == (-4, 40)
    assert bounds(TIMES.window("40s", None)) == (40, 75.5)
    assert TIMES.window(None, None).window.is_whole
    assert bounds(TIMES.phase("peak")) == (20, 70), "of all scenarios together"
    assert bounds(TIMES.phase("socket/peak")) == (25, 70)
    assert [bounds(one) for one in TIMES.pair("warm up:peak")] == [(0, 20), (20, 70)]
    assert [bounds(one) for one in TIMES.pair("0-20s:00:00:20-00:01:00")] == [(0, 20), (20, 60)]
    assert [bounds(one) for one in TIMES.pair("00:00:01-00:00:02:peak")] == [(1, 2), (20, 70)]
    assert [bounds(one) for one in TIMES.pair("-1-20:20-41")] == [(-1, 20), (20, 41)]
    assert [bounds(one) for one in TIMES.pair("-4s--1s:-00:00:01-00:00:02")] == [(-4, -1), (-1, 2)]
    assert [offset(one) for one in (130, -4, 0.5, 3600)] == [
        "00:02:10",
        "-00:00:04",
        "00:00:00.500",
        "01:00:00",
    ]
    with pytest.raises(UsageError, match="did you mean 'peak'"):
        TIMES.phase("peek")
    twice = RunTimes(ZERO_MS, [phase("calm", 0, 5), phase("peak", 5, 9), phase("calm", 9, 12)], 0, 12)
    with pytest.raises(
        UsageError, match="2 phases with 'peak' between them: 00:00:00-00:00:05, 00:00:09-00:00:12"
    ):
        twice.phase("calm")
    with pytest.raises(UsageError, match="ends before it starts"):
        TIMES.window("40s", "10s")
    with pytest.raises(UsageError, match="A is the base"):
        TIMES.pair("peak")
    with pytest.raises(UsageError, match="no phase 'lunch'"):
        TIMES.pair("peak:lunch")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 chunks of 5 s; in the second half `slow` instead of `old`. The gil view is not true."""
    builder = RunFolderBuilder(tmp_path_factory.mktemp("runs"))
    events = [
        {"t_ns": START_NS, "kind": "phase_started", "phase": "warmup", "index": 0, "duration_s": 50},
        {"t_ns": START_NS + 50 * 10**9, "kind": "phase_ended", "phase": "warmup", "index": 0},
        {
            "t_ns": START_NS + 50 * 10**9,
            "kind": "phase_started",
            "phase": "peak",
            "index": 1,
            "duration_s": 50,
        },
        {"t_ns": START_NS + 100 * 10**9, "kind": "phase_ended", "phase": "peak", "index": 1},
    ]
    builder.load(
        "http", [request(number / 10, 200.0 if number > 600 else 5.0) for number in range(990)], events
    )
    views = {
        "wall": VALID,
        "cpu": VALID,
        "gil": {"valid": False, "reason": "free-threaded Python has no GIL"},
    }
    builder.server("app", views)
    for seq in range(20):
        late = seq >= 10
        text = raw(WORKER_A, (*GUNICORN, HOT), 40 + seq % 3) + raw(
            WORKER_B, (*GUNICORN, SLOW if late else OLD), 30
        )
        for view in ("wall", "cpu"):
            builder.chunk("app", view, seq, text)
    return builder.build().path


def call(capfdbinary: Any, *argv: object) -> tuple[int, bytes, str]:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in argv])
    out, err = capfdbinary.readouterr()
    return int(left.value.code or 0), out, err.decode()


def folded(capfdbinary: Any, run: Path, *argv: object) -> dict[str, int]:
    code, out, err = call(capfdbinary, "flamegraph", run, "--format", "folded", *argv)
    assert code == 0, err
    lines = (line.rpartition(" ") for line in out.decode().splitlines())
    return {stack.split(";")[-1].split(" (")[0]: int(count) for stack, _, count in lines}


def test_a_window_a_worker_and_a_phase(run: Path, capfdbinary: Any) -> None:
    assert folded(capfdbinary, run, "--from", "00:00:45", "--to", "55s") == {
        "hot": (40 + 41) * 50_000,
        "old": 30 * 50_000,
        "slow": 30 * 50_000,
    }
    assert folded(capfdbinary, run, "--phase", "peak", "--worker", 2) == {"slow": 300 * 50_000}
    assert folded(capfdbinary, run, "--worker", WORKER_B, "--from", "14:30:00Z", "--to", "14:30:50Z") == {
        "old": 300 * 50_000
    }
    assert set(folded(capfdbinary, run, "--worst", "20s")) == {"hot", "slow"}
    assert folded(capfdbinary, run, "--view", "off") == {}, "it was on the CPU all the time"


def test_which_worker_a_number_took_is_said(run: Path, capfdbinary: Any) -> None:
    _, _, err = call(capfdbinary, "flamegraph", run, "--worker", 2, "--format", "folded")
    assert f"Worker 2 of 2: PID {WORKER_B}." in err
    _, _, err = call(capfdbinary, "flamegraph", run, "--worker", WORKER_B, "--format", "folded")
    assert f"PID {WORKER_B} (worker 2 of 2)." in err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--phase", "peek"], "There is no phase 'peek' in this run: did you mean 'peak'?"),
        (["--from", "10m"], "Nothing was recorded from 10m on: only from 00:00:00 to 00:01:40."),
        (["--from", "50s", "--to", "40s"], "ends before it starts"),
        (
            ["--from", "10m", "--to", "11m"],
            "it was recorded from 00:00:00 to 00:01:40, in chunks of about 5 s",
        ),
        (["--view", "gil"], "The gil view of app is not shown: free-threaded Python has no GIL."),
        (["--view", "gil"], "Shown of app: wall, cpu, off."),
        (["--view", "heap"], "The heap view of app was not recorded."),
        (["--worker", "9"], f"2 were seen. Name 1 to 2, or a PID: {WORKER_A}, {WORKER_B}."),
        (["--server", "ap"], "did you mean 'app'?"),
        (["--phase", "peak", "--worst", "30s"], "Name one window: --phase or --worst."),
        (["--worst", "soon"], "is no duration"),
        (["--diff", "warmup:peak", "--phase", "peak"], "leave out --phase"),
        (["--diff", "warmup:peak", "--from", "10m", "--to", "11m"], "Neither window of --diff reaches into"),
        (["--diff", "warmup:peak", "--format", "pprof"], "A difference cannot be written as pprof."),
        (["--diff", "warmup:30m-40m"], "00:30:00"),
        (["--worst", "0s"], "the shortest window is 1 s"),
        (["-o", "x.png"], "does not follow from its name"),
        (["--format", "firefox", "--scope", "package"], "leave out --scope"),
    ],
)
def test_what_cannot_be_drawn_is_said(run: Path, argv: list[str], message: str, capfdbinary: Any) -> None:
    code, out, err = call(capfdbinary, "flamegraph", run, *argv)

    assert (code, out) == (2, b"")
    assert message in err
    assert "Traceback" not in err


def test_a_run_without_a_profile(tmp_path: Path, capfdbinary: Any) -> None:
    code, _, err = call(capfdbinary, "flamegraph", RunFolderBuilder(tmp_path).build().path)

    assert code == 2
    assert "No server was profiled in this run." in err


def test_one_of_several_servers_must_be_named(tmp_path: Path, capfdbinary: Any) -> None:
    builder = RunFolderBuilder(tmp_path)
    for name in ("web-1", "web-2"):
        builder.server(name, {"cpu": VALID})
        builder.chunk(name, "cpu", 0, raw(WORKER_A, (HOT if name == "web-1" else SLOW,), 3))
    run = builder.build().path
    code, _, err = call(capfdbinary, "flamegraph", run)

    assert code == 2
    assert "This run has 2 servers: web-1, web-2. Name one with --server." in err
    assert folded(capfdbinary, run, "--server", "web-2") == {"slow": 150_000}
    assert folded(capfdbinary, run, "--server", "ssh://app@web-1:22") == {"hot": 150_000}


def test_a_difference_lists_what_vanished_and_greys_what_is_chance(
    run: Path, tmp_path: Path, capfdbinary: Any
) -> None:
    file = tmp_path / "x.svg"
    code, _, err = call(capfdbinary, "flamegraph", run, "--diff", "warmup:peak", "-o", file)
    assert code == 0, err
    svg = file.read_text(encoding="utf-8")

    assert "– 0.300 s/s: old (views.py) below wsgi_app (app.py)" in svg
    classes = {
        part.split("<title>")[1].split(" (")[0].split("\n")[0]: part.split('"')[0]
        for part in svg.split('<g class="')
        if "<title>" in part
    }
    assert classes["slow"] == "u3", "it is new"
    assert classes["hot"] == "n0", "it varies by chance"
    assert classes["all"] == "n0"
    assert "old" not in classes
    assert "A 0.000 s/s, B 0.300 s/s: +0.300 s/s (new)" in svg
    assert "within the noise" in svg


def test_the_difference_in_numbers(run: Path, capfdbinary: Any) -> None:
    code, out, _ = call(
        capfdbinary,
        "flamegraph",
        run,
        "--diff",
        "0-50:50-100",
        "--format",
        "folded",
        "--scope",
        "application",
    )

    assert code == 0
    hot_a, hot_b = (sum(40 + seq % 3 for seq in seqs) * 50_000 for seqs in (range(10), range(10, 20)))
    assert out.decode().splitlines() == [
        f"hot (/srv/shop/shop/views.py) {hot_a} {hot_b}",
        "old (/srv/shop/shop/views.py) 15000000 0",
        "slow (/srv/shop/shop/views.py) 0 15000000",
    ]


def test_per_request_needs_requests(run: Path, capfdbinary: Any) -> None:
    code, _, err = call(
        capfdbinary, "flamegraph", run, "--diff", "0-50:50-99", "--normal", "request", "-o", run / "x.svg"
    )
    assert code == 0, err
    code, _, err = call(capfdbinary, "flamegraph", run, "--diff=-60s-0:0-50", "--normal", "request")
    assert code == 2


def test_per_request_counts_those_of_the_recorded_seconds(
    run: Path, tmp_path: Path, capfdbinary: Any
) -> None:
    """51 to 57 s is the chunk of 50 to 55 s: 50 requests, not 60."""
    file = tmp_path / "x.svg"
    words = ["--diff", "1-7:51-57", "--normal", "request", "-o", file]
    code, _, err = call(capfdbinary, "flamegraph", run, *words)
    assert code == 0, err
    assert b"B: 1 chunk, recorded 00:00:50 \xe2\x80\x93 00:00:55." in err.encode()
    hot_ms = (40 + 10 % 3) * 50 / 50
    assert f"B {hot_ms:.3f} ms/request" in file.read_text(encoding="utf-8")


def test_the_worst_window_is_no_longer_than_the_load(run: Path, tmp_path: Path, capfdbinary: Any) -> None:
    code, _, err = call(capfdbinary, "flamegraph", run, "--worst", "5h", "-o", tmp_path / "x.svg")
    assert code == 0, err
    assert "Requests were answered for 100 s only: all of them are taken." in err
    assert "the worst 100 s: p95" in err


def test_from_and_to_cut_the_windows_of_a_difference(run: Path, tmp_path: Path, capfdbinary: Any) -> None:
    words = ["--diff", "warmup:peak", "--from", "40s", "--to", "70s", "-o", tmp_path / "x.svg"]
    code, _, err = call(capfdbinary, "flamegraph", run, *words)
    assert code == 0, err
    assert "A: 2 chunks, recorded 00:00:40 – 00:00:50." in err
    assert "B: 4 chunks, recorded 00:00:50 – 00:01:10." in err


def test_every_format_follows_from_the_name(run: Path, tmp_path: Path, capfdbinary: Any) -> None:
    def written(name: str, *argv: str) -> bytes:
        code, out, err = call(capfdbinary, "flamegraph", run, *argv, "-o", tmp_path / name)
        assert (code, out) == (0, b""), err
        assert f"Written: {tmp_path / name}" in err
        return (tmp_path / name).read_bytes()

    assert b"<svg" in written("x.svg")
    assert b"hot (/srv/shop/shop/views.py) " in written("x.folded")
    assert json.loads(written("x.json"))["profiles"][0]["name"] == "app: CPU time, all workers, whole run"
    assert gzip.decompress(written("x.pb.gz"))
    assert json.loads(gzip.decompress(written("x.json.gz")))["meta"]["preprocessedProfileVersion"] == 48


def test_off_cpu_has_one_total_in_every_format(tmp_path: Path, capfdbinary: Any) -> None:
    """wall - cpu is a difference of two recorders: what one process has too little another one has too much."""
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"wall": VALID, "cpu": VALID})
    for view, (of_a, of_b) in {"wall": (10, 50), "cpu": (15, 10)}.items():
        builder.chunk(
            "app", view, 0, raw(WORKER_A, (*GUNICORN, HOT), of_a) + raw(WORKER_B, (*GUNICORN, HOT), of_b)
        )
    run = builder.build().path

    _, out, _ = call(capfdbinary, "flamegraph", run, "--format", "firefox", "--view", "off")
    (thread,) = json.loads(gzip.decompress(out))["threads"]

    assert folded(capfdbinary, run, "--view", "off") == {"hot": (60 - 25) * 50_000}
    assert sum(thread["samples"]["weight"]) == (60 - 25) * 50
    assert thread["name"] == "app: all processes"


def test_a_firefox_profile_has_a_track_for_each_process_and_all_of_its_time(
    run: Path, capfdbinary: Any
) -> None:
    _, out, _ = call(capfdbinary, "flamegraph", run, "--format", "firefox", "--phase", "peak")
    profile = json.loads(gzip.decompress(out))

    assert [thread["pid"] for thread in profile["threads"]] == [str(WORKER_A), str(WORKER_B)]
    assert profile["meta"]["startTime"] == ZERO_MS + 50_000
    for thread, total_ms in zip(
        profile["threads"], (sum(40 + seq % 3 for seq in range(10, 20)) * 50, 15_000), strict=True
    ):
        samples, stacks, frames = thread["samples"], thread["stackTable"], thread["frameTable"]
        assert sum(samples["weight"]) == total_ms
        assert samples["length"] == len(samples["stack"]) == 10
        assert samples["time"] == sorted(samples["time"])
        assert 0 <= samples["time"][0] <= samples["time"][-1] < 50_000
        leaf = frames["func"][stacks["frame"][samples["stack"][0]]]
        name = thread["stringArray"][thread["funcTable"]["name"][leaf]]
        assert name == ("hot" if thread["pid"] == str(WORKER_A) else "slow")
        for table in (stacks, frames, thread["funcTable"]):
            assert {len(column) for column in table.values() if isinstance(column, list)} == {table["length"]}
        for stack, prefix in enumerate(stacks["prefix"]):
            assert prefix is None or prefix < stack
