"""The agent's directory: executes what it was given and nothing else, and goes without taking anything along."""

from __future__ import annotations

import os
import zipfile
from importlib import import_module
from pathlib import Path

import pytest

workdir = import_module("workdir")
faults = import_module("faults")


@pytest.fixture
def pushed(tmp_path: Path) -> Path:
    """What the controller leaves on a server."""
    folder = tmp_path / "toolkit.x"
    folder.mkdir(mode=0o700)
    (folder / "agent.pyz").write_text("")
    with zipfile.ZipFile(folder / "py_spy-1.0-x.whl", "w") as wheel:
        wheel.writestr("py_spy-1.0.data/scripts/py-spy", "#!/bin/sh\n")
        wheel.writestr("py_spy-1.0.data/scripts/other", "")
    return folder


def test_a_pushed_directory_is_used_and_goes_whole(pushed: Path) -> None:
    work = workdir.WorkDirectory(str(pushed / "agent.pyz"))

    assert work.path == str(pushed)
    assert os.access(work.executable, os.X_OK)
    assert (pushed / "py-spy").stat().st_mode & 0o777 == 0o700
    work.remove(False)
    assert not pushed.exists()


def test_what_is_not_ours_stays(pushed: Path) -> None:
    (pushed / "thesis.txt").write_text("years of work")
    (pushed / "lib.txt").write_text("x")

    workdir.WorkDirectory(str(pushed / "agent.pyz")).remove(False)

    assert sorted(path.name for path in pushed.iterdir()) == ["lib.txt", "thesis.txt"]


def test_recordings_not_fetched_are_all_that_is_left(pushed: Path) -> None:
    work = workdir.WorkDirectory(str(pushed / "agent.pyz"))
    (pushed / "recordings" / "wall-000000.raw.gz").write_text("x")
    (pushed / "running" / "wall-000001.raw").write_text("x")
    work.remove(True)

    assert [path.relative_to(pushed).as_posix() for path in sorted(pushed.rglob("*"))] == [
        "recordings",
        "recordings/wall-000000.raw.gz",
    ]


def test_a_link_planted_for_py_spy_is_refused(pushed: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (pushed / "py-spy").symlink_to(victim)

    with pytest.raises(faults.Fault):
        workdir.WorkDirectory(str(pushed / "agent.pyz"))
    assert victim.read_text() == "mine"


def test_links_are_removed_and_not_what_they_point_to(pushed: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "x").write_text("x")
    work = workdir.WorkDirectory(str(pushed / "agent.pyz"))
    (pushed / "running").rmdir()
    (pushed / "running").symlink_to(tmp_path / "precious")
    work.remove(False)

    assert (tmp_path / "precious" / "x").exists()
    assert not pushed.exists()


def test_a_directory_that_others_may_enter_is_not_written_to(pushed: Path) -> None:
    pushed.chmod(0o755)
    work = workdir.WorkDirectory(str(pushed / "agent.pyz"))

    assert work.path != str(pushed)
    assert Path(work.path).stat().st_mode & 0o777 == 0o700
    made = work.path
    work.remove(False)
    assert not Path(made).exists()
    assert not pushed.exists()


def test_a_prepared_server_keeps_its_installation(tmp_path: Path) -> None:
    home = tmp_path / "gunicorn-toolkit"
    home.mkdir(mode=0o755)
    for name in ("agent.pyz", "py-spy"):
        (home / name).write_text("")
        (home / name).chmod(0o755)

    work = workdir.WorkDirectory(str(home / "agent.pyz"))
    assert work.executable == str(home / "py-spy")
    assert not work.path.startswith(str(home))
    made = work.path
    work.remove(False)

    assert sorted(path.name for path in home.iterdir()) == ["agent.pyz", "py-spy"]
    assert not Path(made).exists()


@pytest.mark.parametrize("weak", ["directory", "file", "link"])
def test_a_prepared_py_spy_that_others_may_change_is_not_run(tmp_path: Path, weak: str) -> None:
    home = tmp_path / "gunicorn-toolkit"
    home.mkdir(mode=0o755)
    (home / "py-spy").write_text("")
    (home / "py-spy").chmod(0o755)
    if weak == "directory":
        home.chmod(0o777)
    elif weak == "file":
        (home / "py-spy").chmod(0o777)
    else:
        (home / "py-spy").rename(home / "real")
        (home / "py-spy").symlink_to("real")

    with pytest.raises(faults.Fault) as caught:
        workdir.WorkDirectory(str(home / "agent.pyz"))
    assert caught.value.code == "no-exec"


def test_a_damaged_wheel_is_said(pushed: Path) -> None:
    (pushed / "py_spy-1.0-x.whl").write_text("no zip")

    with pytest.raises(faults.Fault, match="damaged") as caught:
        workdir.WorkDirectory(str(pushed / "agent.pyz"))
    assert caught.value.code == "no-exec"
