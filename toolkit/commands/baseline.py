"""`toolkit baseline`: names for runs that others are compared with."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import click

from toolkit.commands.options import option
from toolkit.commands.run_choice import find_run
from toolkit.commands.terminal import tell
from toolkit.errors import UsageError
from toolkit.plan.places import known_instead
from toolkit.recording.baselines import read_baselines, remove_baseline, set_baseline
from toolkit.recording.manifest import load_manifest

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")
_reports = option(
    "--reports",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("reports"),
    help="Where run folders lie (default: reports).",
)


@click.group("baseline")
def command() -> None:
    """Names for runs under reports/ that `toolkit compare --baseline NAME` compares with."""


@command.command("set")
@click.argument("name")
@click.argument("run")
@_reports
@option("--force", is_flag=True, help="Also a run that is invalid or has not ended well.")
def set_command(name: str, run: str, reports: Path, *, force: bool) -> None:
    """Name RUN, a folder under reports/; a NAME that there is already names it from now on."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a baseline.", "Use letters, digits and . _ / -.")
    folder = find_run(run, reports)
    if folder.path.parent != reports.resolve():
        raise UsageError(
            f"{folder.path} does not lie under {reports}, where the baseline is kept.",
            "Name its folder with --reports.",
        )
    manifest = load_manifest(folder.manifest)
    if manifest.outcome not in ("passed", "check-failed") and not force:
        raise UsageError(
            f"{folder.path.name} is no run to measure others by: it is {manifest.outcome}.",
            "Take another one, or say --force.",
        )
    made = set_baseline(reports, name, folder, manifest, time.time_ns())
    tell(f"Baseline {name}: {made.run}" + (f", commit {made.commit}" if made.commit else ""))


@command.command("list")
@_reports
@option("--json", "as_json", is_flag=True, help="Print them as JSON on standard output.")
def list_command(reports: Path, *, as_json: bool) -> None:
    """Show every baseline, its run, and whether that is still there."""
    rows = [
        {
            "name": name,
            "run": made.run,
            "commit": made.commit,
            "started_ns": made.started_ns,
            "set_ns": made.set_ns,
            "there": (reports / made.run / "run.json").is_file(),
        }
        for name, made in sorted(read_baselines(reports).items())
    ]
    if as_json:
        click.echo(json.dumps({"baselines": rows}, indent=2, ensure_ascii=False))
        return
    for row in rows:
        commit = f"   commit {row['commit']}" if row["commit"] else ""
        tell(f"{row['name']}   {row['run']}{commit}{'' if row['there'] else '   (the run is gone)'}")
    if not rows:
        tell(f"No baseline is set under {reports}.")


@command.command("remove")
@click.argument("name")
@_reports
def remove_command(name: str, reports: Path) -> None:
    """Forget NAME; its run stays."""
    known = read_baselines(reports)
    if name not in known:
        hint = f": {known_instead(name, list(known))}" if known else "."
        raise UsageError(f"There is no baseline {name!r} under {reports}{hint}")
    remove_baseline(reports, name)
    tell(f"Baseline {name} is forgotten; its run {known[name].run} stays.")
