"""One start or stop at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from toolkit.demo import folder_lock
from toolkit.demo.folder_lock import locked
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_second_one_waits_and_gives_up_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_lock, "_WAIT_S", 0.1)
    with locked(tmp_path), pytest.raises(ToolkitError, match="Another process"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_a_folder_that_was_removed_while_waiting_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    entered = threading.Event()

    def wait_for_it() -> None:
        with locked(folder, create=True):
            entered.set()

    with locked(folder, create=True):
        waiting = threading.Thread(target=wait_for_it)
        waiting.start()
        assert not entered.wait(0.1)
        folder.rmdir()
    waiting.join(5)
    assert entered.is_set()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ToolkitError, match="cannot be used for the demo"),
        locked(tmp_path / "file" / "demo", create=True),
    ):
        pass
