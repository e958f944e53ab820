"""Plan file → `Plan`, or every mistake in it at once, each with its place."""

from __future__ import annotations

import io
import os
import re
import shlex
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from toolkit.errors import UsageError
from toolkit.plan.consistency import resolve_functions
from toolkit.plan.mistakes import in_words, of_one_kind, origin_of, sentence
from toolkit.plan.model import Plan
from toolkit.plan.places import line_of
from toolkit.plan.rules import broken_rules
from toolkit.plan.secrets import MASK, masked
from toolkit.recording.places import carried

if TYPE_CHECKING:
    from collections.abc import Mapping

    from toolkit.plan.places import Location

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def load_plan(
    path: Path,
    changes: Mapping[str, Any],
    environ: Mapping[str, str] = os.environ,
    origins: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """Read a plan, replace `${NAME}` and `${NAME:-default}`, lay changes over it, check all.

    Args:
        path: the plan.
        changes: dotted path → value.
        environ: what `${NAME}` stands for.
        origins: dotted path of a change → where it was said (`--budget`, `TOOLKIT_BUDGET`).

    Raises:
        UsageError: no such file, no YAML, or mistakes: all of them, a line each, with file and line, or option.
    """
    document = _read(path)
    if _is_scenario_file(document):
        raise UsageError(f"{path} is an Artillery file and no plan.", _as_scenario(path))
    problems: list[tuple[Location, str]] = []
    data = _filled(document, (), environ, problems)
    if isinstance(data, dict):
        data.setdefault("name", re.sub(r"[^A-Za-z0-9._-]", "-", path.stem))
        _apply(data, changes)
        _resolve_paths(data, path.parent)
    return _checked(data, str(path), document, problems, origins)


def plan_from_options(
    changes: Mapping[str, Any], name: str, origins: Mapping[str, str] = MappingProxyType({})
) -> Plan:
    """A plan made of options alone.

    Args:
        changes: dotted path → value.
        name: of the run.
        origins: as for `load_plan`.

    Raises:
        UsageError: every mistake, named by its option.
    """
    data: dict[str, Any] = {"name": name}
    _apply(data, changes)
    return _checked(data, "options", None, [], origins)


def plan_text(plan: Plan) -> str:
    """The effective plan as YAML, secrets masked; `load_plan` takes it back."""
    data = plan.model_dump(mode="json", exclude_none=True)
    if not plan.target:  # nothing said is not the same as nothing there: an empty target is refused
        del data["target"]
    stream = io.StringIO()
    writer = YAML()
    writer.default_flow_style = False
    writer.dump(masked(data), stream)
    return stream.getvalue()


def _read(path: Path) -> Any:  # noqa: ANN401 - any YAML document
    try:
        return YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        example = carried("plans") / "demo.yml"
        shown = os.path.relpath(example) if example.is_relative_to(Path.cwd()) else example
        raise UsageError(f"There is no plan {path}.", f"{shown} is one to start from.") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"The plan {path} cannot be read: {reason}.") from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = str(getattr(error, "problem", None) or error)
        hint = ""
        if path.suffix in {".js", ".cjs", ".mjs", ".ts"}:
            hint = _as_scenario(path)
        elif "mapping values" in problem:
            hint = 'A value that ends in a colon, or a check with { }, stands in quotes: "local:".'
        raise UsageError(f"{place}: this is no YAML: {problem}.", hint) from None


def _is_scenario_file(document: Any) -> bool:  # noqa: ANN401 - any YAML document
    """Whether it has Artillery's sections and none of ours."""
    return (
        isinstance(document, dict)
        and (isinstance(document.get("config"), dict) or isinstance(document.get("scenarios"), list))
        and not Plan.model_fields.keys() & (document.keys() - {"name"})
    )


def _as_scenario(path: Path) -> str:
    return f"A file of the engine is driven with --scenario {shlex.quote(str(path))}."


def _filled(
    node: Any,  # noqa: ANN401 - any YAML value
    location: Location,
    environ: Mapping[str, str],
    problems: list[tuple[Location, str]],
) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(node, dict):
        return {str(key): _filled(item, (*location, key), environ, problems) for key, item in node.items()}
    if isinstance(node, list):
        return [_filled(item, (*location, index), environ, problems) for index, item in enumerate(node)]
    if not isinstance(node, str):
        return node

    if node == MASK or f"://{MASK}@" in node or f":{MASK}@" in node:
        problems.append(
            (location, "was masked when the plan was written; put the value in, or where it comes from")
        )

    def value(match: re.Match[str]) -> str:
        found = environ.get(match[1]) or match[2]
        if found is None:
            problems.append((location, f"the environment variable {match[1]} is not set"))
            return match[0]
        return found

    return _VARIABLE.sub(value, str(node))


def _apply(data: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for dotted, value in changes.items():
        node: Any = data
        *parents, last = dotted.split(".")
        for step in parents:
            node = _step(node, step, dotted)
        _set(node, last, value, dotted)


def _step(node: Any, step: str, dotted: str) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(node, list) and step.isdigit() and int(step) < len(node):
        return node[int(step)]
    if isinstance(node, dict):
        if not isinstance(node.get(step), (dict, list)):
            node[step] = {}
        return node[step]
    raise UsageError(f"--set {dotted}: the plan has nothing at {step!r}.")


def _set(node: Any, last: str, value: Any, dotted: str) -> None:  # noqa: ANN401 - any YAML value
    if isinstance(node, dict):
        node[last] = value
    elif isinstance(node, list) and last.isdigit() and int(last) < len(node):
        node[int(last)] = value
    else:
        raise UsageError(f"--set {dotted}: the plan has nothing at {last!r}.")


def _resolve_paths(data: dict[str, Any], base: Path) -> None:
    """Files that a plan names stand relative to the plan, so that it works from any folder."""
    load = data.get("load")
    named = load.get("scenarios") if isinstance(load, dict) else None
    scenarios: list[Any] = named if isinstance(named, list) else []
    for index, scenario in enumerate(scenarios):
        if isinstance(scenario, str):
            scenarios[index] = {"file": str(_beside(base, scenario))}
        elif isinstance(scenario, dict) and isinstance(scenario.get("file"), str):
            scenario["file"] = str(_beside(base, scenario["file"]))
        if isinstance(scenario, dict):
            resolve_functions(scenario.get("consistency"), base)
            _resolve_lending(scenario.get("locust"), base)
    for server in data["servers"] if isinstance(data.get("servers"), list) else []:
        if not isinstance(server, dict):
            continue
        _resolve_ssh(server.get("ssh"), base)
        gunicorn = server.get("gunicorn")
        # A pidfile lies on the server; only for this machine does "relative to the plan" mean anything.
        if isinstance(gunicorn, dict) and str(gunicorn.get("pidfile", "")).startswith(("./", "../")):
            gunicorn["pidfile"] = str(_beside(base, gunicorn["pidfile"]))


def _resolve_ssh(ssh: Any, base: Path) -> None:  # noqa: ANN401 - any YAML value
    if isinstance(ssh, dict):
        found = {
            key: ssh[key] for key in ("config", "known_hosts", "identity") if isinstance(ssh.get(key), str)
        }
        ssh.update({key: str(_beside(base, name)) for key, name in found.items()})


def _resolve_lending(locust: Any, base: Path) -> None:  # noqa: ANN401 - any YAML value
    if not isinstance(locust, dict):
        return
    if isinstance(locust.get("files"), list):
        locust["files"] = [
            str(_beside(base, one)) if isinstance(one, str) else one for one in locust["files"]
        ]
    for machine in locust["workers"] if isinstance(locust.get("workers"), list) else []:
        if isinstance(machine, dict):
            _resolve_ssh(machine.get("ssh"), base)


def _missing_files(data: dict[str, Any]) -> list[tuple[Location, str]]:
    load = data.get("load")
    scenarios = load.get("scenarios") if isinstance(load, dict) else None
    return [
        (("load", "scenarios", index, "file"), f"there is no file {scenario['file']}")
        for index, scenario in enumerate(scenarios if isinstance(scenarios, list) else [])
        if isinstance(scenario, dict)
        and isinstance(scenario.get("file"), str)
        and not Path(scenario["file"]).is_file()
    ]


def _beside(base: Path, name: str) -> Path:
    return Path(os.path.abspath(base / Path(name).expanduser()))  # noqa: PTH100 - resolve() would follow links


def _checked(
    data: Any,  # noqa: ANN401 - any YAML document
    source: str,
    document: Any,  # noqa: ANN401 - any YAML document
    problems: list[tuple[Location, str]],
    origins: Mapping[str, str],
) -> Plan:
    plan: Plan | None = None
    try:
        plan = Plan.model_validate(data)
    except ValidationError as error:
        problems += [in_words(detail) for detail in of_one_kind(error.errors())]
    problems += broken_rules(data)
    if plan is not None and not problems:
        return plan
    # With a plan that is right otherwise this is doctor's to say; here it stands so that all mistakes come at once.
    problems += _missing_files(data) if isinstance(data, dict) else []
    problems.sort(key=lambda problem: line_of(document, problem[0]) or 0)
    said = [(origin_of(location, origins), location, text) for location, text in problems]
    lines = [
        f"{origin}: {text}" if origin else sentence(source, document, location, text)
        for origin, location, text in said
    ]
    count = "1 mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
    of_options = [bool(origin) for origin, _, _ in said]
    where = "options" if all(of_options) else f"{source} and options" if any(of_options) else source
    raise UsageError(f"{count} in {where}:\n" + "\n".join(f"  {line}" for line in lines))
