"""`toolkit requests`: the table of single requests of a run."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TextIO

import click

from toolkit.analysis.single_requests import single_requests
from toolkit.recording.files import keep_private
from toolkit.recording.layout import RunFolder
from toolkit.recording.manifest import load_manifest

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@click.command("requests")
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", "-o", type=click.Path(path_type=Path), help="Into a file (default: standard output).")
def command(run: Path, out: Path | None) -> None:
    """Write every request of RUN as CSV: when, what, how long, status, error, bytes, request id."""
    keep_private()
    folder = RunFolder(run.resolve())
    load_manifest(folder.manifest)
    if out is None:
        _write(folder, sys.stdout)
        return
    with out.open("w", encoding="utf-8", newline="") as file:
        _write(folder, file)
    click.echo(f"Requests: {out}", err=True)


def _write(folder: RunFolder, file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    for row in single_requests(folder):
        writer.writerow([_cell(value) for value in row])


def _cell(value: object) -> object:
    """Text that came over the network neither steers a terminal nor is a formula to a spreadsheet."""
    if not isinstance(value, str):
        return value
    plain = (
        value
        if value.isprintable()
        else "".join(one if one.isprintable() else repr(one)[1:-1] for one in value)
    )
    return f"'{plain}" if plain.startswith(_FORMULA) else plain
