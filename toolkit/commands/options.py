"""The options that commands share. Each has an environment variable TOOLKIT_<OPTION>; flag > environment > plan."""

from __future__ import annotations

import os
import re
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from toolkit.errors import UsageError
from toolkit.plan.loading import load_plan, plan_from_options
from toolkit.recording.layout import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.plan.model import Plan

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


_SIMPLE = {
    "name": "name",
    "reports": "reports",
    "target": "target",
    "commit": "commit",
    "order": "load.order",
    "kind": "kind",
    "budget": "profile.budget",
    "rate": "profile.rate",
    "chunk": "profile.chunk",
}
"""Option → the place in the plan that it changes."""
_LOCUST = ("users", "spawn_rate", "run_time", "workers", "web")


def option(*names: str, **settings: Any) -> Decorator:  # noqa: ANN401 - click's settings
    """A click option with its TOOLKIT_… variable, shown in the help."""
    long = next(name for name in names if name.startswith("--")).split("/")[0]
    variable = "TOOLKIT_" + long.removeprefix("--").replace("-", "_").upper()
    return click.option(*names, envvar=variable, show_envvar=True, **settings)


def _all(*options: Decorator) -> Decorator:
    return lambda function: reduce(lambda wrapped, add: add(wrapped), reversed(options), function)


class Line(click.types.StringParamType):
    """A text with spaces; several of them in a variable stand on lines of their own."""

    name = "text"
    envvar_list_splitter = "\n"

    def split_envvar_value(self, rv: str) -> list[str]:
        """Its lines, without empty ones: a variable may end with one."""
        return [line for line in rv.splitlines() if line.strip()]


plan_argument = click.argument("plan", required=False, type=click.Path(path_type=Path), envvar="TOOLKIT_PLAN")

shared_options = _all(
    option("--name", help="Name of the run."),
    option(
        "--commit",
        metavar="SHA",
        help="Of the service that is deployed (default: GITHUB_SHA, CI_COMMIT_SHA).",
    ),
    option("--reports", type=click.Path(path_type=Path), help="Where run folders go (default: reports)."),
    option(
        "--set",
        "settings",
        multiple=True,
        metavar="PATH=VALUE",
        help="Change any value of the plan; VALUE is YAML.",
    ),
    option("--yes", is_flag=True, help="Do not ask before a target or server that is not on this machine."),
    option("--dry-run", is_flag=True, help="Print every step, command and path; do nothing."),
    option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output."),
    option("--quiet", "-q", is_flag=True, help="Only errors and the last line."),
)
report_options = _all(
    option(
        "--postmortem-template",
        type=click.Path(path_type=Path),
        help="A Jinja template for postmortem.md in place of the toolkit's own (docs/postmortem.md).",
    )
)
server_options = _all(
    option(
        "--server",
        "servers",
        multiple=True,
        metavar="ADDRESS",
        help="ssh://user@host[:port], ssh://alias or local:; may be repeated.",
    ),
    option("--gunicorn", metavar="KEY=VALUE", help="Which one: name=, pid=, pidfile=, port= or unit=."),
    option("--sudo/--no-sudo", default=None, help="Run the agent as root."),
    option(
        "--view",
        "views",
        multiple=True,
        metavar="VIEW",
        help="wall, cpu or gil; may be repeated (default: wall and cpu).",
    ),
    option(
        "--budget", metavar="PERCENT", help="Of one core of the server for all views together (default: 5%)."
    ),
    option("--rate", metavar="HZ", help="Samples a second, instead of what the budget gives."),
    option("--chunk", metavar="DURATION", help="Resolution in time (default: 5s)."),
)
load_options = _all(
    option("--target", metavar="URL", help="The service; overrides the scenario files' own."),
    option(
        "--scenario",
        "scenarios",
        multiple=True,
        metavar="FILE",
        help="An Artillery file or a locustfile; may be repeated.",
    ),
    option("--users", metavar="N", help="Of a locustfile: users that are there at once."),
    option("--spawn-rate", metavar="N", help="Of a locustfile: users that come a second."),
    option("--run-time", metavar="DURATION", help="Of a locustfile: from the first user to the end."),
    option("--workers", metavar="N", help="Of a locustfile: processes that make the users."),
    option(
        "--web",
        metavar="[PORT]",
        is_flag=False,
        flag_value="true",
        help="Of a locustfile: Locust's own page while it runs, on 127.0.0.1 (default: port 8089).",
    ),
    option(
        "--check",
        "checks",
        multiple=True,
        type=Line(),
        metavar="CHECK",
        help="What must hold, as in 'http.p95 < 250ms'; may be repeated; instead of the plan's checks.",
    ),
    option(
        "--kind", metavar="KIND", help="load, stress, endurance (or soak), spike or smoke (default: load)."
    ),
    option("--order", metavar="ORDER", help="parallel or sequential (default: parallel)."),
    option(
        "--resume",
        type=click.Path(path_type=Path),
        metavar="RUN",
        help="Send only the records that a run did not send (engine sender); its own plan where none is named.",
    ),
)


def plan_of(plan: Path | None, given: dict[str, Any], default_name: str) -> Plan:
    """The plan that a command line means: the file, if any, with the options laid over it.

    Raises:
        UsageError: all mistakes at once.
    """
    changes = _changes(given)
    origins = _origins(given)
    if given.get("resume") is not None:
        resumed = given["resume"].resolve()
        if not RunFolder(resumed).manifest.is_file():
            raise UsageError(
                f"{given['resume']} is not a run folder: it has no run.json.", "Name one under reports/."
            )
        changes["load.resume"] = str(resumed)
        return only_resumed(load_plan(plan or RunFolder(resumed).plan, changes, origins=origins))
    if plan is not None:
        made = load_plan(plan, changes, origins=origins)
    else:
        made = plan_from_options(changes, given.get("name") or default_name, origins)
    return made if made.commit else made.model_copy(update={"commit": _commit_of_ci()})


def _commit_of_ci() -> str:
    """What a CI job says that it is of; nobody asked it for the load, so that what is no commit is passed over."""
    found = (os.environ.get(name, "") for name in ("GITHUB_SHA", "CI_COMMIT_SHA"))
    return next((value for value in found if re.fullmatch(r"[0-9a-f]{7,64}", value)), "")


def only_resumed(plan: Plan) -> Plan:
    """The plan with nothing to drive but what a resumed run sent of files of records.

    Raises:
        UsageError: there is no such scenario.
    """
    load = plan.load
    senders = [scenario for scenario in load.scenarios if scenario.send] if load else []
    if load is None or not senders:
        raise UsageError(
            "Nothing can be resumed: no scenario of the plan sends the records of a file.",
            "Only the engine sender keeps a ledger.",
        )
    return plan.model_copy(update={"load": load.model_copy(update={"scenarios": senders})})


def _origins(given: dict[str, Any]) -> dict[str, str]:
    """Dotted path of each change → the option, or the environment variable, that said it."""
    places = {
        **_SIMPLE,
        "servers": "servers",
        "scenarios": "load.scenarios",
        "checks": "checks",
        "views": "profile.views",
        "gunicorn": "servers.0.gunicorn",
        "sudo": "servers.0.sudo",
        **{name: f"load.scenarios.0.locust.{name}" for name in _LOCUST},
    }
    context = click.get_current_context()
    found = {
        text.partition("=")[0]: f"--set {text.partition('=')[0]}" for text in given.get("settings") or ()
    }
    for parameter in context.command.params:
        name = parameter.name or ""
        if name in places and given.get(name) not in (None, ()):
            by_environment = context.get_parameter_source(name) == ParameterSource.ENVIRONMENT
            found[places[name]] = str(parameter.envvar) if by_environment else parameter.opts[0]
    return found


_LISTS: dict[str, tuple[str, Callable[[tuple[str, ...]], list[Any]]]] = {
    "servers": ("servers", lambda names: [{"address": name} for name in names]),
    "scenarios": ("load.scenarios", lambda names: [{"file": str(Path(name).resolve())} for name in names]),
    "checks": ("checks", list),
    "views": ("profile.views", list),
}
"""Options that are given several times → their place in a plan, and what they are there."""


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for key, (path, made) in _LISTS.items():
        if given.get(key):
            changes[path] = made(given[key])
    changes.update(_setting(text) for text in given.get("settings") or ())
    # After --set, which may put whole servers in their place.
    for key, path in _SIMPLE.items():
        if given.get(key) is not None:
            changes[path] = str(given[key])
    for index in range(len(given.get("scenarios") or ()) or 1):
        changes.update(_of_locust(given, f"load.scenarios.{index}.locust."))
    if given.get("gunicorn"):
        key, _, value = given["gunicorn"].partition("=")
        changes["servers.0.gunicorn"] = {key: _yaml(value)}
    if given.get("sudo") is not None:
        changes["servers.0.sudo"] = given["sudo"]
    return changes


def _of_locust(given: dict[str, Any], place: str) -> dict[str, Any]:
    return {place + name: _yaml(given[name]) for name in _LOCUST if given.get(name) is not None}


def _setting(text: str) -> tuple[str, Any]:
    path, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set {text}: write PATH=VALUE, as in --set profile.budget=2%.")
    return path, _yaml(value)


def _yaml(text: str) -> Any:  # noqa: ANN401 - any YAML value
    try:
        return YAML(typ="safe").load(text)
    except YAMLError:
        return text
