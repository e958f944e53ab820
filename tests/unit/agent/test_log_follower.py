"""What the agent says of logs that the plan names and that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.agent.following import Following

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    pattern = tmp_path / "*.log"
    following = Following([tmp_path / "nope.txt", pattern, tmp_path])
    rows = {row["path"]: row for row in following.logs.sources}
    assert rows[str(tmp_path / "nope.txt")]["waiting"] is True
    assert rows[str(tmp_path / "nope.txt")]["note"] is None
    assert rows[str(pattern)]["note"] == "no file has such a name yet"
    assert rows[str(tmp_path)]["note"] == "it is a directory"
    following.logs.close()


def test_a_file_that_is_there_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("one\n")
    following = Following([tmp_path / "*.log"])
    (row,) = following.logs.sources
    assert (row["path"], row["note"]) == (str(tmp_path / "a.log"), None)
    assert "waiting" not in row
    following.logs.close()
