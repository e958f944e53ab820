"""Makes the folder of a new run."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.recording.layout import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

MIN_FREE_BYTES = 100 * 1024 * 1024
_FLOOR_BYTES = 16 * 1024 * 1024
"""Room that a run leaves for its own report."""
_LAST_WORDS_BYTES = 256 * 1024


class DiskFullError(ToolkitError):
    """What a run records does not fit any more."""


class LastWords:
    """Room for run.json, taken while there is some: how a run ended must fit onto a disk that others have filled.

    What is written goes into the blocks that are taken already, so that nobody can be quicker.
    """

    def __init__(self, run: RunFolder) -> None:
        self._path = run.path / ".last-words"
        with suppress(OSError), self._path.open("xb") as file:  # a file system without it goes without
            os.posix_fallocate(file.fileno(), 0, _LAST_WORDS_BYTES)

    def say(self, path: Path, text: str) -> None:
        """`text` becomes the content of `path`, whole or not at all; once.

        Raises:
            OSError: it was said before, or there was no room from the start.
        """
        with self._path.open("r+b") as file:
            file.write(text.encode())
            file.truncate()
        self._path.replace(path)

    def drop(self) -> None:
        """Give the room back."""
        self._path.unlink(missing_ok=True)


def make_run_folder(reports: Path, plan_name: str, now_ns: int) -> RunFolder:
    """`reports/<UTC start>-<plan name>/`, readable by its owner only; two in one second get a number.

    Raises:
        ToolkitError: the folder cannot be made, or the disk is nearly full.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_ns / 1e9))
    try:
        reports.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(reports).free
        if free < MIN_FREE_BYTES:
            raise ToolkitError(
                f"{reports.resolve()} has {free // 2**20} MiB free; a run wants {MIN_FREE_BYTES // 2**20}.",
                "Free some, or name another folder with --reports.",
            )
        for number in range(1, 100):
            path = reports / (f"{stamp}-{plan_name}" if number == 1 else f"{stamp}-{plan_name}-{number}")
            try:
                path.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return RunFolder(path)
    except OSError as error:
        raise ToolkitError(
            f"The run folder cannot be made under {reports}: {error.strerror}.",
            "Name another folder with --reports.",
        ) from None
    raise ToolkitError(f"There are 99 runs of this second under {reports} already.")


def require_room(folder: Path) -> None:
    """See, while a run goes on, that what it records and its report still fit.

    Raises:
        DiskFullError: they hardly do; ended now, the run can still be reported.
    """
    free = shutil.disk_usage(folder).free
    if free < _FLOOR_BYTES:
        raise DiskFullError(
            f"The disk is full: {free // 2**20} MiB are free under {folder.parent}; the run was ended early.",
            "Free some, or name another folder with --reports.",
        )


def point_latest(run: RunFolder) -> None:
    """`reports/latest` → this run. A file system without links goes without."""
    link = run.path.parent / "latest"
    temporary = run.path.parent / f".latest-{os.getpid()}"
    try:
        temporary.symlink_to(run.path.name)
        temporary.replace(link)
    except OSError:
        temporary.unlink(missing_ok=True)
