"""`toolkit kubernetes`: the manifests of a load in a cluster, written and not applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.commands.options import load_options, option, plan_argument, plan_of, shared_options
from toolkit.engines.kubernetes.writing import to_apply
from toolkit.errors import ToolkitError, UsageError
from toolkit.recording.files import keep_private
from toolkit.recording.layout import LoadFolder
from toolkit.run.cluster import clusters_of
from toolkit.run.jobs import job_of

if TYPE_CHECKING:
    from toolkit.plan.model import Plan


@click.command("kubernetes")
@plan_argument
@option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    default=Path("kubernetes"),
    help="A folder that is not there yet, or is empty (default: kubernetes).",
)
@load_options
@shared_options
def command(plan: Path | None, out: Path, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Write the manifests of PLAN's loads in a cluster, for `kubectl apply -k`; no cluster is asked.

    Applied by hand they run the load and end; their figures are then Locust's own, in the master's log. A run of the plan
    (toolkit load) makes the same pods, drives them, and has every record.
    """
    made = plan_of(plan, given, "kubernetes")
    if not clusters_of(made):
        raise UsageError(
            "No scenario of the plan is made in a cluster.",
            "Write kubernetes: {namespace: NAME, workers: 2} under locust: of a scenario.",
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already.", "Name another folder with --out.")
    keep_private()
    written = [] if given["dry_run"] else _write(made, out)
    if given["as_json"]:
        click.echo(json.dumps({"folders": [str(one) for one in written], "exit_code": 0}, indent=2))
        return
    for folder in written:
        click.echo(f"{folder}: kubectl apply -k {folder}", err=True)
        if (folder / "operator").is_dir():
            click.echo(f"or, by Locust's operator: kubectl apply -k {folder / 'operator'}", err=True)


def _write(plan: Plan, out: Path) -> list[Path]:
    """The folders, one a scenario."""
    wanted = clusters_of(plan)
    folders = []
    for scenario, _ in wanted:
        folder = out if len(wanted) == 1 else out / scenario.name
        try:
            for name, content in to_apply(job_of(plan, scenario), plan.name, LoadFolder(folder)):
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
        except OSError as error:
            raise ToolkitError(f"{folder} cannot be written: {error.strerror or error}.") from None
        folders.append(folder)
    return folders
