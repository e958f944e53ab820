"""What can go wrong on the operator's side, looked at before anything starts. `doctor` shows each line."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from toolkit.checks.grammar import parse
from toolkit.engines.k6.binary import find_k6
from toolkit.engines.locust_python import find_locust
from toolkit.engines.node import artillery_version, find_node
from toolkit.engines.registry import engine
from toolkit.errors import ToolkitError, UnreachableError, UsageError
from toolkit.plan.judging import wanted_shape
from toolkit.plan.secrets import mask_urls
from toolkit.recording.layout import LoadFolder
from toolkit.run.folder import MIN_FREE_BYTES
from toolkit.run.jobs import in_turn, job_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.plan.model import Plan

_TARGET_TIMEOUT_S = 5.0
_ENOUGH_FILES = 1024


@dataclass(frozen=True)
class Finding:
    """One line of the doctor. `error` is what a run would end with; None where all is well or only worth a word."""

    name: str
    detail: str
    error: ToolkitError | None = None
    warning: bool = False


def look(plan: Plan) -> Iterator[Finding]:
    """Every check of this side, in the order in which a person would mend things."""
    said = set()
    for check in LOCAL_CHECKS:
        try:
            yield from check(plan)
        except ToolkitError as error:
            if (
                error.message not in said
            ):  # without Node no scenario can be checked either: one cause, one line
                said.add(error.message)
                yield Finding(check.__name__.removeprefix("check_").replace("_", " "), error.message, error)


def check_node(plan: Plan) -> Iterator[Finding]:
    """Node, where an engine needs it."""
    if not (_uses(plan, "artillery") or _uses(plan, "artillery-cloud")):
        return
    node = find_node()
    yield Finding("node", f"{node.version} ({node.path})")


def check_artillery(plan: Plan) -> Iterator[Finding]:
    """Artillery at its pinned version."""
    if _uses(plan, "artillery") or _uses(plan, "artillery-cloud"):
        yield Finding("artillery", artillery_version())


def check_locust(plan: Plan) -> Iterator[Finding]:
    """Locust, where a scenario is a locustfile."""
    if plan.load and _uses(plan, "locust"):
        python, version = find_locust()
        yield Finding("locust", f"{version} ({python})")


def _uses(plan: Plan, name: str) -> bool:
    """Whether the plan loads with that engine; without a plan all are looked at."""
    if plan.load is None:
        return not plan.servers
    return any(scenario.engine == name for scenario in plan.load.scenarios)


def check_k6(plan: Plan) -> Iterator[Finding]:
    """k6, where a scenario is its."""
    if plan.load and _uses(plan, "k6"):
        path, version = find_k6()
        yield Finding("k6", f"{version} ({path})")


def check_scenarios(plan: Plan) -> Iterator[Finding]:
    """Each scenario file, by its engine's own parser: side by side, for each may be a process of its own."""
    scenarios = plan.load.scenarios if plan.load else []
    jobs = [(engine(scenario.engine), job_of(plan, scenario)) for scenario in scenarios]
    with ThreadPoolExecutor() as pool:
        checked = list(pool.map(lambda its: its[0].check(its[1]), jobs))
    for scenario, (made, job), mistakes in zip(scenarios, jobs, checked, strict=True):
        name = f"scenario {scenario.name}"
        if mistakes:
            text = " ".join(mistakes)
            yield Finding(name, text, UsageError(text if text.endswith((".", "?")) else f"{text}."))
            continue
        launch = made.launch(job, LoadFolder(plan.reports / "check" / scenario.name))
        planned = f"{launch.planned_s:.0f} s planned" if launch.planned_s else "until it is done"
        yield Finding(name, f"{scenario.file or 'the plan itself'}, {planned}")
        for remark in made.remarks(job):
            yield Finding(name, remark, warning=True)


def check_windows(plan: Plan) -> Iterator[Finding]:
    """Windows of the plan's checks that the load is too short for: such a check cannot hold."""
    windowed = [check for entry in plan.checks if (check := parse(entry.check)).window_s]
    if plan.load is None or not windowed:
        return
    planned = []
    for scenario in plan.load.scenarios:
        folder = LoadFolder(plan.reports / "check" / scenario.name)
        with suppress(ToolkitError):  # what is wrong with a file is said where files are looked at
            planned.append(engine(scenario.engine).launch(job_of(plan, scenario), folder).planned_s)
    lasts_s = sum(planned) if in_turn(plan) else max(planned, default=0.0)
    if len(planned) < len(plan.load.scenarios) or 0.0 in planned:  # of code nothing is known before it runs
        return
    for check in windowed:
        if (check.window_s or 0) > lasts_s:
            detail = f"{check.text} cannot hold: only {lasts_s:.0f} s of load are planned"
            yield Finding("check", detail, warning=True)


def check_steps(plan: Plan) -> Iterator[Finding]:
    """Steps of a stress that are shorter than the windows they are judged by."""
    shape = wanted_shape(plan) if plan.load else {}
    steps_s = [one["planned_s"] for one in shape.get("levels", ()) if one["role"] == "step"]
    for entry in shape.get("limits", ()):
        window_s = parse(entry["check"]).window_s or 0
        if steps_s and window_s > min(steps_s):
            detail = f"a step lasts {min(steps_s):g} s only, and {entry['check']} looks at longer windows: make duration: longer"
            yield Finding("stress", detail, warning=True)


def check_disk(plan: Plan) -> Iterator[Finding]:
    """Room for the run folder."""
    folder = plan.reports.resolve()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    detail = f"{free // 2**20} MiB free under {folder}"
    if not folder.is_dir():
        raise ToolkitError(f"{folder} is no folder.", "Name another with --reports.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ToolkitError(f"The folder {folder} is not writable.", "Name another with --reports.")
    if free < MIN_FREE_BYTES:
        raise ToolkitError(
            f"Only {detail}; a run wants {MIN_FREE_BYTES // 2**20}.",
            "Free some, or name another folder with --reports.",
        )
    yield Finding("disk", detail)


def check_open_files(_plan: Plan) -> Iterator[Finding]:
    """Each virtual user holds a socket."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = soft != resource.RLIM_INFINITY and soft < _ENOUGH_FILES
    more = f"; many virtual users need more: ulimit -n {_ENOUGH_FILES * 8}" if low else ""
    yield Finding("open files", f"at most {soft}{more}", warning=low)


def check_target(plan: Plan) -> Iterator[Finding]:
    """Something listens at every target. Connects and sends no request, so that the service's log stays clean."""
    everywhere = plan.load.scenarios if plan.load else []
    scenarios = [one for one in everywhere if not one.apart]
    if any(one.cloud for one in everywhere):
        yield Finding("target", "workers in a cloud must reach it; that is not looked at from here")
    elif len(scenarios) < len(everywhere):
        yield Finding("target", "pods must reach it: they are asked before they load it")
    # The first address of a file is its target; others may be meant not to answer.
    named = [engine(scenario.engine).targets(job_of(plan, scenario))[:1] for scenario in scenarios]
    for target in dict.fromkeys(target for targets in named for target in targets):
        if "{{" in target:
            yield Finding("target", f"{mask_urls(target)} is known only when the scenario runs", warning=True)
        elif urlsplit(target).hostname:
            yield _reached(target)


def _reached(target: str) -> Finding:
    parts = urlsplit(target)
    secure = parts.scheme in {"https", "wss"}
    port = parts.port or (443 if secure else 80)
    host = parts.hostname or ""
    try:
        with socket.create_connection((host, port), timeout=_TARGET_TIMEOUT_S) as connection:
            if secure:
                ssl.create_default_context().wrap_socket(connection, server_hostname=host).close()
    except ssl.SSLError as error:
        # The scenario may accept the certificate (config.tls); the operator should know, and decide.
        detail = f"{host}:{port} answers, but its certificate is refused: {error.reason}"
        return Finding("target", detail, warning=True)
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise UnreachableError(
            f"The target {host}:{port} cannot be reached: {reason}.",
            "Start the service, or name another with --target.",
        ) from None
    return Finding("target", f"{host}:{port} accepts connections")


LOCAL_CHECKS: tuple[Callable[[Plan], Iterator[Finding]], ...] = (
    check_node,
    check_artillery,
    check_locust,
    check_k6,
    check_scenarios,
    check_windows,
    check_steps,
    check_disk,
    check_open_files,
    check_target,
)
