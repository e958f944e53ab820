"""The command line and the environment of a Locust process."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.engines.base import LoadJob
    from toolkit.engines.locust_options import LocustOptions
    from toolkit.recording.layout import LoadFolder

LOOPBACK = "127.0.0.1"
WORKERS_WAIT_S = 60
"""How long a master waits for its workers."""


def of_users(job: LoadJob, options: LocustOptions, *, host: bool = True) -> list[str]:
    """Flags of every process that makes users, or knows of them; `host`: with the target."""
    # A failed request is in the records; whether it fails the run is the plan's to say.
    flags = ["--exit-code-on-error", "0"]
    flags += ["--host", job.target] if job.target and host else []
    for flag, values in (("--tags", options.tags), ("--exclude-tags", options.exclude_tags)):
        flags += [flag, *values] if values else []
    return flags


def of_choice(options: LocustOptions, *, shaped: bool) -> list[str]:
    """How many users there are for how long, where no shape says it."""
    flags = ["--stop-timeout", f"{options.stop_timeout_s:g}"]
    if not shaped and not options.stages:
        flags += ["--users", str(options.users), "--spawn-rate", f"{options.users_a_second:g}"]
        flags += ["--run-time", f"{max(1, round(options.run_time_s))}s"]
    return flags


def of_main(options: LocustOptions, folder: LoadFolder, *, shaped: bool) -> list[str]:
    """Flags of the process that decides how many users there are."""
    flags = [*of_choice(options, shaped=shaped), "--only-summary"]
    flags += ["--json-file", str(folder.locust_json.resolve().with_suffix(""))]
    if options.web_port is None:
        flags.append("--headless")
    else:
        flags += ["--autostart", "--autoquit", "0"]
        flags += ["--web-host", LOOPBACK, "--web-port", str(options.web_port)]
    return [*flags, *options.classes]


def as_master(options: LocustOptions, port: int) -> list[str]:
    """More flags for it, where others make the users."""
    return of_master(LOOPBACK, port, options.all_workers, WORKERS_WAIT_S) if options.all_workers else []


def of_master(host: str, port: int, workers: int, wait_s: int) -> list[str]:
    """Where it listens, and for how many it waits how long."""
    return [
        *("--master", "--master-bind-host", host, "--master-bind-port", str(port)),
        *("--expect-workers", str(workers), "--expect-workers-max-wait", str(wait_s)),
    ]


def settings_of(options: LocustOptions) -> dict[str, Any]:
    """What the recorder is told in every process of a load."""
    return {
        "workers": options.all_workers,
        "stages": [asdict(stage) for stage in options.stages],
        "run_time_s": options.planned_s,
    }


def environment(job: LoadJob, folder: LoadFolder, options: LocustOptions, worker: int) -> dict[str, str]:
    """Variables of one process: the file's own, and what the recorder must know. `worker` is 0 for the first process."""
    settings: dict[str, Any] = {
        "parts": str(folder.request_parts.resolve()),
        "events": str(folder.events.resolve()),
        "process": f"worker-{worker}" if worker else "main",
        "worker": worker,
        **settings_of(options),
    }
    given = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in job.variables.items()
    }
    return {**given, "TOOLKIT_RECORDER": json.dumps(settings), "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    """Nobody else can hold it until Locust takes it, which is why Locust says so where it is gone."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether nobody listens on that port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
