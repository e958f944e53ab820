"""Locust: how it is started with our recorder, alone or as a master with workers, and what it left behind when it ended."""

from __future__ import annotations

import json
import os
import signal
import socket
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.engines.base import Ending, Helper, Launch
from toolkit.engines.locust_file import addresses, check_argv, plain_gets, read_locustfile
from toolkit.engines.locust_options import LocustOptions
from toolkit.engines.locust_python import find_locust
from toolkit.engines.parts import join_parts, unaccounted
from toolkit.errors import UsageError
from toolkit.recording.jsonl import read_lines
from toolkit.recording.places import carried

if TYPE_CHECKING:
    from toolkit.engines.base import LoadJob
    from toolkit.engines.locust_file import LocustFile
    from toolkit.recording.layout import LoadFolder

GRACE_S = 30.0
# Of a file that brings its own shape: how long it runs is known only when it has run.
UNKNOWN_S = 24 * 3600.0
WORKERS_WAIT_S = 60
LOOPBACK = "127.0.0.1"
FIRST_EVENTS_BYTES = LAST_EVENTS_BYTES = 64 * 1024


class Locust:
    """The engine `locust`."""

    name = "locust"
    check_input = "followed by the file, which it imports"

    def check(self, job: LoadJob) -> list[str]:
        """Its syntax, its import, its User classes, what the plan says of it."""
        options = _options(job)
        file, problem = read_locustfile(job.file)
        if file is None:
            return [problem]
        names = [str(user["name"]) for user in file.users]
        mistakes = [
            f"{job.file}: there is no User class `{name}` in it; there are: {', '.join(names)}."
            for name in options.classes
            if name not in names
        ]
        chosen = [user for user in file.users if not options.classes or user["name"] in options.classes]
        mistakes += [
            f"{job.file}: the User class `{user['name']}` has no tasks; mark a method with @task."
            for user in chosen
            if not user["tasks"]
        ]
        if not job.target and not any(user["host"] for user in chosen):
            mistakes.append(
                f"{job.file}: no `target` is given by the plan, and no `host` by its User classes."
            )
        if job.overrides or job.environment:
            mistakes.append(
                f"{job.file}: overrides and environment are for Artillery's files, not for Locust's."
            )
        return mistakes

    def check_argv(self) -> list[str]:
        """See `Engine.check_argv`."""
        return check_argv()

    def remarks(self, job: LoadJob) -> list[str]:
        """What the file itself decides."""
        file, _ = read_locustfile(job.file)
        if file is None or file.shape is None or _options(job).stages:
            return []
        return [
            f"{job.file}: its {file.shape} decides how many users there are and for how long; users, spawn_rate and "
            "run_time of the plan are not used."
        ]

    def targets(self, job: LoadJob) -> list[str]:
        """The plan's target, else the hosts of the User classes; then every address in the file's code."""
        file = _readable(job)
        if file is None:
            return [job.target] if job.target else []
        hosts = [job.target] if job.target else [str(user["host"]) for user in file.users if user["host"]]
        return list(dict.fromkeys([*hosts, *addresses(file)]))

    def reads(self, job: LoadJob) -> list[str]:
        """What `self.client.get("/path")` asks for."""
        file = _readable(job)
        base = next(iter(self.targets(job)), "").rstrip("/")
        if file is None or not base:
            return []
        found = (path if "://" in path else base + path for path in plain_gets(file))
        return [url for url in dict.fromkeys(found) if url.startswith(("http://", "https://"))]

    def launch(self, job: LoadJob, folder: LoadFolder) -> Launch:
        """The commands for a job: one, or a master and its workers.

        Raises:
            UsageError: Locust is missing; the file cannot be read; the port of its page is taken.
        """
        python, _ = find_locust()
        file, problem = read_locustfile(job.file)
        if file is None:
            raise UsageError(problem, "Run `toolkit doctor` to see every mistake.")
        options = _options(job)
        shaped = file.shape is not None and not options.stages
        planned_s = 0.0 if shaped else options.planned_s
        start = (
            python,
            str(carried("loadtesting") / "lib" / "locust_start.py"),
            "-f",
            str(job.file.resolve()),
        )
        shared = (*start, *options.arguments, *_of_users(job, options))
        port = _free_port() if options.workers else 0
        return Launch(
            argv=(*shared, *_of_main(options, folder, shaped=shaped), *_as_master(options, port)),
            env=_environment(job, folder, options, 0),
            cwd=Path.cwd(),
            planned_s=planned_s,
            deadline_s=(UNKNOWN_S if shaped else planned_s + options.stop_timeout_s + GRACE_S)
            + (WORKERS_WAIT_S if options.workers else 0),
            sends_after=True,  # a file's test_stop and on_stop may send; that nobody does is said when it ends
            helpers=tuple(
                Helper(
                    f"worker {number} of {options.workers}",
                    (
                        *shared,
                        "--worker",
                        "--headless",
                        "--master-host",
                        LOOPBACK,
                        "--master-port",
                        str(port),
                        *options.classes,
                    ),
                    _environment(job, folder, options, number),
                    folder.helper_console(f"worker-{number}"),
                )
                for number in range(1, options.workers + 1)
            ),
        )

    def users_arrive(self, folder: LoadFolder) -> bool:
        """As the recorder's first lines say."""
        try:
            with folder.events.open("rb") as file:
                return b'"kind":"phase_started"' in file.read(FIRST_EVENTS_BYTES)
        except OSError:
            return False

    def users_left(self, folder: LoadFolder) -> bool:
        """As its last lines say."""
        try:
            with folder.events.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - LAST_EVENTS_BYTES))
                return b'"kind":"users_left"' in file.read()
        except OSError:
            return False

    def ending(self, exit_code: int, folder: LoadFolder, stopped_by_us: bool) -> Ending:
        """What an exit code means; whether every request that was begun is in the records."""
        if stopped_by_us:
            return Ending("interrupted", "it was stopped before its end")
        rows = list(read_lines(folder.events))
        problems = [_signalled(exit_code)] if _signalled(exit_code) else []
        problems += [str(row.get("message")) for row in rows if row.get("kind") == "worker_error"]
        missing = unaccounted(folder)
        if missing:
            problems.append(f"{missing:,} requests that were begun are not in the records")
        if problems:
            return Ending("invalid", "; ".join(dict.fromkeys(problems)))
        return _said(exit_code, folder, rows)

    def collect(self, folder: LoadFolder) -> None:
        """Join what the processes wrote into `folder.requests`; crash-safe and repeatable."""
        join_parts(folder)

    def versions(self) -> dict[str, str]:
        """Of Locust, for run.json."""
        return {"locust": find_locust()[1]}


def _options(job: LoadJob) -> LocustOptions:
    return job.locust or LocustOptions()


def _readable(job: LoadJob) -> LocustFile | None:
    """None where it cannot be read, which `check` says in its own words."""
    try:
        return read_locustfile(job.file)[0]
    except UsageError:
        return None


def _of_users(job: LoadJob, options: LocustOptions) -> list[str]:
    flags = [
        "--exit-code-on-error",
        "0",
    ]  # a failed request is in the records; whether it fails the run is the plan's to say
    flags += ["--host", job.target] if job.target else []
    for flag, values in (("--tags", options.tags), ("--exclude-tags", options.exclude_tags)):
        flags += [flag, *values] if values else []
    return flags


def _of_main(options: LocustOptions, folder: LoadFolder, *, shaped: bool) -> list[str]:
    flags = ["--stop-timeout", f"{options.stop_timeout_s:g}", "--only-summary"]
    flags += ["--json-file", str(folder.locust_json.resolve().with_suffix(""))]
    if not shaped and not options.stages:
        flags += ["--users", str(options.users), "--spawn-rate", f"{options.users_a_second:g}"]
        flags += ["--run-time", f"{max(1, round(options.run_time_s))}s"]
    if options.web_port is None:
        flags.append("--headless")
    else:
        flags += [
            "--autostart",
            "--autoquit",
            "0",
            "--web-host",
            LOOPBACK,
            "--web-port",
            str(options.web_port),
        ]
    return [*flags, *options.classes]


def _as_master(options: LocustOptions, port: int) -> list[str]:
    if not options.workers:
        return []
    return [
        *("--master", "--master-bind-host", LOOPBACK, "--master-bind-port", str(port)),
        *("--expect-workers", str(options.workers), "--expect-workers-max-wait", str(WORKERS_WAIT_S)),
    ]


def _environment(job: LoadJob, folder: LoadFolder, options: LocustOptions, worker: int) -> dict[str, str]:
    settings: dict[str, Any] = {
        "parts": str(folder.request_parts.resolve()),
        "events": str(folder.events.resolve()),
        "process": f"worker-{worker}" if worker else "main",
        "worker": worker,
        "workers": options.workers,
        "stages": [asdict(stage) for stage in options.stages],
        "run_time_s": options.planned_s,
    }
    given = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in job.variables.items()
    }
    return {**given, "TOOLKIT_RECORDER": json.dumps(settings), "PYTHONUNBUFFERED": "1"}


def _free_port() -> int:
    """Nobody else can hold it until Locust takes it, which is why Locust says so where it is gone."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _signalled(exit_code: int) -> str:
    number = -exit_code if exit_code < 0 else exit_code - 128
    if number <= 0:
        return ""
    if number == signal.SIGKILL:
        return "Locust was killed (SIGKILL: out of memory, or by hand); its last records are lost"
    return f"Locust was ended by signal {number}"


def _said(exit_code: int, folder: LoadFolder, rows: list[dict[str, Any]]) -> Ending:
    if exit_code == 0:
        return Ending("passed")
    done = next((row for row in rows if row.get("kind") == "done"), {})
    if done.get("asked") == exit_code:
        return Ending("check-failed", f"the locustfile set the exit code {exit_code} (process_exit_code)")
    return Ending("failed", f"Locust ended with exit code {exit_code}: {_last_words(folder)}")


def _last_words(folder: LoadFolder) -> str:
    try:
        text = folder.console.read_bytes()[-20_000:].decode("utf-8", "replace")
    except OSError:
        text = ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "/ERROR/" in line or "Error:" in line or "error:" in line]
    return (errors or lines or ["it said nothing"])[-1]
