"""The run folder: its name, its rights, and a disk or folder that will not do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from toolkit.errors import ToolkitError
from toolkit.run import folder as folders
from toolkit.run.folder import LastWords, make_run_folder, point_latest

if TYPE_CHECKING:
    from pathlib import Path

NOON = 1_795_262_400 * 10**9


def test_name_rights_and_latest(tmp_path: Path) -> None:
    first = make_run_folder(tmp_path / "reports", "demo", NOON)
    second = make_run_folder(tmp_path / "reports", "demo", NOON)
    assert [run.path.name for run in (first, second)] == ["20261121T120000Z-demo", "20261121T120000Z-demo-2"]
    assert first.path.stat().st_mode & 0o777 == 0o700
    point_latest(first)
    point_latest(second)
    assert (tmp_path / "reports" / "latest").resolve() == second.path


def test_a_full_disk_is_said_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MIN_FREE_BYTES", 2**62)
    with pytest.raises(ToolkitError, match=r"MiB free; a run wants"):
        make_run_folder(tmp_path, "demo", NOON)


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("")
    with pytest.raises(ToolkitError, match="cannot be made under"):
        make_run_folder(tmp_path / "reports", "demo", NOON)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_right_to_write_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ToolkitError, match="Permission denied"):
        make_run_folder(tmp_path / "reports", "demo", NOON)


def test_last_words_take_their_room_at_once_and_lie_in_place_of_the_old_ones(tmp_path: Path) -> None:
    run = make_run_folder(tmp_path, "demo", NOON)
    words = LastWords(run)
    (taken,) = run.path.iterdir()
    assert taken.stat().st_blocks * 512 >= 200_000, "a file of holes holds no room"
    run.manifest.write_text("old")
    words.say(run.manifest, "new\n")
    assert run.manifest.read_text() == "new\n"
    words.drop()
    assert list(run.path.iterdir()) == [run.manifest]
    with pytest.raises(OSError, match="No such file"):
        words.say(run.manifest, "newer")
