"""Builds everything derived of a run again; a part that fails costs no other part."""

from __future__ import annotations

import shutil
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from toolkit.analysis.results import read_results, with_new_end
from toolkit.analysis.tables import TableBuild
from toolkit.errors import ToolkitError
from toolkit.recording.checksums import recorded_sums, sums_text
from toolkit.recording.files import write_atomically
from toolkit.recording.manifest import load_manifest
from toolkit.reports.registry import RENDERERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from toolkit.analysis.results import Results
    from toolkit.recording.layout import RunFolder
    from toolkit.reports.registry import Renderer

    Judged = Callable[[dict[str, Any]], bool]

_GIVE_UP_S = 30.0


class EarlyTables:
    """Reads the load's records in a thread of its own, while the servers are still being waited for."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._build: TableBuild | None = None
        self._unwanted = False
        self._thread = threading.Thread(target=self._read, name="early tables", daemon=True)
        self._thread.start()

    def taken(self) -> TableBuild:
        """What it has begun, for the caller to finish and close; a new build where it could not."""
        self._thread.join()
        build, self._build = self._build, None
        return build or TableBuild(self._run)

    def give_up(self) -> None:
        """Nobody wants them any more. A thread in the middle of a query must not meet the end of the interpreter."""
        self._unwanted = True
        self._thread.join(_GIVE_UP_S)
        if self._build is not None and not self._thread.is_alive():
            self._close(self._build)
            self._build = None

    def _read(self) -> None:
        build = None
        try:
            self._build = build = TableBuild(self._run)
            if not self._unwanted:
                build.read_load()
        except Exception:  # noqa: BLE001  # what is wrong is wrong again, and said, when all tables are built
            self._build = None
            if build is not None:
                self._close(build)

    @staticmethod
    def _close(build: TableBuild) -> None:
        with suppress(ToolkitError):
            build.__exit__()


def rebuild(
    run: RunFolder,
    judged: Judged | None = None,
    early: EarlyTables | None = None,
    postmortem_template: tuple[str, str] | None = None,
) -> list[str]:
    """Remove what is derived, build the tables, run every renderer.

    Args:
        run: the run folder.
        judged: is told the summary before anything is rendered; it says whether it changed run.json thereupon.
        early: the tables of this run, begun already.
        postmortem_template: name and text of the user's own; None for the one that comes with the toolkit.

    Returns:
        One sentence, without its full stop, for each part that could not be built; empty where all could.

    Raises:
        ToolkitError: there is no run.json that this toolkit can read, or the folder cannot be written; what was
            derived before is left as it was.
    """
    load_manifest(run.manifest)
    try:
        _remove_derived(run)
    except OSError as error:
        raise ToolkitError(f"{run.path} cannot be written: {error}.") from error
    try:
        with early.taken() if early else TableBuild(run) as build:
            tables = build.finish()
            results = read_results(run, tables)
            if judged is not None and judged(results.summary):
                results = with_new_end(results, tables)
    except Exception as error:  # noqa: BLE001  # whatever it is, the caller's bundle must still be closed
        return [_problem("tables", error)]
    results = replace(results, postmortem_template=postmortem_template)
    return [problem for renderer in RENDERERS if (problem := _render(renderer, results))]


def _remove_derived(run: RunFolder) -> None:
    for folder in (run.tables, run.flamegraphs, run.exports):
        _remove(folder)
    derived = (run.summary_text, run.summary_json, run.junit, run.step_summary, run.page, run.postmortem)
    for file in derived:
        file.unlink(missing_ok=True)
    if held := recorded_sums(run):
        write_atomically(run.checksums, sums_text(held))
    else:
        run.checksums.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    if folder.is_symlink():  # never through a link: what it names is not ours
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def _render(renderer: Renderer, results: Results) -> str:
    try:
        for relative, content in renderer.render(results):
            _write(results.run, relative, content)
    except Exception as error:  # noqa: BLE001  # one renderer's fault must not cost the others
        return _problem(renderer.name, error)
    return ""


def _write(run: RunFolder, relative: str, content: bytes) -> None:
    path = run.path / relative
    if not path.resolve().is_relative_to(run.path.resolve()):
        raise ToolkitError(f"{relative} lies outside the run folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)


def _problem(part: str, error: Exception) -> str:
    said = str(error).strip().rstrip(".") or type(error).__name__
    return f"{part}: {said}" if isinstance(error, ToolkitError) else f"{part}: {type(error).__name__}: {said}"
