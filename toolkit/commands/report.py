"""`toolkit report`: build everything derived again, from a run folder alone."""

from __future__ import annotations

from pathlib import Path

import click

from toolkit.commands.options import report_options
from toolkit.errors import ToolkitError
from toolkit.recording.files import keep_private
from toolkit.recording.layout import RunFolder
from toolkit.recording.manifest import load_manifest
from toolkit.reports.postmortem.own_template import read_template
from toolkit.reports.rebuild import rebuild


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@report_options
def command(run: Path, postmortem_template: Path | None) -> None:
    """Rebuild the tables, summaries, flamegraphs, page, postmortem and exports of RUN (a folder under reports/)."""
    keep_private()
    folder = RunFolder(run.resolve())
    load_manifest(folder.manifest)
    problems = rebuild(folder, postmortem_template=read_template(postmortem_template))
    click.echo(f"Report: {run / folder.page.name}", err=True)
    if problems:
        raise ToolkitError(f"Not everything could be built: {'; '.join(problems)}.")
