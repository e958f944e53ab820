"""Chunks that came from a server late, put beside those that a run has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from toolkit.recording.jsonl import read_lines
from toolkit.recording.layout import ServerFolder
from toolkit.run.leftovers import merge

if TYPE_CHECKING:
    from pathlib import Path


def server(root: Path, chunks: dict[str, bytes], rows: list[tuple[str, int]]) -> ServerFolder:
    made = ServerFolder(root / "web")
    made.stacks.mkdir(parents=True)
    for name, content in chunks.items():
        (made.stacks / name).write_bytes(content)
    made.chunks.write_text("".join(json.dumps({"view": view, "seq": seq}) + "\n" for view, seq in rows))
    return made


def test_what_is_there_stays_and_the_rest_comes(tmp_path: Path) -> None:
    late = server(
        tmp_path / "late",
        {"wall-000001.raw.gz": b"again", "wall-000002.raw.gz": b"new", "other.raw.gz": b"no chunk"},
        [("wall", 1), ("wall", 2)],
    )
    kept = server(tmp_path / "kept", {"wall-000001.raw.gz": b"first"}, [("wall", 0), ("wall", 1)])
    assert merge(late, kept) == 1
    assert sorted(path.name for path in kept.stacks.glob("*.gz")) == [
        "wall-000001.raw.gz",
        "wall-000002.raw.gz",
    ]
    assert kept.chunk("wall", 1).read_bytes() == b"first"
    assert [(row["view"], row["seq"]) for row in read_lines(kept.chunks)] == [
        ("wall", 0),
        ("wall", 1),
        ("wall", 2),
    ]


def test_into_a_folder_that_has_nothing(tmp_path: Path) -> None:
    late = server(tmp_path / "late", {"cpu-000000.raw.gz": b"x"}, [("cpu", 0)])
    assert merge(late, ServerFolder(tmp_path / "run" / "servers" / "web")) == 1
