"""`toolkit doctor`: one line for each thing that can go wrong, with the cure."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from toolkit.commands.options import load_options, plan_argument, plan_of, server_options, shared_options
from toolkit.commands.terminal import harmless, make_desk
from toolkit.run.checks import Finding
from toolkit.run.doctor import examine
from toolkit.run.interrupts import Interrupts

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.plan.model import Plan

_MARKS = {"ok": ("ok  ", "green"), "warn": ("look", "yellow"), "fail": ("FAIL", "red")}


@click.command("doctor")
@plan_argument
@server_options
@load_options
@shared_options
def command(plan: Path | None, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Check everything a run of PLAN needs, on this side and on the servers; change nothing.

    The agent is put into a directory of its own on each server to be asked, and removed again. No request is sent
    and nothing is recorded, so that it needs no --yes. Leaves with the exit code that a run would end with.
    """
    made = plan_of(plan, given, "doctor")
    desk = make_desk(quiet=True)
    findings: list[Finding] = []
    interrupts = Interrupts()
    with interrupts.listening(), interrupts.raising():
        for finding in chain([_of_plan(made, plan)], examine(made, desk)):
            findings.append(finding)
            if not given["as_json"]:
                _show(finding, quiet=given["quiet"])
    errors = [finding.error for finding in findings if finding.error]
    if given["as_json"]:
        click.echo(json.dumps([_row(finding) for finding in findings], indent=2, ensure_ascii=False))
    elif not errors:
        click.echo(
            "Ready."
            if made.servers or made.load
            else "This machine is ready; name a plan, or --server and --scenario, to check more.",
            err=True,
        )
    raise click.exceptions.Exit(errors[0].exit_code if errors else 0)


def _of_plan(made: Plan, file: Path | None) -> Finding:
    """Always well: a plan with mistakes ends the command before, with all of them."""
    servers = ", ".join(f"{server.name} ({server.address})" for server in made.servers) or "no server"
    scenarios = ", ".join(scenario.name for scenario in made.load.scenarios) if made.load else "none"
    return Finding("plan", f"{file or 'from options'}: {servers}; scenarios: {scenarios}")


def _state(finding: Finding) -> str:
    return "fail" if finding.error else "warn" if finding.warning else "ok"


def _row(finding: Finding) -> dict[str, Any]:
    error = finding.error
    return {
        "check": finding.name,
        "state": _state(finding),
        "detail": finding.detail,
        "cure": error.hint if error else "",
        "exit_code": error.exit_code if error else 0,
    }


def _show(finding: Finding, *, quiet: bool) -> None:
    state = _state(finding)
    if quiet and state == "ok":
        return
    mark, colour = _MARKS[state]
    click.echo(
        f"{click.style(mark, fg=colour)}  {harmless(finding.name)}: {harmless(finding.detail)}", err=True
    )
    if finding.error is not None and finding.error.hint:
        click.echo(f"      → {harmless(finding.error.hint)}", err=True)
