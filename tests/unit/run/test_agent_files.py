"""What is written down of what a server sends, and what is not."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from toolkit.recording.jsonl import read_lines
from toolkit.recording.layout import ServerFolder
from toolkit.run.agent_files import PART_BYTES, AgentFiles, RefusedError
from toolkit.run.agent_trust import plain, read_message

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "wall-000000.raw.gz"
ROW = {"view": "wall", "seq": 0, "start_ns": 10, "end_ns": 20, "rate_hz": 10.0, "samples": 3, "errors": None}


def part(name: Any, data: bytes = b"abc", number: Any = 0, *, last: Any = True) -> dict[str, Any]:
    return {
        "type": "file",
        "name": name,
        "part": number,
        "last": last,
        "data": base64.b64encode(data).decode(),
    }


@pytest.fixture
def folder(tmp_path: Path) -> ServerFolder:
    return ServerFolder(tmp_path / "a" / "b" / "web")


@pytest.fixture
def files(folder: ServerFolder) -> AgentFiles:
    return AgentFiles(folder)


def test_parts_of_two_files_may_be_interleaved(folder: ServerFolder, files: AgentFiles) -> None:
    assert files.part(part(GOOD, b"one ", last=False)) is None
    assert files.part(part("cpu-000000.raw.gz", b"other", last=False)) is None
    assert not folder.chunk("wall", 0).exists()
    assert files.part(part(GOOD, b"two", 1)) == GOOD
    assert folder.chunk("wall", 0).read_bytes() == b"one two"
    files.close()
    assert [path.name for path in folder.stacks.iterdir() if "cpu" in path.name] == []


@pytest.mark.parametrize(
    "name",
    [
        "../../../evil",
        "/tmp/evil",
        "wall-000000.raw.gz/../../evil",
        "wall-0.raw.gz",
        "wall-٠٠٠٠٠٠.raw.gz",
        "wall-000000.raw.gz\n",
        "wall-000000.raw.gz\0",
        "chunks.jsonl",
        "evil-000000.raw.gz",
        "",
        None,
        7,
        [GOOD],
    ],
)
def test_a_name_that_is_no_chunks_is_refused(folder: ServerFolder, files: AgentFiles, name: Any) -> None:
    with pytest.raises(RefusedError):
        files.part(part(name))
    files.close()
    assert [path.name for path in folder.path.parents[1].rglob("*") if path.is_file()] == ["chunks.jsonl"]


@pytest.mark.parametrize(
    "messages",
    [
        [part(GOOD, number=1)],
        [part(GOOD, last=False), part(GOOD, number=2)],
        [part(GOOD, last=False), part(GOOD, number=-1)],
        [part(GOOD, number=True)],
        [part(GOOD, number=False)],
        [part(GOOD, number="0")],
        [part(GOOD, number=None)],
        [{**part(GOOD), "data": "%%% not base64"}],
        [{**part(GOOD), "data": None}],
        [{**part(GOOD), "data": "ü"}],
        [part(GOOD, b"a" * (PART_BYTES + 3))],
        [part(f"wall-{seq:06d}.raw.gz", last=False) for seq in range(7)],
    ],
    ids=lambda messages: str(messages)[:60],
)
def test_parts_that_are_not_as_agreed_leave_no_file(
    folder: ServerFolder, files: AgentFiles, messages: list[Any]
) -> None:
    def send() -> None:
        for message in messages:
            files.part(message)

    with pytest.raises(RefusedError):
        send()
    files.close()
    assert [path.name for path in folder.stacks.iterdir()] == ["chunks.jsonl"]


def test_a_part_may_be_as_large_as_the_protocol_says(folder: ServerFolder, files: AgentFiles) -> None:
    assert files.part(part(GOOD, b"a" * PART_BYTES)) == GOOD
    files.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"view": "../x"},
        {"view": None},
        {"view": ["wall"]},
        {"seq": -1},
        {"seq": 10**6},
        {"seq": 1.5},
        {"seq": True},
        {"start_ns": "10"},
        {"start_ns": 30},
        {"end_ns": 10**18},
        {"end_ns": 2**70},
        {"samples": -1},
        {"samples": "many"},
        {"rate_hz": None},
        {"rate_hz": {"hz": 1}},
        {"rate_hz": 1e400},
        {"cpu_s": [0.1]},
        {"late_s": -0.1},
    ],
    ids=str,
)
def test_a_malformed_row_is_not_written_down(
    folder: ServerFolder, files: AgentFiles, changes: dict[str, Any]
) -> None:
    message = read_message(json.dumps({"type": "chunk", **ROW, **changes}).encode())
    with pytest.raises(RefusedError):
        files.row(message or {})
    files.close()
    assert folder.chunks.read_bytes() == b""


def test_a_row_with_a_file_and_one_without(folder: ServerFolder, files: AgentFiles) -> None:
    files.part(part(GOOD, b"12345"))
    assert files.row({**ROW, "bytes": 5})["note"] is None
    files.row({**ROW, "seq": 1, "bytes": 7, "note": "odd"})
    with pytest.raises(RefusedError):
        files.row({**ROW, "bytes": 5})
    files.close()
    kept = [(row["seq"], row["bytes"], row["note"]) for row in read_lines(folder.chunks)]
    assert kept == [(0, 5, None), (1, 0, "odd; 7 bytes were announced, 0 came")]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"motd",
        b"[1]",
        b'{"no":"type"}',
        b'{"type":1}',
        b'{"type":"x","n":NaN}',
        b'{"type":"x"',
        b'{"type":"x","d":' + b"[" * 200_000,
        b'{"type":"x","n":' + b"9" * 5000 + b"}",
        b'{"type":"\xff"}',
    ],
    ids=lambda line: repr(line[:20]),
)
def test_what_is_no_message(line: bytes) -> None:
    assert read_message(line) is None


def test_a_message_is_tamed() -> None:
    deep: Any = "x"
    for _ in range(40):
        deep = [deep]
    told = {
        "type": "log",
        "message": "a\x1b[2J\u202eb\r\n",
        "n": 2**80,
        "many": [1] * 5000,
        "deep": deep,
        "k\x1b": 1,
    }
    message = read_message(json.dumps(told).encode()) or {}
    assert message["message"] == "a [2J b  "
    assert message["n"] is None
    assert len(message["many"]) == 2000
    assert json.dumps(message["deep"]).count("[") < 12
    assert "k " in message


def test_plain_text_keeps_what_people_write() -> None:
    assert plain("Größe – ok\tund\nweiter") == "Größe – ok und weiter"
    assert plain("x" * 50, 10) == "x" * 10 + "…"
