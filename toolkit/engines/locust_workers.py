"""The workers of a master: processes here, and processes on other hosts, which are lent what they need."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from toolkit.engines.base import Helper, Lent
from toolkit.engines.locust_command import LOOPBACK, environment, of_users
from toolkit.engines.locust_lending import GIVEN, OWN, lent_files

if TYPE_CHECKING:
    from toolkit.engines.base import LoadJob
    from toolkit.engines.locust_options import AwayWorkers, LocustOptions
    from toolkit.recording.layout import LoadFolder

_PORT = "LOCUST_MASTER_NODE_PORT"
"""What Locust itself reads where no --master-port is given."""
_AS_WORKER = ("--worker", "--headless", "--master-host", LOOPBACK)


def workers_of(
    job: LoadJob, folder: LoadFolder, options: LocustOptions, shared: tuple[str, ...], port: int
) -> tuple[Helper, ...]:
    """Those here first; `shared` is how the command of master and workers here begins, `port` the master's."""
    here = [
        Helper(
            f"worker {number} of {options.all_workers}",
            (*shared, *_AS_WORKER, "--master-port", str(port), *options.classes),
            environment(job, folder, options, number),
            folder.helper_console(f"worker-{number}"),
        )
        for number in range(1, options.workers + 1)
    ]
    hosts = [host for host in options.away for _ in range(host.processes)]
    away = [
        _away(job, folder, options, host, number, port)
        for number, host in enumerate(hosts, options.workers + 1)
    ]
    return (*here, *away)


def _away(
    job: LoadJob, folder: LoadFolder, options: LocustOptions, host: AwayWorkers, number: int, port: int
) -> Helper:
    """Paths are relative to the folder of the locustfile there, which is where it runs."""
    name = f"worker-{number}"
    start = (host.python, f"../{OWN}/locust_start.py", "-f", job.file.name)
    given = environment(job, folder, options, number)
    settings = json.loads(given["TOOLKIT_RECORDER"])
    given["TOOLKIT_RECORDER"] = json.dumps({**settings, "parts": "../parts", "events": "../events.jsonl"})
    return Helper(
        f"worker {number} of {options.all_workers} on {host.address}",
        (*start, *options.arguments, *of_users(job, options), *_AS_WORKER, *options.classes),
        given,
        folder.helper_console(name),
        Lent(host.address, lent_files(job.file, options.files), GIVEN, name, port, _PORT),
    )
