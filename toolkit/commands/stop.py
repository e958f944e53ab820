"""`toolkit stop`: end what a dead controller left on a server, fetch what it recorded, leave nothing there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.commands.options import option, plan_argument, plan_of
from toolkit.commands.terminal import harmless, make_desk, tell
from toolkit.errors import ToolkitError, UsageError
from toolkit.recording.files import keep_private
from toolkit.recording.layout import RunFolder
from toolkit.run.interrupts import Interrupts
from toolkit.run.leftovers import Found, clear

if TYPE_CHECKING:
    from toolkit.plan.model import Plan


@click.command("stop")
@plan_argument
@option(
    "--server",
    "servers",
    multiple=True,
    metavar="ADDRESS",
    help="ssh://user@host[:port], ssh://alias or local:; may be repeated.",
)
@option("--sudo/--no-sudo", default=None, help="Also look for what ran as root.")
@option("--run", "run_id", metavar="ID", help="This run alone, even if its controller is alive.")
@option("--reports", type=click.Path(path_type=Path), help="Where run folders go (default: reports).")
@option(
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change any value of the plan; VALUE is YAML.",
)
@option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output.")
@option("--quiet", "-q", is_flag=True, help="Only errors and the last lines.")
def command(plan: Path | None, run_id: str | None, **given: Any) -> None:  # noqa: ANN401 - click's values
    """End what runs of a dead controller have left on the servers of PLAN, or on --server.

    What they recorded and nobody fetched comes into the run folder under reports/, whose report is built again, and is
    removed from the server. A run whose controller is alive is left alone, unless --run names it.
    """
    keep_private()
    made = plan_of(plan, given, "stop")
    if not made.servers:
        raise UsageError("No server to look at.", "Name one under servers: in the plan, or with --server.")
    found: dict[str, Found] = {}
    problems: list[ToolkitError] = []
    desk = make_desk(quiet=given["quiet"])
    interrupts = Interrupts()
    with interrupts.listening(), interrupts.raising():
        for server in made.servers:
            try:
                found[server.name] = clear(made, server, desk, run_id, desk.observer.note)
            except ToolkitError as error:
                if interrupts.count:
                    raise
                problems.append(error)
    desk.observer.close()
    reports = _rebuild(found, problems)
    if given["as_json"]:
        click.echo(json.dumps(_as_json(found, problems), indent=2, ensure_ascii=False))
    else:
        _tell(made, found, reports)
    if problems:
        raise problems[0]


def _rebuild(found: dict[str, Found], problems: list[ToolkitError]) -> list[Path]:
    from toolkit.reports.rebuild import rebuild

    built = []
    for path in dict.fromkeys(path for one in found.values() for path in one.fetched):
        failed = rebuild(RunFolder(path.resolve()))
        if failed:
            problems.append(ToolkitError(f"Not everything of {path} could be built: {'; '.join(failed)}."))
        built.append(RunFolder(path).page)
    return built


def _tell(plan: Plan, found: dict[str, Found], reports: list[Path]) -> None:
    for server in plan.servers:
        one = found.get(server.name)
        if one is None:
            continue
        for sentence in (*one.ended, *one.alive):
            tell(harmless(sentence))
        for path, chunks in one.fetched.items():
            tell(harmless(f"{server.name}: {chunks} chunks came into {path}; nothing of it is left there."))
            if not RunFolder(path).events.exists():  # made for them
                where = (
                    f"The run's own folder is not under {plan.reports}: what it has of the load is elsewhere"
                )
                tell(
                    harmless(
                        f"{server.name}: {where}; toolkit stop --reports FOLDER would have put them there."
                    )
                )
        if one.nothing:
            tell(f"{server.name}: nothing was left there.")
    for page in reports:
        tell(f"Report: {page}")


def _as_json(found: dict[str, Found], problems: list[ToolkitError]) -> dict[str, Any]:
    return {
        "servers": {
            name: {
                "ended": one.ended,
                "alive": one.alive,
                "fetched": {str(path): chunks for path, chunks in one.fetched.items()},
            }
            for name, one in found.items()
        },
        "problems": [str(problem) for problem in problems],
        "exit_code": problems[0].exit_code if problems else 0,
    }
