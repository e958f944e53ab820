"""Two runs → everything that compare.json holds: what they are, what stands against comparing them, and what differs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from toolkit.analysis.comparison.compare import compare_slices, read_slices
from toolkit.analysis.comparison.functions import changed_functions
from toolkit.analysis.comparison.judging import UNKNOWN, WORSE
from toolkit.analysis.comparison.two_runs import TwoRuns
from toolkit.analysis.windows_difference import compare
from toolkit.analysis.windows_flames import window_notes
from toolkit.analysis.windows_frames import Naming
from toolkit.errors import EXIT_OK, EXIT_REGRESSION, RunInvalidError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from toolkit.analysis.comparison.comparable import Doubts, Told
    from toolkit.analysis.windows_difference import Difference

SCHEMA = 1


@dataclass(frozen=True)
class FlameDifference:
    """One server and view: the new run's stacks, coloured by what changed."""

    server: str
    view: str
    difference: Difference
    normal: str
    notes: list[str]


@dataclass
class TwoResults:
    """Everything about two runs."""

    content: dict[str, Any]
    """Of compare.json."""
    runs: TwoRuns

    def flames(self) -> Iterator[FlameDifference]:
        """Of every server and view that both runs recorded."""
        for server, view in self.runs.shared():
            sides = self.runs.sides(server, view)
            difference = compare(self.runs, *sides, Naming(), self.runs.normal)
            notes = [
                f"{letter}: {note}"
                for letter, source, side in (
                    ("A", self.runs.base, sides[0]),
                    ("B", self.runs.new, sides[1]),
                )
                for note in window_notes(source, replace(side.selection, server=server))
            ]
            yield FlameDifference(server, view, difference, self.runs.normal, notes)


def compare_runs(
    base: tuple[Told, duckdb.DuckDBPyConnection],
    new: tuple[Told, duckdb.DuckDBPyConnection],
    doubts: Doubts,
    threshold: float,
) -> TwoResults:
    """Compare two runs from their open tables.

    Raises:
        UsageError: there is nothing that both recorded.
    """
    slices = [
        read_slices(connection, [entry.name for entry in told.manifest.servers])
        for told, connection in (base, new)
    ]
    runs = TwoRuns.open(*((connection, told.folder, told.manifest) for told, connection in (base, new)))
    found = compare_slices(slices[0], slices[1], threshold=threshold)
    shared = runs.shared()
    if not found["comparisons"] and not shared:
        raise UsageError(
            f"There is nothing to compare in {base[0].manifest.run_id} and {new[0].manifest.run_id}: "
            "no request name and phase, and no view of a server, is in both.",
            "Name two runs of one plan.",
        )
    functions = [row for server, view in shared for row in changed_functions(runs, server, view, threshold)]
    content = {
        "schema": SCHEMA,
        "base": _side(base[0], runs.requests[0]),
        "new": _side(new[0], runs.requests[1]),
        "forced": doubts.reasons,
        "notes": doubts.notes,
        **found,
        "functions": functions,
        "exit_code": _exit_code(found),
    }
    return TwoResults(content, runs)


def _exit_code(found: dict[str, Any]) -> int:
    if not found["comparisons"] and not found["nothing_in_common"]:
        return EXIT_OK  # profiles alone
    # Nothing could be judged: a pipeline must not take that for "no difference".
    return {WORSE: EXIT_REGRESSION, UNKNOWN: RunInvalidError.exit_code}.get(found["verdict"], EXIT_OK)


def _side(told: Told, requests: int) -> dict[str, Any]:
    manifest = told.manifest
    return {
        "run": told.folder.path.name,
        "run_id": manifest.run_id,
        "plan": manifest.plan_name,
        "kind": manifest.kind,
        "commit": manifest.commit,
        "started_ns": manifest.started_ns,
        "ended_ns": manifest.ended_ns,
        "outcome": manifest.outcome,
        "requests": requests,
        "versions": manifest.versions,
    }
