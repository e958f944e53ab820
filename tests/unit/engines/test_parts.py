"""Joining part files: torn lines, repetition, a join that was cut off."""

from __future__ import annotations

import gzip
import json
import resource
from typing import TYPE_CHECKING

import pytest

from toolkit.engines import parts
from toolkit.engines.live import LiveTail
from toolkit.engines.parts import HEADER, join_parts
from toolkit.recording.layout import LoadFolder

if TYPE_CHECKING:
    from pathlib import Path


def _row(number: int, **more: object) -> bytes:
    row = {
        "n": number,
        "status": 200,
        "error": None,
        "start_ns": 1_000_000_000,
        "end_ns": 1_010_000_000,
        **more,
    }
    return json.dumps(row).encode() + b"\n"


@pytest.fixture
def folder(tmp_path: Path) -> LoadFolder:
    folder = LoadFolder(tmp_path / "a")
    folder.request_parts.mkdir(parents=True)
    (folder.request_parts / "worker-1.jsonl").write_bytes(HEADER + _row(1) + _row(2) + b'{"n": 3, "sta')
    (folder.request_parts / "worker-2.jsonl").write_bytes(HEADER + _row(4))
    (folder.request_parts / "worker-3.jsonl").write_bytes(b"")
    return folder


def _numbers(folder: LoadFolder) -> list[int]:
    lines = gzip.decompress(folder.requests.read_bytes()).splitlines()
    assert json.loads(lines[0]) == {"schema": 1, "kind": "requests"}
    return [json.loads(line)["n"] for line in lines[1:]]


def test_whole_lines_are_joined_and_the_parts_go(folder: LoadFolder) -> None:
    join_parts(folder)
    assert _numbers(folder) == [1, 2, 4]
    assert sorted(path.name for path in folder.path.iterdir()) == ["requests.jsonl.gz"]


def test_again_changes_nothing(folder: LoadFolder) -> None:
    join_parts(folder)
    before = folder.requests.read_bytes()
    join_parts(folder)
    assert folder.requests.read_bytes() == before


def test_long_lines_cross_the_chunks(folder: LoadFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "CHUNK", 7)
    join_parts(folder)
    assert _numbers(folder) == [1, 2, 4]


def test_a_join_that_was_cut_off_is_made_again(folder: LoadFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space")

    with monkeypatch.context() as broken:
        broken.setattr(parts, "_append", full)
        with pytest.raises(OSError, match="no space"):
            join_parts(folder)
    assert sorted(path.name for path in folder.path.iterdir()) == ["parts"]
    join_parts(folder)
    assert _numbers(folder) == [1, 2, 4]


def test_a_removal_that_was_cut_off_is_not_joined(folder: LoadFolder) -> None:
    join_parts(folder)
    left = folder.path / "parts.joined"
    left.mkdir()
    (left / "worker-2.jsonl").write_bytes(HEADER + _row(4))
    join_parts(folder)
    assert _numbers(folder) == [1, 2, 4]
    assert not left.exists()


def test_nothing_recorded_nothing_written(tmp_path: Path) -> None:
    join_parts(LoadFolder(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_tail_counts_what_is_new(folder: LoadFolder) -> None:
    now_ns = 1_500_000_000
    tail = LiveTail(folder.request_parts, lambda: now_ns)
    counts = tail.poll()
    assert (counts.requests, counts.failed, counts.per_s, counts.p95_ms) == (3, 0, 3 / 5, 10.0)
    with (folder.request_parts / "worker-1.jsonl").open("ab") as file:
        file.write(b'tus": 500, "error": null, "start_ns": 2000000000, "end_ns": 2090000000}\n')
        file.write(_row(5, status=None, error="ECONNREFUSED", start_ns=2_000_000_000, end_ns=2_001_000_000))
    counts = tail.poll()
    assert (counts.requests, counts.failed) == (5, 2)
    assert counts.codes == {"200": 3, "500": 1, "ECONNREFUSED": 1}
    assert counts.p95_ms == 90.0
    now_ns = 12_050_000_000
    assert (tail.poll().p95_ms, tail.poll().per_s) == (90.0, 0.0)
    now_ns = 13_000_000_000
    assert tail.poll().p95_ms is None
    assert tail.poll().requests == 5


def test_the_tail_of_nothing(tmp_path: Path) -> None:
    assert LiveTail(tmp_path / "gone").poll().requests == 0


def test_lines_as_the_recorder_spells_them_are_read_fast_and_right(tmp_path: Path) -> None:
    parts_folder = LoadFolder(tmp_path).request_parts
    parts_folder.mkdir(parents=True)
    name = json.dumps('evil","start_ns":1,"first_byte_ns":null,"end_ns":2,"status":200,"error":null,"')
    row = (
        '{"protocol":"http","scenario":"s","name":%s,"method":"GET","url":"/","phase":"1","intended_ns":1,"start_ns":1000000,'
        '"first_byte_ns":null,"end_ns":6000000,"status":%s,"error":%s,"bytes_in":1,"bytes_out":0,"request_id":"a","user":"u"}\n'
    )
    lines = [
        row % (name, 200, "null"),
        row % ('"b"', "null", json.dumps('say "no"')),
        row % ('"c"', 503, "null"),
    ]
    (parts_folder / "1.jsonl").write_bytes(HEADER + "".join(lines).encode())
    counts = LiveTail(parts_folder, lambda: 7_000_000).poll()
    assert (counts.requests, counts.failed, counts.p95_ms) == (3, 2, 5.0)
    assert counts.codes == {"200": 1, 'say "no"': 1, "503": 1}


def test_what_does_not_fit_leaves_no_half_file(folder: LoadFolder) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            join_parts(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in folder.path.iterdir()] == ["parts"]
    join_parts(folder)
    assert folder.requests.exists()
