"""Tables from whole, cut and hostile run folders."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.run_folders import (
    HOT,
    SECOND_NS,
    START_NS,
    WORKER_A,
    WORKER_B,
    RunFolderBuilder,
    failed,
    raw,
    request,
    small_run,
)
from toolkit.analysis.stack_reader import read_stacks
from toolkit.analysis.tables import TABLES, build_tables, open_tables
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.recording.layout import RunFolder


def ask(run: RunFolder, sql: str) -> list[tuple[Any, ...]]:
    with open_tables(run) as connection:
        return connection.sql(sql).fetchall()


def sources(run: RunFolder) -> list[tuple[Any, ...]]:
    return ask(run, "SELECT source, records, unreadable, implausible, problem FROM sources ORDER BY source")


def test_every_request_is_a_row_with_its_fields_and_latency(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", [request(1, 12.5, name="log in"), failed(2, "ETIMEDOUT", 3000)])
    run = builder.build()

    found = ask(
        run, 'SELECT load, name, status, error, latency_ms, bytes_in, "user" FROM requests ORDER BY start_ns'
    )

    assert found == [
        ("http", "log in", 200, None, 12.5, 100, "u1"),
        ("http", "load data", None, "ETIMEDOUT", 3000.0, 0, "u1"),
    ]
    assert sources(run) == [("load/http/requests.jsonl.gz", 2, 0, 0, "")]


def test_broken_lines_are_counted_and_the_others_kept(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", [request(1)])
    good = json.dumps(request(2)).encode()
    broken = [
        b'{"name": "to',
        b"[1]",
        b"null",
        b"\xff\xfe",
        b'{"name":"no times"}',
        b'{"start_ns":"x","end_ns":{}}',
    ]
    with gzip.open(builder.run.load("http").requests, "ab") as file:
        file.write(b"\n".join([*broken, good]))  # and no newline at the end

    assert sources(builder.build()) == [("load/http/requests.jsonl.gz", 2, len(broken), 0, "")]


def test_a_gzip_cut_anywhere_gives_what_came_before_the_cut(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", [request(number / 1000, request_id=str(number)) for number in range(5000)])
    builder.load("socket", [request(1, protocol="ws")])
    path = builder.run.load("http").requests
    whole = path.read_bytes()
    run = builder.build()

    for kept in (len(whole) - 4, len(whole) // 2, 20, 3, 0):
        path.write_bytes(whole[:kept])
        build_tables(run)
        (name, records, unreadable, _, problem), other = sources(run)
        assert name == "load/http/requests.jsonl.gz"
        assert "cut short" in problem
        assert other[1] == 1, "the other load is whole"
        assert unreadable <= 1
        assert (records == 0) if kept < 100 else (0 < records <= 5000)
        found = ask(run, "SELECT request_id FROM requests WHERE load = 'http' ORDER BY start_ns")
        assert [int(one) for (one,) in found] == list(range(records)), (
            "the first ones, in order, none invented"
        )


def test_a_crashed_runs_parts_are_read_with_their_torn_last_line(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", [request(1), request(2)], joined=False)
    part = builder.run.load("http").request_parts / "1.jsonl"
    part.write_bytes(part.read_bytes() + b'{"name":"torn","start_ns":17')
    (part.parent / "2.jsonl").write_bytes(json.dumps(request(3)).encode() + b"\n")

    assert sources(builder.build()) == [
        ("load/http/parts/1.jsonl", 2, 1, 0, ""),
        ("load/http/parts/2.jsonl", 1, 0, 0, ""),
    ]


def test_times_that_cannot_be_right_are_left_out_and_counted(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    backwards = request(1) | {"end_ns": START_NS}
    nineties = request(1) | {"start_ns": 5, "end_ns": 6}
    endless = request(1) | {"end_ns": 2**63 - 1}
    builder.load("http", [request(1), backwards, nineties, endless])

    assert sources(builder.build()) == [("load/http/requests.jsonl.gz", 1, 0, 3, "")]


def test_a_line_longer_than_duckdb_reads_costs_itself_alone(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", [request(1), request(2, name="x" * 40_000_000), request(3)])

    assert sources(builder.build()) == [("load/http/requests.jsonl.gz", 2, 1, 0, "")]


def test_a_run_named_like_a_pattern_reads_its_own_files(tmp_path: Path) -> None:
    for name in ("run-[a-z]*", "run-b", 'run-?\'s "1"', "a?b", "x{1,2}"):
        builder = RunFolderBuilder(tmp_path, name=name)
        builder.load("a*b", [request(1, name=name)])
        run = builder.build()
        assert ask(run, "SELECT load, name FROM requests") == [("a*b", name)]


def test_server_times_are_moved_to_the_controllers_clock(tmp_path: Path) -> None:
    run = small_run(tmp_path)  # the server is 2 s behind

    assert ask(run, "SELECT DISTINCT start_ns - seq * 5000000000 FROM samples") == [
        (START_NS + 2 * SECOND_NS,)
    ]


def test_equal_stacks_are_kept_once_and_frames_go_from_root_to_leaf(tmp_path: Path) -> None:
    run = small_run(tmp_path)

    stacks = [frames for (frames,) in ask(run, "SELECT frames FROM stacks")]

    assert len(stacks) == len({tuple(frames) for frames in stacks}) == 4
    assert [frames[-1] for frames in stacks if frames[-1].startswith("hot")] == [HOT]


def test_phases_without_an_end_end_with_the_next_or_with_the_last_answer(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    events = [
        {"t_ns": START_NS, "kind": "phase_started", "phase": "a", "index": 0},
        {"t_ns": START_NS + 4 * SECOND_NS, "kind": "phase_started", "phase": "b", "index": 1},
    ]
    builder.load("told", [request(6, 1000, phase="b")], events)
    builder.load("silent", [request(2, 1000, phase="only"), request(3, 1000, phase="only")])

    found = ask(
        builder.build(),
        f"SELECT load, name, (start_ns - {START_NS}) / 1e9, (end_ns - {START_NS}) / 1e9 FROM phases ORDER BY 1 DESC, 3",
    )

    assert found == [("told", "a", 0.0, 4.0), ("told", "b", 4.0, 7.0), ("silent", "only", 2.0, 4.0)]


def test_stacks_can_be_read_for_a_worker_and_for_a_time(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"wall": {"valid": True}})
    for seq in range(3):
        builder.chunk("app", "wall", seq, raw(WORKER_A, (HOT,), 10) + raw(WORKER_B, (HOT,), 10 * (seq + 1)))
    run = builder.build()

    def samples(**which: int) -> int:
        return sum(stack.samples for stack in read_stacks(run, "app", "wall", **which))

    assert samples() == 90
    assert samples(worker=WORKER_B) == 60
    assert samples(start_ns=START_NS + 5 * SECOND_NS, end_ns=START_NS + 10 * SECOND_NS) == 30
    assert samples(start_ns=START_NS + 5 * SECOND_NS) == 70
    assert samples(worker=WORKER_A, end_ns=START_NS + 5 * SECOND_NS) == 10
    assert read_stacks(run, "app", "gil") == []
    assert read_stacks(run, "other", "wall") == []
    assert {stack.ms for stack in read_stacks(run, "app", "wall", worker=WORKER_A)} == {1500.0}  # 30 at 20 Hz


@pytest.mark.parametrize("kept", [0, 5, 60, 99])
def test_a_damaged_chunk_counts_as_lost(tmp_path: Path, kept: int) -> None:
    """It is a sum over its time: a part of it would be taken for a time in which less was done."""
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"wall": {"valid": True}})
    builder.chunk("app", "wall", 0, "".join(raw(1000 + pid, (HOT,), 1) for pid in range(1000)))
    path = builder.run.server("app").chunk("wall", 0)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * kept // 100])
    run = builder.build()

    assert ask(run, "SELECT whole, counted, note FROM chunks") == [(False, None, "its file is damaged")]
    assert ask(run, "SELECT count(*) FROM samples") == [(0,)]
    assert "wall-000000.raw.gz is damaged: the chunk counts as lost" in sources(run)[0][4]


def test_chunks_lines_that_are_no_chunks_are_passed_over(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"wall": {"valid": True, "rate_hz": 20.0}})
    builder.chunk("app", "wall", 0, raw(WORKER_A, (HOT,), 5), rate_hz="fast", start_ns="then", samples={})
    with builder.run.server("app").chunks.open("ab") as file:
        for line in (
            b'{"view":"../x","seq":1}',
            b'{"view":"wall","seq":-1}',
            b'{"view":["a"],"seq":0}',
            b"{",
            b"\xff",
        ):
            file.write(line + b"\n")

    assert ask(builder.build(), "SELECT view, seq, rate_hz, start_ns, counted FROM chunks") == [
        ("wall", 0, 20.0, None, 5)
    ]


def test_names_that_hold_anything_go_through_unharmed(tmp_path: Path) -> None:
    names = ["a\u202eb", "tab\tquote\"'", "new\nline", "nul\0", "😀", "', (SELECT 1)) --", "=cmd()"]
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", [request(number, name=name) for number, name in enumerate(names)])
    builder.server("app", {"wall": {"valid": True}})
    frame = "f\u202e\t😀 (/srv/\0x.py:1)"
    builder.chunk("app", "wall", 0, raw(WORKER_A, (frame,), 5))
    run = builder.build()

    assert [name for (name,) in ask(run, "SELECT name FROM requests ORDER BY start_ns")] == names
    assert ask(run, "SELECT frames FROM stacks") == [([frame],)]


def test_an_empty_run_has_all_tables_empty(tmp_path: Path) -> None:
    run = RunFolderBuilder(tmp_path).build()

    assert {table: ask(run, f"SELECT count(*) FROM {table}")[0][0] for table in TABLES} == dict.fromkeys(
        TABLES, 0
    )


def test_tables_leave_nothing_else_behind_and_can_be_built_again(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    before = {path.name for path in run.path.iterdir()}
    (run.path / ".tables.stale").mkdir()

    build_tables(run)
    first = ask(run, "SELECT * FROM requests ORDER BY ALL")
    build_tables(run)

    assert {path.name for path in run.path.iterdir()} == {*before, "tables"}
    assert {path.name for path in run.tables.iterdir()} == {f"{table}.parquet" for table in TABLES}
    assert ask(run, "SELECT * FROM requests ORDER BY ALL") == first


def test_no_run_json_is_an_error_that_says_so(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", [request(1)])

    with pytest.raises(ToolkitError, match=r"no run\.json"):
        build_tables(builder.run)
