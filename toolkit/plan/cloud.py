"""The plan's words for Artillery on AWS Fargate and Azure: the options of Artillery's own commands, passed through."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

from toolkit.engines.cloud_options import PLACES, CloudOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from toolkit.plan.places import Location

_FLAG = re.compile(r"[a-z][a-z0-9-]*")
_OURS = {
    "output": "the toolkit reads it",
    "target": "write target: of the plan",
    "environment": "write environment: of the scenario",
    "overrides": "write overrides: of the scenario",
    "variables": "write variables: of the scenario",
}
"""Options that the plan has a word for, or that are the toolkit's own."""


def _flags(value: dict[str, Any]) -> dict[str, Any]:
    for name in value:
        if not _FLAG.fullmatch(name):
            raise ValueError(
                f"{name!r} is no option of Artillery's; write it as there, without its dashes: max-duration"
            )
        if name in _OURS:
            raise ValueError(f"--{name} cannot be passed through: {_OURS[name]}")
    count = value.get("count", 1)
    if isinstance(count, bool) or not str(count).isdigit() or int(count) < 1:
        raise ValueError(f"count: {count!r} is no number of workers")
    return value


Flags = Annotated[dict[str, str | int | float | bool | list[str]], AfterValidator(_flags)]


def cloud_options(place: str, flags: Mapping[str, Any]) -> CloudOptions:
    """As the engine takes them; `false` is an option that is not given, a list one that is given several times."""
    found: list[tuple[str, str | None]] = []
    for name, value in flags.items():
        if isinstance(value, bool):
            found += [(name, None)] if value else []
        else:
            found += [(name, str(one)) for one in (value if isinstance(value, list) else [value])]
    return CloudOptions(place, tuple(found))


def broken_cloud_rules(data: dict[str, Any], scenarios: list[Any]) -> Iterator[tuple[Location, str]]:
    """What cannot stand together, since workers in a cloud give sums and no single requests."""
    for index, scenario in enumerate(scenarios):
        named = [place for place in PLACES if isinstance(scenario, dict) and scenario.get(place) is not None]
        if not named:
            continue
        at = ("load", "scenarios", index, named[0])
        if len(named) > 1:
            yield at, "name one cloud, not two"
        if scenario.get("engine") not in (None, "artillery-cloud"):
            yield at, "only Artillery's files run there"
        if len(scenarios) > 1:
            yield at, "it stands alone in its plan: of it there are sums, of the others single requests"
        if data.get("kind", "load") != "load":
            yield at, f"kind: {data['kind']} is judged by single requests, and of a load there are only sums"
