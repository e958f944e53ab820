"""`toolkit compare`: whether a run is worse or better than another, by how much, and where."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.analysis.comparison.comparable import Told, doubts_about
from toolkit.analysis.tables import open_tables
from toolkit.commands.options import option
from toolkit.commands.run_choice import baseline_run, find_run, last_two, newest_run
from toolkit.commands.terminal import harmless, tell
from toolkit.errors import RunInvalidError, UsageError
from toolkit.plan.quantities import parse_percent
from toolkit.recording.manifest import load_manifest
from toolkit.reports.comparison import words
from toolkit.reports.comparison.files import PAGE, write_comparison
from toolkit.reports.comparison.text import comparison_text
from toolkit.reports.flamegraph_difference import PALETTES

if TYPE_CHECKING:
    from toolkit.analysis.comparison.comparable import Doubts
    from toolkit.analysis.comparison.whole import TwoResults
    from toolkit.recording.layout import RunFolder


@click.command("compare")
@click.argument("runs", nargs=-1, metavar="[BASE NEW]")
@option("--last", is_flag=True, help="The newest run, and the newest before it that can be compared with it.")
@option("--baseline", metavar="NAME", help="Compare with the run that `toolkit baseline set` named.")
@option("--force", is_flag=True, help="Compare what should not be compared; the output says so.")
@option(
    "--threshold",
    default="2%",
    show_default=True,
    metavar="PERCENT",
    help="A difference below this is none, however certain.",
)
@option(
    "--reports",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports"),
    help="Where run folders lie (default: reports).",
)
@option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where compare.html goes (default: compare-BASE-NEW beside the runs).",
)
@option(
    "--palette",
    type=click.Choice(list(PALETTES)),
    default="red-blue",
    show_default=True,
    help="Of the flamegraphs.",
)
@option("--json", "as_json", is_flag=True, help="Print the comparison as JSON on standard output.")
@option("--quiet", "-q", is_flag=True, help="Only the verdict.")
def command(runs: tuple[str, ...], **given: Any) -> int:  # noqa: ANN401 - click's values
    """Compare two runs, BASE and NEW: paths, or names under reports/.

    Latency, throughput and errors of each request name and phase, CPU time per request, memory and accept queue of each
    server, and the functions that gained or lost time. Exit code 98 where NEW is worse. For example:

    \b
      toolkit compare 20261121T143102Z-demo 20261121T151740Z-demo
      toolkit compare --last
      toolkit compare --baseline main
    """
    threshold = _threshold(given["threshold"])
    base, new, changed = _chosen(runs, given)
    sides = [
        Told.of(side, folder, load_manifest(folder.manifest))
        for side, folder in (("base", base), ("new", new))
    ]
    _refuse_the_same(sides[0], sides[1])
    doubts = doubts_about(sides[0], sides[1])
    doubts.different += [changed] if changed else []
    if doubts.reasons and not given["force"]:
        _refuse(doubts)
    results, folder = _compared(sides, doubts, threshold, given)
    content = results.content
    if given["as_json"]:
        click.echo(json.dumps({**content, "folder": str(folder.resolve())}, indent=2, ensure_ascii=False))
    elif given["quiet"]:
        tell(harmless(words.headline(content)))
    else:
        tell(comparison_text(content, str(folder / PAGE)).rstrip("\n"))
    return int(content["exit_code"])


def _compared(
    sides: list[Told], doubts: Doubts, threshold: float, given: dict[str, Any]
) -> tuple[TwoResults, Path]:
    from toolkit.analysis.comparison.whole import compare_runs  # numpy takes its time to load

    names = [side.folder.path.name for side in sides]
    folder = given["output"] or sides[1].folder.path.parent / f"compare-{names[0]}-{names[1]}"
    with ExitStack() as opened:
        base, new = ((side, opened.enter_context(open_tables(side.folder))) for side in sides)
        results = compare_runs(base, new, doubts, threshold)
        results.content["line"] = words.headline(results.content)
        write_comparison(results, folder, given["palette"])
    return results, folder


def _chosen(runs: tuple[str, ...], given: dict[str, Any]) -> tuple[RunFolder, RunFolder, str]:
    """Base, new, and what is wrong with a baseline."""
    reports: Path = given["reports"]
    if given["last"] and given["baseline"]:
        raise UsageError("--last and --baseline both name the base: leave one out.")
    if given["last"]:
        if runs:
            raise UsageError("--last names both runs: leave out BASE and NEW.")
        return (*last_two(reports), "")
    if given["baseline"]:
        if len(runs) > 1:
            raise UsageError("--baseline names the base: name NEW alone, or nothing for the newest run.")
        base, changed = baseline_run(given["baseline"], reports)
        return base, find_run(runs[0], reports) if runs else newest_run(reports), changed
    if len(runs) != 2:
        raise UsageError("Name two runs, BASE and NEW, or say --last or --baseline NAME.")
    return find_run(runs[0], reports), find_run(runs[1], reports), ""


def _refuse_the_same(base: Told, new: Told) -> None:
    if base.folder.path == new.folder.path:
        raise UsageError(f"Base and new are the same run, {base.folder.path.name}.", "Name two.")
    if (base.manifest.run_id, base.manifest.started_ns) == (new.manifest.run_id, new.manifest.started_ns):
        raise UsageError(
            f"{base.folder.path} and {new.folder.path} are copies of one run, {base.manifest.run_id}.",
            "Name two runs.",
        )


def _refuse(doubts: Doubts) -> None:
    listed = "\n".join(f"  – {harmless(reason)}" for reason in doubts.reasons)
    error = RunInvalidError if doubts.invalid else UsageError
    raise error(
        f"These two runs cannot be compared:\n{listed}\n", "--force compares them all the same, and says so."
    )


def _threshold(text: str) -> float:
    try:
        return parse_percent(text) / 100
    except ValueError as error:
        raise UsageError(f"--threshold: {error}.") from None
