"""`toolkit bundle`: one zip of a run, to attach to a postmortem."""

from __future__ import annotations

from pathlib import Path

import click

from toolkit.recording.layout import RunFolder
from toolkit.recording.manifest import load_manifest
from toolkit.reports.bundle import make_bundle


@click.command("bundle")
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--out", "-o", type=click.Path(path_type=Path), help="The zip (default: RUN.zip beside the folder)."
)
def command(run: Path, out: Path | None) -> None:
    """Make one zip of RUN."""
    folder = RunFolder(run.resolve())
    load_manifest(folder.manifest)
    click.echo(f"Bundle: {make_bundle(folder, out, say=lambda text: click.echo(text, err=True))}", err=True)
