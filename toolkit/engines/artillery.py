"""Artillery: how it is started with our recorder, and what it left behind when it ended."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.engines.artillery_script import load_script
from toolkit.engines.base import Ending, Launch
from toolkit.engines.ensure import ensured
from toolkit.engines.events import said_first, said_last
from toolkit.engines.node import artillery_folder, artillery_version, find_node
from toolkit.engines.parts import join_parts
from toolkit.engines.phases import planned_s
from toolkit.engines.scenario_check import find_mistakes, find_remarks
from toolkit.engines.scenario_validation import artillery_refusals, missing_plugins, validation_argv
from toolkit.engines.script_targets import reads_of, targets_of
from toolkit.errors import UsageError
from toolkit.recording.jsonl import read_lines
from toolkit.recording.places import carried

if TYPE_CHECKING:
    from toolkit.engines.artillery_script import Script
    from toolkit.engines.base import LoadJob
    from toolkit.recording.layout import LoadFolder

GRACE_S = 30.0
# Of a script that is code: neither its phases nor its flows are known before it runs.
UNKNOWN_S = 24 * 3600.0
LAST_EVENTS_BYTES = 64 * 1024
PLUGIN = "toolkit-recorder"
ENSURE_FAILED, WORKER_DIED, EXPECT_FAILED = 1, 11, 21
REFUSALS = ("Scenario validation error:", "Error:", "AssertionError", "Path does not exist:", "worker error")


class Artillery:
    """The engine `artillery`."""

    name = "artillery"
    check_input = "the file as JSON on standard input"

    def check(self, job: LoadJob) -> list[str]:
        """Every mistake in the scenario file, each with its place; empty where it is right.

        Artillery's own validation is asked too, where Node and Artillery are installed.
        """
        script, mistakes = load_script(job)
        if script is None:
            return mistakes
        mistakes += find_mistakes(script, job)
        if not mistakes:
            mistakes += artillery_refusals(script)
        return mistakes

    def check_argv(self) -> list[str]:
        """Artillery's own validation; see `Engine.check_argv`."""
        return validation_argv()

    def remarks(self, job: LoadJob) -> list[str]:
        """What runs but not as it reads, each with its place: worth a line in `doctor`, no reason to refuse the file."""
        script, _ = load_script(job)
        return [] if script is None else [*find_remarks(script), *missing_plugins(script)]

    def targets(self, job: LoadJob) -> list[str]:
        """The target, then every other address in the file's steps; of a script that is code only the job's own."""
        script, _ = load_script(job)
        if script is None:
            return [job.target] if job.target else []
        return targets_of(script, _variables(script, job))

    def reads(self, job: LoadJob) -> list[str]:
        """As the steps say; of a script that is code nothing is known."""
        script, _ = load_script(job)
        return [] if script is None else reads_of(script, _variables(script, job))

    def launch(self, job: LoadJob, folder: LoadFolder) -> Launch:
        """The command for a job; the recorder is passed by environment variables, the user's file stays as it is.

        Raises:
            UsageError: Node or Artillery is missing or too old; the file cannot be read.
        """
        node, artillery = find_node(), artillery_folder()
        script, mistakes = load_script(job)
        if mistakes:
            raise UsageError(mistakes[0], "Run `toolkit doctor` to see every mistake.")
        config = script.config if script is not None else {}
        planned = planned_s(config.get("phases")) if script is not None else 0.0
        return Launch(
            argv=(
                *(str(node.path), str(artillery / "bin" / "run"), "run"),
                *("--output", str(folder.engine_json.resolve())),
                *flags_of(job),
                str(job.file.resolve()),
            ),
            env=_environment(job, folder, str(artillery)),
            cwd=Path.cwd(),
            planned_s=planned,
            deadline_s=planned
            + GRACE_S
            + (script.longest_flow_s(job.ack_timeout_s) if script is not None else UNKNOWN_S),
            sends_after=script is None or "after" in script.data,
        )

    def users_arrive(self, folder: LoadFolder) -> bool:
        """As the recorder's first lines say."""
        return said_first(folder, "schedule", LAST_EVENTS_BYTES)

    def users_left(self, folder: LoadFolder) -> bool:
        """From the last lines of the recorder's events: little is said once nobody is left."""
        return said_last(folder, "users_left", LAST_EVENTS_BYTES)

    def ending(self, exit_code: int, folder: LoadFolder, stopped_by_us: bool) -> Ending:
        """What an exit code means, from the code and the files left behind."""
        if stopped_by_us:
            return Ending("interrupted", "it was stopped before its end")
        ending = signalled(exit_code)
        # When a worker has left, the recorder ends Artillery by a signal of its own.
        if ending is None or ending.outcome == "interrupted":
            ending = _workers_died(exit_code, folder) or ending or _said(exit_code, folder)
        return replace(ending, checks=ensured(console_of(folder), expect_failed=exit_code == EXPECT_FAILED))

    def collect(self, folder: LoadFolder) -> None:
        """Join what the generator's workers wrote into `folder.requests`; crash-safe and repeatable."""
        join_parts(folder)

    def versions(self) -> dict[str, str]:
        """Of Artillery and Node, for run.json."""
        return {"artillery": artillery_version(), "node": find_node().version}


def flags_of(job: LoadJob) -> list[str]:
    """What of a job every one of Artillery's commands takes."""
    flags: list[str] = []
    for flag, value in (("--target", job.target), ("--environment", job.environment)):
        flags += [flag, value] if value else []
    for flag, values in (("--overrides", job.overrides), ("--variables", job.variables)):
        flags += [flag, json.dumps(values)] if values else []
    return flags


def _environment(job: LoadJob, folder: LoadFolder, artillery: str) -> dict[str, str]:
    """The operator's own plugins and reporters, which come by the same variables, stay beside ours."""
    library = carried("loadtesting") / "lib"
    settings = {
        "artillery": artillery,
        "parts": str(folder.request_parts.resolve()),
        "events": str(folder.events.resolve()),
        "ackTimeoutS": job.ack_timeout_s,
    }
    plugins = _json_object(os.environ.get("ARTILLERY_PLUGINS"))
    # The scope: a user's file may set its own for all plugins (config.pluginsScope).
    plugins[PLUGIN] = {"scope": "artillery-plugin-"}
    return {
        "ARTILLERY_DISABLE_TELEMETRY": "true",
        "TOOLKIT_RECORDER": json.dumps(settings),
        "ARTILLERY_PLUGINS": json.dumps(plugins),
        "ARTILLERY_PLUGIN_PATH": ":".join(
            filter(None, [os.environ.get("ARTILLERY_PLUGIN_PATH"), str(library)])
        ),
        "CUSTOM_REPORTERS": ",".join(
            filter(None, [os.environ.get("CUSTOM_REPORTERS"), str(library / "reporter.cjs")])
        ),
    }


def _json_object(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _variables(script: Script, job: LoadJob) -> dict[str, Any]:
    own = script.config.get("variables")
    return {**own, **job.variables} if isinstance(own, dict) else dict(job.variables)


def signalled(exit_code: int) -> Ending | None:
    """Artillery ends with 130 and 143 after a signal; a shell says 128 + n, a parent -n."""
    number = -exit_code if exit_code < 0 else exit_code - 128
    if number <= 0:
        return None
    if number == signal.SIGKILL:
        return Ending(
            "invalid", "Artillery was killed (SIGKILL: out of memory, or by hand); its last records are lost"
        )
    if number in (signal.SIGINT, signal.SIGTERM):
        return Ending("interrupted", f"Artillery was ended by {signal.Signals(number).name}")
    return Ending("invalid", f"Artillery was ended by signal {number}")


def _workers_died(exit_code: int, folder: LoadFolder) -> Ending | None:
    problems = [
        str(row.get("message")) for row in read_lines(folder.events) if row.get("kind") == "worker_error"
    ]
    if exit_code != WORKER_DIED and not problems:
        return None
    return Ending("invalid", problems[0] if problems else f"a generator worker died: {_last_words(folder)}")


def _said(exit_code: int, folder: LoadFolder) -> Ending:
    if exit_code == 0:
        return Ending("passed")
    ended = any(row.get("kind") == "done" for row in read_lines(folder.events))
    if ended and exit_code == ENSURE_FAILED:
        failed = "; ".join(
            line.removeprefix("fail:").strip() for line in console_of(folder) if line.startswith("fail:")
        )
        return Ending(
            "check-failed",
            f"a threshold of the scenario file did not hold (ensure{': ' if failed else ''}{failed})",
        )
    if ended and exit_code == EXPECT_FAILED:
        return Ending("check-failed", "an expectation of the scenario file did not hold (expect)")
    return Ending("failed", f"Artillery ended with exit code {exit_code}: {_last_words(folder)}")


def console_of(folder: LoadFolder) -> list[str]:
    """The last lines that it printed."""
    try:
        text = folder.console.read_bytes()[-20_000:].decode("utf-8", "replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]


def _last_words(folder: LoadFolder) -> str:
    lines = console_of(folder)
    for line in reversed(lines):
        if any(mark in line for mark in REFUSALS):
            return line
    return lines[-1] if lines else "it said nothing"
