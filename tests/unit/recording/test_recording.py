"""A run killed at any instant leaves files that can be read."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import ToolkitError
from toolkit.recording.files import write_atomically
from toolkit.recording.jsonl import JsonLines, read_lines
from toolkit.recording.manifest import LoadEntry, Manifest, ServerEntry, load_manifest

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [{"n": number, "text": "é\u202e\n" * number} for number in range(20)]


@given(cut=st.integers(0, 4000), compressed=st.booleans())
def test_a_file_cut_at_any_byte_gives_every_whole_line(
    tmp_path_factory: pytest.TempPathFactory, cut: int, compressed: bool
) -> None:
    path = tmp_path_factory.mktemp("cut") / ("x.jsonl.gz" if compressed else "x.jsonl")
    whole = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)
    path.write_bytes((gzip.compress(whole, 0) if compressed else whole)[:cut])
    found = list(read_lines(path))
    assert found == ROWS[: len(found)]
    if not compressed:
        assert len(found) >= whole[:cut].count(b"\n")


def test_lines_are_on_disk_at_once_and_broken_ones_are_passed_over(tmp_path: Path) -> None:
    lines = JsonLines(tmp_path / "sub" / "events.jsonl")
    lines.append({"a": "b\nc"})
    with (tmp_path / "sub" / "events.jsonl").open("ab") as file:
        file.write(b"not json\n[1]\n\xff\xfe\n")
    lines.append({"b": 2})
    assert list(read_lines(tmp_path / "sub" / "events.jsonl")) == [{"a": "b\nc"}, {"b": 2}]
    lines.close()
    lines.append({"late": True})  # a thread that still has something to say must not break the end of a run


def test_no_file_has_no_lines(tmp_path: Path) -> None:
    assert list(read_lines(tmp_path / "gone.jsonl")) == []


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_atomically(path, "old")
    (tmp_path / "x").chmod(0o600)
    with pytest.raises(TypeError):
        write_atomically(path, 3)  # type: ignore[arg-type]  # wrong on purpose
    assert path.read_text() == "old"
    assert [child.name for child in tmp_path.iterdir()] == ["x"]


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    written = Manifest("id", "demo", "toolkit …", 5, servers=[ServerEntry("web", "ssh://web", offset_ns=-3)])
    written.loads.append(LoadEntry("http", "http.yml", "artillery", exit_code=0))
    written.save(tmp_path / "run.json")
    assert load_manifest(tmp_path / "run.json") == written
    newer = json.loads((tmp_path / "run.json").read_text()) | {"added_later": 1}
    (tmp_path / "run.json").write_text(json.dumps(newer))
    assert load_manifest(tmp_path / "run.json") == written


@pytest.mark.parametrize(
    ("text", "message"), [("{}", "has schema None"), ("[", "cannot be read"), ('{"schema": 99}', "99")]
)
def test_a_manifest_that_cannot_be_read_is_said(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ToolkitError, match=message):
        load_manifest(tmp_path / "run.json")
