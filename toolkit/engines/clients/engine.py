"""The engine `clients`: how it is started, and what it left behind when it ended."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.engines.base import Ending, Launch, SaysNothingBefore
from toolkit.engines.clients.settings import VARIABLE, Clients
from toolkit.engines.events import TellsByEvents, last_words
from toolkit.engines.parts import unaccounted
from toolkit.errors import UsageError
from toolkit.recording.jsonl import read_lines
from toolkit.recording.places import carried

if TYPE_CHECKING:
    from toolkit.engines.base import LoadJob
    from toolkit.recording.layout import LoadFolder

_READY_S, _GRACE_S = 60.0, 30.0
IN_TIME, SUCCEED = "every repetition ends in time", "every repetition succeeds"


class ClientsEngine(SaysNothingBefore, TellsByEvents):
    """The engine `clients`: where a function sends something nobody can know before."""

    name = "clients"
    check_input = "the file, which is imported"

    def check(self, job: LoadJob) -> list[str]:
        """The file is imported, the function looked for, or pytest collects: what a client does before it begins."""
        if job.overrides or job.environment:
            return [f"{job.file}: overrides and environment are for Artillery's files."]
        try:
            clients = _clients(job)
            python = _python(clients)
        except UsageError as error:
            return [str(error)]
        with tempfile.TemporaryDirectory(prefix="toolkit-check-") as scratch:
            told = clients.environment(job.file, job.target, job.name, scratch, os.devnull)
            one = {**json.loads(told), "clients": 1, "repetitions": 1}
            try:
                done = subprocess.run(
                    [*_program(python), "--check"],
                    env={**os.environ, **_variables(job), VARIABLE: json.dumps(one)},
                    capture_output=True,
                    text=True,
                    timeout=_READY_S + _GRACE_S,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                return [f"{job.file} cannot be looked at by {python}: {error}."]
        if done.returncode == 0:
            return []
        words = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        return [f"{job.file}: {words}."]

    def check_argv(self) -> list[str]:
        """See `Engine.check_argv`."""
        return [*_program(sys.executable), "--check"]

    def launch(self, job: LoadJob, folder: LoadFolder) -> Launch:
        """The command for a job.

        Raises:
            UsageError: the plan says neither call nor test; its Python is missing.
        """
        clients = _clients(job)
        parts, events = str(folder.request_parts.resolve()), str(folder.events.resolve())
        return Launch(
            argv=_program(_python(clients)),
            env={
                **_variables(job),
                VARIABLE: clients.environment(job.file, job.target, job.name, parts, events),
                "PYTHONUNBUFFERED": "1",
            },
            cwd=Path.cwd(),
            planned_s=0.0,
            deadline_s=_READY_S + clients.limit_s + _GRACE_S,
        )

    def ending(self, exit_code: int, folder: LoadFolder, stopped_by_us: bool) -> Ending:
        """Invalid where a client was lost; failed checks where the time was over or a repetition failed."""
        if stopped_by_us:
            return Ending("interrupted", "it was stopped before its end")
        rows = list(read_lines(folder.events))
        problems = [str(row.get("message")) for row in rows if row.get("kind") == "worker_error"]
        if exit_code < 0:
            problems.append(f"the clients' first process was ended by {signal.Signals(-exit_code).name}")
        if missing := unaccounted(folder):
            problems.append(f"{missing:,} repetitions that were begun are not in the records")
        if problems:
            return Ending("invalid", "; ".join(dict.fromkeys(problems)))
        done = next((row for row in rows if row.get("kind") == "done"), None)
        if exit_code or done is None:
            return Ending("failed", last_words(folder))
        return _judged(done, folder)

    def versions(self) -> dict[str, str]:
        """Of the Python that runs the toolkit; a plan may name another for its clients."""
        return {"python": platform.python_version()}


def _clients(job: LoadJob) -> Clients:
    if job.clients is None:
        raise UsageError(
            f"{job.name}: the engine clients needs call: (a function) or test: (of pytest), and kind: capacity.",
            "Name one of them in the plan.",
        )
    return job.clients


def _python(clients: Clients) -> str:
    found = shutil.which(clients.python or sys.executable)
    if found is None:
        raise UsageError(
            f"python: {clients.python} is no program that can be run.", "Name a Python 3.9 or newer."
        )
    return found


def _program(python: str) -> tuple[str, ...]:
    return (python, str(carried("loadtesting") / "lib" / "capacity_clients"))


def _variables(job: LoadJob) -> dict[str, str]:
    given = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in job.variables.items()
    }
    return {"TOOLKIT_TARGET": job.target, **given}


def _judged(done: dict[str, Any], folder: LoadFolder) -> Ending:
    records = [row for part in sorted(folder.request_parts.glob("*.jsonl")) for row in read_lines(part)]
    ended = [row for row in records if row.get("status") is not None]
    failed = [row for row in ended if row.get("error")]
    wanted = done.get("wanted", 0)
    words = []
    if len(ended) < wanted:
        words.append(
            f"{len(ended):,} of {wanted:,} repetitions were completed within {done.get('limit_s', 0):g} s"
        )
    if failed:
        words.append(f"{len(failed):,} of {len(ended):,} failed, the first with {failed[0]['error']}")
    late, broken = len(ended) < wanted, bool(failed)
    checks = (
        {"check": IN_TIME, "held": not late, "words": words[0] if late else ""},
        {"check": SUCCEED, "held": not broken, "words": words[-1] if broken else ""},
    )
    if not words:
        return Ending("passed", checks=checks)
    return Ending("check-failed", "; ".join(words), checks, out_of_time=late)
