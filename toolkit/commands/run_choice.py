"""Which run is meant: a path, the name of a folder under reports/, a baseline, or the newest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.analysis.comparison.comparable import Told, doubts_about
from toolkit.commands.terminal import harmless
from toolkit.errors import ToolkitError, UsageError
from toolkit.plan.places import known_instead
from toolkit.recording.baselines import read_baselines, recording_sum
from toolkit.recording.layout import RunFolder
from toolkit.recording.manifest import load_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_LOOKED_AT = 50


def find_run(text: str, reports: Path) -> RunFolder:
    """A path, or a name under `reports`.

    Raises:
        UsageError: there is no such folder, or it is no run.
    """
    for path in (Path(text), reports / text):
        if path.is_dir():
            folder = RunFolder(path.resolve())
            load_manifest(folder.manifest)
            return folder
    if Path(text).exists():
        raise UsageError(f"{text} is no run folder.", "Name the folder, or its name under reports/.")
    known = [run.path.name for run in runs_under(reports)]
    said = f"There is no run {text}: no such folder here, nor under {reports}"
    raise UsageError(f"{said}: {known_instead(text, known)}" if known else f"{said}.")


def runs_under(reports: Path) -> list[RunFolder]:
    """The run folders, newest first by their names, which begin with when they started."""
    if not reports.is_dir():
        return []
    found = [path for path in reports.iterdir() if path.is_dir() and not path.is_symlink()]
    return [
        RunFolder(path.resolve())
        for path in sorted(found, key=lambda path: path.name, reverse=True)
        if (path / "run.json").is_file()
    ]


def newest_run(reports: Path) -> RunFolder:
    """The newest.

    Raises:
        UsageError: there is none.
    """
    runs = runs_under(reports)
    if not runs:
        raise UsageError(f"There is no run under {reports}.", "Name one, or another folder with --reports.")
    return runs[0]


def last_two(reports: Path) -> tuple[RunFolder, RunFolder]:
    """The newest run and the newest before it that can be compared with it: base, new.

    Raises:
        UsageError: there are no two; why the next older one is none is said.
    """
    newest = newest_run(reports)
    new = Told.of("new", newest, load_manifest(newest.manifest))
    first_reason = ""
    for folder, told in _readable(runs_under(reports)[1 : _MOST_LOOKED_AT + 1]):
        reasons = doubts_about(told, new).reasons
        if not reasons:
            return folder, newest
        first_reason = first_reason or f" {folder.path.name}: {harmless(reasons[0])}"
    raise UsageError(
        f"No run under {reports} can be compared with the newest, {newest.path.name}.{first_reason}",
        "Name two runs, with --force where you know better.",
    )


def baseline_run(name: str, reports: Path) -> tuple[RunFolder, str]:
    """The run that a baseline names, and a sentence where it is not as it was when it was set.

    Raises:
        UsageError: there is no such baseline, or its run is gone.
    """
    known = read_baselines(reports)
    if name not in known:
        hint = known_instead(name, list(known)) if known else "none is set under this folder."
        raise UsageError(
            f"There is no baseline {name!r}: {hint}", f"toolkit baseline set {name} RUN sets it."
        )
    told = known[name]
    folder = RunFolder((reports / told.run).resolve())
    if not folder.manifest.is_file():
        raise UsageError(
            f"The baseline {name} is {told.run}, which is not under {reports} any more.",
            f"Put it back, or set another run: toolkit baseline set {name} RUN.",
        )
    if recording_sum(folder) != told.sums:
        return (
            folder,
            f"base is not as it was when the baseline {name} was set: {told.run} was changed since.",
        )
    return folder, ""


def _readable(runs: list[RunFolder]) -> Iterator[tuple[RunFolder, Told]]:
    for folder in runs:
        try:
            yield folder, Told.of("base", folder, load_manifest(folder.manifest))
        except ToolkitError:  # of another schema, or not whole: it is no run to compare with
            continue
