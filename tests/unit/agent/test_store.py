"""Chunks wait on the server until the controller has them, within bounds, and links are never followed."""

from __future__ import annotations

import base64
import gzip
import json
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

store = import_module("store")


class Wire:
    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.room = True

    def say(self, message: dict[str, Any]) -> bool:
        self.said.append(message)
        return True

    def kinds(self) -> list[str]:
        return [message["type"] for message in self.said]


def made(folder: Path, limit: int = 10**9) -> tuple[Any, Wire]:
    wire = Wire()
    return store.Store(str(folder), limit, wire.say, lambda: wire.room), wire


def added(held: Any, folder: Path, name: str, data: bytes) -> None:
    raw = folder / "raw"
    raw.write_bytes(data)
    held.add(name, str(raw), {"view": "wall", "seq": 0, "note": None})


def test_a_file_goes_before_its_line_and_stays_until_it_is_acknowledged(tmp_path: Path) -> None:
    held, wire = made(tmp_path)
    data = os.urandom(700_000)
    added(held, tmp_path, "wall-000000.raw.gz", data)
    assert not held.acknowledge("wall-000000.raw.gz"), "it has not been sent"

    assert held.pump() is False

    assert wire.kinds() == ["file", "file", "file", "chunk"]
    assert [part["part"] for part in wire.said[:3]] == [0, 1, 2]
    assert [part["last"] for part in wire.said[:3]] == [False, False, True]
    assert gzip.decompress(b"".join(base64.b64decode(part["data"]) for part in wire.said[:3])) == data
    kept = tmp_path / "wall-000000.raw.gz"
    assert wire.said[3]["bytes"] == kept.stat().st_size
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "raw").exists()
    assert held.acknowledge("wall-000000.raw.gz")
    assert not kept.exists()
    assert held.acknowledge("wall-000000.raw.gz"), "twice is no mistake"


def test_the_same_samples_give_the_same_bytes(tmp_path: Path) -> None:
    held, wire = made(tmp_path)
    for name in ("wall-000000.raw.gz", "cpu-000000.raw.gz"):
        added(held, tmp_path, name, b"a (x.py:1) 5\n")
    held.pump()

    assert wire.said[0]["data"] == wire.said[2]["data"]


def test_the_oldest_gives_way_and_it_is_said(tmp_path: Path) -> None:
    held, wire = made(tmp_path, limit=250_000)
    wire.room = False
    for seq in range(4):
        added(held, tmp_path, f"wall-{seq:06d}.raw.gz", os.urandom(100_000))
    wire.room = True
    held.pump()

    chunks = [message for message in wire.said if message["type"] == "chunk"]
    assert [chunk["bytes"] > 0 for chunk in chunks] == [False, False, True, True]
    assert "dropped" in chunks[0]["note"]
    assert sum(message["type"] == "log" for message in wire.said) == 2
    assert sorted(path.name for path in tmp_path.glob("*.gz")) == ["wall-000002.raw.gz", "wall-000003.raw.gz"]


def test_a_network_without_room_is_not_pressed(tmp_path: Path) -> None:
    held, wire = made(tmp_path)
    wire.room = False
    added(held, tmp_path, "wall-000000.raw.gz", b"x 1\n")

    assert held.pump() is True
    assert wire.said == []


def test_a_recorder_that_wrote_nothing_still_has_its_line(tmp_path: Path) -> None:
    held, wire = made(tmp_path)
    held.add("wall-000000.raw.gz", str(tmp_path / "missing"), {"view": "wall", "note": "it died"})

    assert held.pump() is False
    assert wire.kinds() == ["chunk"]
    assert wire.said[0]["bytes"] == 0
    assert wire.said[0]["note"] == "it died"


def test_a_link_in_a_recordings_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "raw").symlink_to(tmp_path / "secret")
    held, wire = made(tmp_path)
    held.add("wall-000000.raw.gz", str(tmp_path / "raw"), {"view": "wall", "note": None})
    held.pump()

    assert wire.kinds() == ["chunk"]
    assert wire.said[0]["bytes"] == 0
    assert "could not be kept" in wire.said[0]["note"]
    assert (tmp_path / "secret").read_text() == "secret"


def test_names_from_the_wire_reach_no_other_file(tmp_path: Path) -> None:
    held, _ = made(tmp_path)
    (tmp_path / "other").write_text("x")

    for name in ("other", "../other", "/etc/passwd", "wall-000000.raw.gz/../other"):
        assert not held.acknowledge(name)
    assert (tmp_path / "other").exists()


def test_what_was_not_fetched_can_be_read_later(tmp_path: Path) -> None:
    held, _ = made(tmp_path)
    for seq in range(2):
        added(held, tmp_path, f"wall-{seq:06d}.raw.gz", b"x 1\n")
    held.pump()
    held.acknowledge("wall-000000.raw.gz")

    assert held.leave_behind() == 1
    lines = [json.loads(line) for line in (tmp_path / "chunks.jsonl").read_text().splitlines()]
    assert len(lines) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chunks.jsonl", "wall-000001.raw.gz"]
