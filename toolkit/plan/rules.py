"""Rules that no field keeps alone. Looked at in what was written, so that a mistake in a field hides none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.plan.asked import broken_check_rules
from toolkit.plan.cloud import broken_cloud_rules
from toolkit.plan.consistency import broken_consistency_rules
from toolkit.plan.level_rules import broken_level_rules
from toolkit.plan.model import Gunicorn
from toolkit.plan.names import scenario_name, server_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.plan.places import Location

    Mistake = tuple[Location, str]


def broken_rules(data: Any) -> Iterator[Mistake]:  # noqa: ANN401 - any YAML document
    """Every rule that a plan breaks, with the place; whatever its fields hold, of whatever type."""
    servers = _list_at(data, "servers")
    yield from _names_once(("servers",), servers, server_name)
    yield from _names_once(("load", "scenarios"), _list_at(data, "load", "scenarios"), scenario_name)
    yield from _views_once(_list_at(data, "profile", "views"))
    for index, server in enumerate(servers):
        yield from _one_choice(("servers", index, "gunicorn"), _at(server, "gunicorn"))
        yield from _whole_paths(("servers", index, "logs"), _at(server, "logs"))
    for index, scenario in enumerate(_list_at(data, "load", "scenarios")):
        yield from _sends_records(("load", "scenarios", index), scenario)
        yield from _locust_alone(("load", "scenarios", index), scenario)
        yield from _file_or_consistency(("load", "scenarios", index), scenario)
    yield from broken_check_rules(_list_at(data, "checks"))
    if isinstance(data, dict):
        yield from broken_level_rules(data)
        yield from broken_cloud_rules(data, _list_at(data, "load", "scenarios"))
    canary = _at(data, "load", "canary")
    if _at(canary, "path") and _at(canary, "url"):
        yield ("load", "canary"), "name a path of the target or a url, not both"


def _names_once(place: Location, entries: list[Any], name_of: Callable[[Any], str]) -> Iterator[Mistake]:
    """A mistake for each name, at the second that bears it."""
    names = [name_of(entry) for entry in entries]
    for name in dict.fromkeys(name for name in names if name and names.count(name) > 1):
        second = names.index(name, names.index(name) + 1)
        yield (*place, second), f"two {place[-1]} are called {name}; give each a name: of its own"


def _views_once(views: list[Any]) -> Iterator[Mistake]:
    for index, view in enumerate(views):
        if isinstance(view, str) and view in views[:index]:
            yield ("profile", "views", index), f"the view {view} stands twice in views"
            return


def _one_choice(place: Location, gunicorn: Any) -> Iterator[Mistake]:  # noqa: ANN401 - any YAML value
    if isinstance(gunicorn, dict):
        chosen = [key for key in Gunicorn.model_fields if gunicorn.get(key) is not None]
        if len(chosen) > 1:
            yield place, f"name one of {', '.join(chosen)}, not several"


def _sends_records(place: Location, scenario: Any) -> Iterator[Mistake]:  # noqa: ANN401 - any YAML value
    engine, send = _at(scenario, "engine"), _at(scenario, "send")
    if send is not None and engine != "sender":
        yield (
            (*place, "send"),
            "only the engine sender sends each record of a file once; write engine: sender",
        )
    if send is None and engine == "sender":
        yield place, "the engine sender needs send: with at least request: POST /path"


def _file_or_consistency(place: Location, scenario: Any) -> Iterator[Mistake]:  # noqa: ANN401 - any YAML value
    """What the engine barrier does stands in the plan; every other engine has a file."""
    if not isinstance(scenario, dict):
        return
    given = scenario.get("consistency")
    chosen = scenario.get("engine") or ("barrier" if given is not None else "")
    if chosen != "barrier":
        requests = _list_at(scenario, "k6", "requests")
        if scenario.get("file") is None and not requests:
            yield (*place, "file"), "is missing"
        if scenario.get("file") is not None and requests:
            yield (*place, "file"), "k6 sends the requests of the plan, or plays a file: name one"
        if scenario.get("k6") is not None and chosen not in ("", "k6"):
            yield (*place, "k6"), "only the engine k6 takes this"
        if given is not None:
            yield (*place, "consistency"), "only the engine barrier takes this; write engine: barrier"
        return
    if given is None:
        yield place, "the engine barrier needs consistency: with act: and verify:"
    if scenario.get("file") is not None:
        yield (*place, "file"), "the engine barrier reads no file: what it does stands in consistency:"
    yield from broken_consistency_rules((*place, "consistency"), given)


def _whole_paths(place: Location, logs: Any) -> Iterator[Mistake]:  # noqa: ANN401 - any YAML value
    short = isinstance(logs, list)
    files = logs if short else _list_at(logs, "files")
    for index, path in enumerate(files):
        if isinstance(path, str) and not path.startswith("/"):
            within = (index,) if short else ("files", index)
            yield (*place, *within), f"{path!r} is relative; write the whole path on the server"


def _locust_alone(place: Location, scenario: Any) -> Iterator[Mistake]:  # noqa: ANN401 - any YAML value
    """What only one of the engines understands."""
    if not isinstance(scenario, dict):
        return
    python = str(scenario.get("file") or "").endswith(".py")
    chosen = scenario.get("engine") or ("locust" if python else "artillery")
    if scenario.get("locust") is not None and chosen != "locust":
        yield (*place, "locust"), "only a locustfile (engine: locust) takes this"
    given = scenario.get("locust")
    if isinstance(given, dict) and given.get("stages"):
        for key in ("users", "spawn_rate", "run_time"):
            if given.get(key) is not None:
                yield (*place, "locust", key), "the stages say this; name one or the other"
    yield from _not_beside_pods((*place, "locust"), given)
    machines = _list_at(given, "workers")
    named = [one.get("address") if isinstance(one, dict) else one for one in machines]
    for index, address in enumerate(named):
        if isinstance(address, str) and address in named[:index]:
            yield (
                (*place, "locust", "workers", index),
                f"{address} stands twice in workers; say processes: 2",
            )


def _not_beside_pods(place: Location, given: Any) -> Iterator[Mistake]:  # noqa: ANN401 - any YAML value
    if _at(given, "kubernetes") is not None:
        for key, why in (("workers", "it has workers of its own"), ("web", "no page of a pod is shown here")):
            if given.get(key):
                yield (*place, key), f"cannot stand beside kubernetes: {why}"


def _at(node: Any, *path: str) -> Any:  # noqa: ANN401 - any YAML value
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _list_at(node: Any, *path: str) -> list[Any]:  # noqa: ANN401 - any YAML value
    found = _at(node, *path)
    return found if isinstance(found, list) else []
