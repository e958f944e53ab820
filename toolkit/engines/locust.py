"""Locust: how it is started with our recorder, alone or as a master with workers, and what it left behind when it ended."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.engines.base import Ending, Launch
from toolkit.engines.events import TellsByEvents, printed
from toolkit.engines.kubernetes.launching import launch_in_pods
from toolkit.engines.kubernetes.pod_files import not_for_pods
from toolkit.engines.locust_command import (
    LOOPBACK,
    WORKERS_WAIT_S,
    as_master,
    environment,
    free_port,
    is_free,
    of_main,
    of_users,
)
from toolkit.engines.locust_file import addresses, addresses_in, check_argv, plain_gets, read_locustfile
from toolkit.engines.locust_lending import not_lendable
from toolkit.engines.locust_options import LocustOptions
from toolkit.engines.locust_python import find_locust
from toolkit.engines.locust_workers import workers_of
from toolkit.engines.parts import unaccounted
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


class Locust(TellsByEvents):
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
        if options.web_port and not is_free(options.web_port):
            mistakes.append(
                f"{job.file}: Locust's page cannot have port {options.web_port}: something else listens there."
            )
        mistakes += not_lendable(job.file, options.files) or not_for_pods(job, options)
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
        """The plan's target, else the hosts of the User classes; then every address in the file's code, in JSON files beside it
        that it names, and in its variables.
        """
        file = _readable(job)
        if file is None:
            return [job.target] if job.target else []
        hosts = [job.target] if job.target else [str(user["host"]) for user in file.users if user["host"]]
        return list(dict.fromkeys([*hosts, *addresses(file), *addresses_in(job.variables)]))

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
            UsageError: Locust is missing; the file cannot be read.
        """
        python, version = find_locust()
        file, problem = read_locustfile(job.file)
        if file is None:
            raise UsageError(problem, "Run `toolkit doctor` to see every mistake.")
        options = _options(job)
        shaped = file.shape is not None and not options.stages
        planned_s = 0.0 if shaped else options.planned_s
        deadline_s = (UNKNOWN_S if shaped else planned_s + options.stop_timeout_s + GRACE_S) + (
            WORKERS_WAIT_S if options.all_workers else 0
        )
        if options.kubernetes is not None:
            return launch_in_pods(
                *(job, folder, options, options.kubernetes),
                version=version,
                shaped=shaped,
                planned_s=planned_s,
                deadline_s=deadline_s,
            )
        start = (python, str(carried("loadtesting") / "lib" / "locust_start.py"))
        shared = (*start, "-f", str(job.file.resolve()), *options.arguments, *of_users(job, options))
        port = free_port() if options.all_workers else 0
        return Launch(
            argv=(*shared, *of_main(options, folder, shaped=shaped), *as_master(options, port)),
            env=environment(job, folder, options, 0),
            cwd=Path.cwd(),
            planned_s=planned_s,
            deadline_s=deadline_s,
            sends_after=True,  # a file's test_stop and on_stop may send; that nobody does is said when it ends
            page=f"http://{LOOPBACK}:{options.web_port}" if options.web_port else "",
            helpers=workers_of(job, folder, options, shared, port),
        )

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


def _signalled(exit_code: int) -> str:
    number = -exit_code if exit_code < 0 else exit_code - 128
    if number <= 0:
        return ""
    if number == signal.SIGKILL:
        return "Locust was killed (SIGKILL: out of memory, or by hand)"
    return f"Locust was ended by signal {number}"


def _said(exit_code: int, folder: LoadFolder, rows: list[dict[str, Any]]) -> Ending:
    if exit_code == 0:
        return Ending("passed")
    done = next((row for row in rows if row.get("kind") == "done"), {})
    if done.get("asked") == exit_code:
        words = f"the locustfile set the exit code {exit_code}"
        own = {"check": "process_exit_code", "held": False, "words": words}
        return Ending("check-failed", f"{words} (process_exit_code)", (own,))
    return Ending("failed", f"Locust ended with exit code {exit_code}: {_last_words(folder)}")


def _last_words(folder: LoadFolder) -> str:
    lines = printed(folder)
    errors = [line for line in lines if "/ERROR/" in line or "Error:" in line or "error:" in line]
    return (errors or lines or ["it said nothing"])[-1]
