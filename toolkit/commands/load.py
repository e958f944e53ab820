"""`toolkit load`: load only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from toolkit.commands.options import load_options, plan_argument, plan_of, report_options, shared_options
from toolkit.commands.running import leave, run_plan
from toolkit.errors import UsageError
from toolkit.run.stages import LOAD

if TYPE_CHECKING:
    from pathlib import Path


@click.command("load")
@plan_argument
@load_options
@report_options
@shared_options
def command(plan: Path | None, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Drive the scenarios of a plan; no server is touched.

    Without PLAN, name --scenario (and --target, where the file's own is not meant).
    """
    made = plan_of(plan, given, "load")
    if made.load is None:
        raise UsageError(
            "No load to drive.", "Name a file under load.scenarios: in the plan, or with --scenario."
        )
    leave(run_plan(made.model_copy(update={"servers": []}), LOAD, given))
