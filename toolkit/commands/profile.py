"""`toolkit profile`: profile only, until Ctrl-C or for a time."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.commands.options import (
    option,
    plan_argument,
    plan_of,
    report_options,
    server_options,
    shared_options,
)
from toolkit.commands.running import WholeReport, leave, run_plan
from toolkit.commands.terminal import tell
from toolkit.errors import UsageError
from toolkit.plan.quantities import parse_duration
from toolkit.run.stages import PROFILE

if TYPE_CHECKING:
    from toolkit.recording.layout import RunFolder
    from toolkit.run.execute import Judged


@click.command("profile")
@plan_argument
@server_options
@option("--duration", metavar="DURATION", help="How long (default: until Ctrl-C).")
@report_options
@shared_options
def command(plan: Path | None, duration: str | None, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Profile gunicorn until Ctrl-C (once is enough); with no server named, the one on this machine.

    Besides the bundle it leaves profile-<PID of the arbiter>.svg in the folder where you stand.
    """
    if plan is None and not given["servers"]:
        given["servers"] = ("local:",)
    made = plan_of(plan, given, "profile")
    if not made.servers:
        raise UsageError("No server to profile.", "Name one under servers: in the plan, or with --server.")
    try:
        seconds = parse_duration(duration) if duration else None
    except ValueError as error:
        raise UsageError(f"--duration: {error}.") from None
    report = _ReportAndFlamegraphs()
    outcome = run_plan(
        made.model_copy(update={"load": None}), PROFILE, given, duration_s=seconds, report=report
    )
    for path in report.copied:
        tell(f"Flamegraph: {path}")
    leave(outcome)


class _ReportAndFlamegraphs(WholeReport):
    """The flamegraphs are copied as part of the report: a second Ctrl-C must not lose them."""

    def __init__(self) -> None:
        super().__init__()
        self.copied: list[Path] = []

    def build(self, folder: RunFolder, judged: Judged) -> list[str]:
        problems = super().build(folder, judged)
        try:
            self.copied.extend(_copy_flamegraphs(folder))
        except OSError as error:
            problems.append(f"{error.filename2 or error.filename} cannot be written: {error.strerror}")
        return problems


def _copy_flamegraphs(run: RunFolder) -> list[Path]:
    """`profile-<pid>.svg` here, for people who know the bare tool: the wall view of each server."""
    from toolkit.recording.manifest import load_manifest

    copied = []
    for server in load_manifest(run.manifest).servers:
        pid = server.facts.get("arbiter", {}).get("pid")
        views = [
            view
            for view in ("wall", "cpu", "gil")
            if (run.flamegraphs / f"{server.name}-{view}.svg").exists()
        ]
        if pid and views:
            target = Path(f"profile-{int(pid)}.svg")
            shutil.copyfile(run.flamegraphs / f"{server.name}-{views[0]}.svg", target)
            copied.append(target)
    return copied
