"""The zip of a run."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.run_folders import small_run
from toolkit.errors import ToolkitError
from toolkit.reports import rebuild as rebuilding
from toolkit.reports.bundle import make_bundle
from toolkit.reports.rebuild import rebuild
from toolkit.reports.registry import RENDERERS

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.recording.layout import RunFolder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.setattr(rebuilding, "RENDERERS", tuple(one for one in RENDERERS if one.name != "page"))
    run = small_run(tmp_path)
    assert rebuild(run) == []
    return run


def test_it_holds_every_file_under_the_folders_name_in_order(run: RunFolder) -> None:
    said: list[str] = []
    path = make_bundle(run, None, said.append)

    assert path == run.path.with_name(f"{run.path.name}.zip")
    assert said == []
    with zipfile.ZipFile(path) as bundle:
        assert bundle.testzip() is None
        names = bundle.namelist()
        assert names == sorted(names)
        assert {name.split("/", 1)[0] for name in names} == {run.path.name}
        files = {file.relative_to(run.path).as_posix() for file in run.path.rglob("*") if file.is_file()}
        assert {name.split("/", 1)[1] for name in names} == files
        assert bundle.read(f"{run.path.name}/run.json") == run.manifest.read_bytes()


def test_the_same_folder_gives_the_same_bytes(run: RunFolder, tmp_path: Path) -> None:
    first = make_bundle(run, tmp_path / "a.zip").read_bytes()

    assert make_bundle(run, tmp_path / "b.zip").read_bytes() == first


def test_links_and_half_written_files_stay_out(run: RunFolder, tmp_path: Path) -> None:
    (run.path / "latest").symlink_to(run.path)
    (run.path / ".summary.txt.x1").write_text("half")

    with zipfile.ZipFile(make_bundle(run, None)) as bundle:
        assert not [name for name in bundle.namelist() if "latest" in name or "/." in name]


def test_a_changed_file_is_said_and_the_zip_is_written_all_the_same(run: RunFolder) -> None:
    run.plan.write_text("changed")
    said: list[str] = []

    path = make_bundle(run, None, said.append)

    assert said == ["plan.yml is not as SHA256SUMS says: it was changed after the report was built."]
    assert path.exists()


def test_it_can_be_put_into_a_folder_and_even_into_the_run_itself(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()

    assert make_bundle(run, tmp_path / "out").parent == tmp_path / "out"
    inside = make_bundle(run, run.path / "bundle.zip")
    said: list[str] = []
    again = make_bundle(run, inside, said.append)
    with zipfile.ZipFile(again) as bundle:
        assert f"{run.path.name}/bundle.zip" not in bundle.namelist()


def test_where_it_cannot_be_written_it_says_so_and_leaves_nothing(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="could not be written"):
        make_bundle(run, tmp_path / "no" / "such" / "folder.zip")

    assert not list(tmp_path.rglob(".*.zip.*"))
