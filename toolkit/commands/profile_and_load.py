"""`toolkit profile-and-load`: the whole line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from toolkit.commands.options import (
    load_options,
    plan_argument,
    plan_of,
    report_options,
    server_options,
    shared_options,
)
from toolkit.commands.running import leave, run_plan
from toolkit.errors import UsageError
from toolkit.run.stages import PROFILE_AND_LOAD

if TYPE_CHECKING:
    from pathlib import Path


@click.command("profile-and-load")
@plan_argument
@server_options
@load_options
@report_options
@shared_options
def command(plan: Path | None, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Load a service and profile its servers meanwhile; leave one bundle.

    PLAN is a YAML file (plans/demo.yml is one). Without it, name --server, --target and --scenario.
    """
    made = plan_of(plan, given, "profile-and-load")
    if not made.servers:
        raise UsageError("No server to profile.", "Name one under servers: in the plan, or with --server.")
    if made.load is None:
        raise UsageError(
            "No load to drive.", "Name a file under load.scenarios: in the plan, or with --scenario."
        )
    leave(run_plan(made, PROFILE_AND_LOAD, given))
