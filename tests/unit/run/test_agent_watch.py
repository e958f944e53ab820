"""Metrics, workers and logs as a server sends them, honest and hostile: what is written down, and what is not."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from toolkit.recording.jsonl import read_lines
from toolkit.recording.layout import ServerFolder
from toolkit.run.agent_files import RefusedError
from toolkit.run.agent_trust import read_message
from toolkit.run.agent_watch import BLOCK_BYTES, WatchFiles, worker_rows
from toolkit.run.doctor import logs_said

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = {
    "source": 0,
    "kind": "file",
    "path": "/var/log/app/error.log",
    "found": "--error-logfile",
    "role": "error",
}


def block(raw: bytes, source: Any = 0, **changed: Any) -> dict[str, Any]:
    text = base64.b64encode(zlib.compress(raw, 1)).decode()
    row = {"type": "log_block", "source": source, "t": 5, "what": "data", "generation": 0, "offset": 9}
    return {**row, "bytes": len(raw), "data": text, **changed}


@pytest.fixture
def folder(tmp_path: Path) -> ServerFolder:
    return ServerFolder(tmp_path / "web")


@pytest.fixture
def files(folder: ServerFolder) -> WatchFiles:
    return WatchFiles(folder, 1_000_000)


def test_blocks_of_a_log_become_one_file_with_an_index(folder: ServerFolder, files: WatchFiles) -> None:
    files.sources([SOURCE])
    files.block(block(b"one\ntw"))
    files.block(block(b"", what="rotated", data=None, generation=1))
    files.block(block(b"o\n\xff\x00", offset=0, generation=1))
    files.close()
    (source,) = json.loads(folder.log_sources.read_text())
    assert (folder.logs / source["file"]).read_bytes() == b"one\ntwo\n\xff\x00"
    rows = list(read_lines(folder.log_index))
    assert [(row["what"], row["position"], row["bytes"]) for row in rows] == [
        ("data", 0, 6),
        ("rotated", None, 0),
        ("data", 6, 4),
    ]


@pytest.mark.parametrize(
    "path", ["../../evil", "/etc/..", "/x/\x1b[2J.log", "/", "/x/" + "ü" * 500, "/tmp/-rf", "/a/b\nc"]
)
def test_no_name_of_the_servers_leads_out_of_the_folder(
    folder: ServerFolder, files: WatchFiles, path: str
) -> None:
    files.sources([{**SOURCE, "path": path}])
    files.block(block(b"x"))
    files.close()
    written = {item.name for item in folder.logs.iterdir()} - {"sources.json", "index.jsonl"}
    assert len(written) == 1
    name = written.pop()
    assert name.startswith("000-")
    assert name.isascii()
    assert name.isprintable()
    assert len(name) < 80


@pytest.mark.parametrize(
    "bad",
    [
        block(b"x", source=1),
        block(b"x", source="0"),
        block(b"x", source=None),
        block(b"x", what="owned"),
        block(b"x", data="?"),
        block(b"x", data=base64.b64encode(zlib.compress(b"0" * (BLOCK_BYTES + 1))).decode()),
        block(b"x", data=base64.b64encode(zlib.compress(b"whole")[:-3]).decode()),
        block(b"x", t=None),
        block(b"x", t=-1),
    ],
)
def test_a_malformed_block_is_refused(files: WatchFiles, bad: dict[str, Any]) -> None:
    files.sources([SOURCE])
    with pytest.raises(RefusedError):
        files.block(bad)
    files.close()


def test_a_server_that_ignores_the_limit_cannot_fill_the_disk(
    folder: ServerFolder, files: WatchFiles
) -> None:
    files.sources([SOURCE])
    for _ in range(5):
        files.block(block(b"0" * BLOCK_BYTES))
    with pytest.raises(RefusedError, match="more of"):
        files.block(block(b"0" * BLOCK_BYTES))
    files.close()
    assert sum(item.stat().st_size for item in folder.logs.iterdir()) < 2_000_000


def test_a_source_is_named_once(files: WatchFiles) -> None:
    files.sources([SOURCE])
    with pytest.raises(RefusedError):
        files.sources([SOURCE])
    with pytest.raises(RefusedError):
        files.sources([{**SOURCE, "source": 1, "path": ""}])
    files.close()


def test_metrics_keep_agreed_names_and_finite_numbers_alone(folder: ServerFolder, files: WatchFiles) -> None:
    process = {
        "pid": 7,
        "create_time": 1.5,
        "role": "worker",
        "state": "S",
        "rss": 4096,
        "evil": 1,
        "threads": True,
    }
    files.metrics(
        {
            "t": 10,
            "host": {"load_1": 0.5, "memory_total": -1, "made_up": 3, "cores": "2", "cpu_user": 1e300},
            "service": "none",
            "processes": [process, {"pid": 0}, {"pid": "8"}, "x"],
        }
    )
    files.close()
    (line,) = read_lines(folder.metrics)
    assert line == {
        "t_ns": 10,
        "host": {"load_1": 0.5},
        "service": {},
        "processes": [{"pid": 7, "create_time": 1.5, "role": "worker", "state": "S", "rss": 4096}],
    }


def test_a_run_that_is_killed_keeps_every_line_of_metrics(folder: ServerFolder, files: WatchFiles) -> None:
    for t in (1, 2, 3):
        files.metrics({"t": t, "host": {"load_1": t}})
    assert [line["t_ns"] for line in read_lines(folder.metrics)] == [1, 2, 3], "without close"
    files.close()
    assert [line["t_ns"] for line in read_lines(folder.metrics)] == [1, 2, 3]


def test_workers_are_typed_and_say_how_they_ended() -> None:
    rows = worker_rows(
        [{"pid": 3, "create_time": 2.5, "title": "w\x1b[31m", "exit": {"signal": 9, "x": 1}}, {"pid": -1}, 4]
    )
    assert rows == [{"pid": 3, "create_time": 2.5, "title": "w [31m", "exit": {"signal": 9}}]


def test_a_block_passes_the_readers_door_whole() -> None:
    message = block(bytes(range(256)) * 900)
    assert read_message(json.dumps(message).encode())["data"] == message["data"]  # type: ignore[index]


def test_logs_that_give_nothing_are_told_and_not_counted_as_followed(files: WatchFiles) -> None:
    files.sources(
        [
            SOURCE,
            {**SOURCE, "source": 1, "path": "/run/pipe", "note": "it is a named pipe"},
            {**SOURCE, "source": 2, "path": "/tmp/nope.log", "waiting": True},
        ]
    )
    assert files.followed == ["/var/log/app/error.log"]
    assert files.not_followed == [
        "/run/pipe is not followed: it is a named pipe",
        "/tmp/nope.log is not there; it is followed when it comes",
    ]
    files.close()
    said, warning = logs_said({"followed": files.followed, "not_followed": files.not_followed, "notes": []})
    assert warning
    assert "would follow /var/log/app/error.log" in said
    assert "/run/pipe is not followed" in said
    assert "would follow /tmp/nope.log" not in said


def test_logs_that_are_all_followed_are_no_warning() -> None:
    assert logs_said({"followed": ["/a.log"], "not_followed": [], "notes": []}) == (
        "would follow /a.log",
        False,
    )
