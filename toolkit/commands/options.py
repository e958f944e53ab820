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
    "budget": "profile.budget",
    "rate": "profile.rate",
    "chunk": "profile.chunk",
}
"""Option → the place in the plan that it changes."""


def option(*names: str, **settings: Any) -> Decorator:  # noqa: ANN401 - click's settings
    """A click option with its TOOLKIT_… variable, shown in the help."""
    long = next(name for name in names if name.startswith("--")).split("/")[0]
    variable = "TOOLKIT_" + long.removeprefix("--").replace("-", "_").upper()
    return click.option(*names, envvar=variable, show_envvar=True, **settings)


def _all(*options: Decorator) -> Decorator:
    return lambda function: reduce(lambda wrapped, add: add(wrapped), reversed(options), function)


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
        "--scenario", "scenarios", multiple=True, metavar="FILE", help="An Artillery file; may be repeated."
    ),
    option("--order", metavar="ORDER", help="parallel or sequential (default: parallel)."),
)


def plan_of(plan: Path | None, given: dict[str, Any], default_name: str) -> Plan:
    """The plan that a command line means: the file, if any, with the options laid over it.

    Raises:
        UsageError: all mistakes at once.
    """
    changes = _changes(given)
    origins = _origins(given)
    if plan is not None:
        made = load_plan(plan, changes, origins=origins)
    else:
        made = plan_from_options(changes, given.get("name") or default_name, origins)
    return made if made.commit else made.model_copy(update={"commit": _commit_of_ci()})


def _commit_of_ci() -> str:
    """What a CI job says that it is of; nobody asked it for the load, so that what is no commit is passed over."""
    found = (os.environ.get(name, "") for name in ("GITHUB_SHA", "CI_COMMIT_SHA"))
    return next((value for value in found if re.fullmatch(r"[0-9a-f]{7,64}", value)), "")


def _origins(given: dict[str, Any]) -> dict[str, str]:
    """Dotted path of each change → the option, or the environment variable, that said it."""
    places = {
        **_SIMPLE,
        "servers": "servers",
        "scenarios": "load.scenarios",
        "views": "profile.views",
        "gunicorn": "servers.0.gunicorn",
        "sudo": "servers.0.sudo",
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


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if given.get("servers"):
        changes["servers"] = [{"address": address} for address in given["servers"]]
    if given.get("scenarios"):
        changes["load.scenarios"] = [{"file": str(Path(name).resolve())} for name in given["scenarios"]]
    if given.get("views"):
        changes["profile.views"] = list(given["views"])
    changes.update(_setting(text) for text in given.get("settings") or ())
    # After --set, which may put whole servers in their place.
    for key, path in _SIMPLE.items():
        if given.get(key) is not None:
            changes[path] = str(given[key])
    if given.get("gunicorn"):
        key, _, value = given["gunicorn"].partition("=")
        changes["servers.0.gunicorn"] = {key: _yaml(value)}
    if given.get("sudo") is not None:
        changes["servers.0.sudo"] = given["sudo"]
    return changes


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
