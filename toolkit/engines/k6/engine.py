"""The engine `k6`: how it is started, and what it left behind when it ended."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from toolkit.engines.base import Ending, Launch
from toolkit.engines.events import TellsByEvents, printed
from toolkit.engines.k6.binary import find_k6
from toolkit.engines.k6.script import GIVEN, SCRIPT, given_of
from toolkit.engines.k6.settings import VARIABLE, DriveSettings, K6Options
from toolkit.errors import UsageError
from toolkit.recording.jsonl import read_lines

if TYPE_CHECKING:
    from toolkit.engines.base import LoadJob
    from toolkit.recording.layout import LoadFolder

_DRIVE = (sys.executable, "-m", "toolkit.engines.k6.drive")
_TAGS = "status,method,name,url,error,error_code,scenario,vu"
_TIMEOUT_S = 60.0
_GRACE_S, _UNKNOWN_S = 45.0, 24 * 3600.0
_THRESHOLDS_FAILED = 99
_URL = re.compile(r"https?://[^\s'\"`{}$)\\]+")
_PARTS_OF_TIME = re.compile(r"([\d.]+)(h|ms|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
KEPT = "arrival rate kept"


class K6(TellsByEvents):
    """The engine `k6`."""

    name = "k6"
    check_input = "of the script, which it reads"

    def check(self, job: LoadJob) -> list[str]:
        """A script by k6 itself; of the plan's requests what a plan cannot know."""
        if job.overrides or job.environment:
            return [f"{job.file}: overrides and environment are for Artillery's files."]
        if _options(job).requests:
            return (
                []
                if urlsplit(job.target).scheme in ("http", "https")
                else [f"{job.name}: k6's requests need a target: http://host:port or https://."]
            )
        _, problem = _inspected(str(job.file), _stamp(job.file))
        return [f"{job.file}: {problem}."] if problem else []

    def check_argv(self) -> list[str]:
        """See `Engine.check_argv`."""
        return [find_k6()[0], "inspect"]

    def remarks(self, job: LoadJob) -> list[str]:
        """What a script of the user's does not tell."""
        if _options(job).requests:
            return []
        return [
            f"{job.file}: requests of a k6 script have no X-Request-ID but its own: they are joined to the servers' lines by "
            "path, status and time."
        ]

    def targets(self, job: LoadJob) -> list[str]:
        """The plan's, and of a script the addresses that stand in it."""
        named = [] if _options(job).requests else _URL.findall(_text(job.file))
        return list(dict.fromkeys([*([job.target] if job.target else []), *named]))

    def reads(self, job: LoadJob) -> list[str]:
        """GETs of the plan's requests without a header of their own."""
        return [
            job.target.rstrip("/") + one.path
            for one in _options(job).requests
            if one.method == "GET" and not one.headers
        ]

    def launch(self, job: LoadJob, folder: LoadFolder) -> Launch:
        """The command for a job. The script that sends requests of the plan is written where the folder is there.

        Raises:
            UsageError: k6 is missing; the script cannot be read.
        """
        path, _ = find_k6()
        options = _options(job)
        script, planned_s = self._script(job, folder, options)
        settings = DriveSettings(
            argv=[path, "run", "--quiet", "--no-usage-report", "--no-color", "--system-tags", _TAGS, script],
            scenario=job.name,
            folder=str(folder.path.resolve()),
            stages=[{"name": one.name, "duration_s": one.duration_s} for one in options.stages],
            urls={one.name: job.target.rstrip("/") + one.path for one in options.requests},
            expect={one.name: list(one.expect) for one in options.requests if one.expect},
        )
        given = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in job.variables.items()
        }
        return Launch(
            argv=_DRIVE,
            env={
                "BASE_URL": job.target,
                "TOOLKIT_TARGET": job.target,
                "TOOLKIT_RUN": folder.path.resolve().parents[1].name,
                **given,
                **({GIVEN: given_of(options, job.target)} if options.requests else {}),
                "K6_CSV_TIME_FORMAT": "unix_micro",
                "K6_CSV_SAVE_INTERVAL": "200ms",
                VARIABLE: settings.text(),
            },
            cwd=Path.cwd(),
            planned_s=planned_s,
            deadline_s=planned_s + _GRACE_S if planned_s else _UNKNOWN_S,
        )

    def _script(self, job: LoadJob, folder: LoadFolder, options: K6Options) -> tuple[str, float]:
        """(its path, how long it lasts)."""
        if not options.requests:
            lasts_s, problem = _inspected(str(job.file), _stamp(job.file))
            if problem:
                raise UsageError(f"{job.file}: {problem}.", "Run `toolkit doctor` to see every mistake.")
            return str(job.file.resolve()), lasts_s
        script = folder.k6_script.resolve()
        if folder.path.is_dir():
            script.write_text(SCRIPT, encoding="utf-8")
        return str(script), options.planned_s

    def ending(self, exit_code: int, folder: LoadFolder, stopped_by_us: bool) -> Ending:
        """Thresholds and arrivals that were dropped are failed checks; a k6 that was killed makes the run invalid."""
        if stopped_by_us:
            return Ending("interrupted", "it was stopped before its end")
        done = next((row for row in read_lines(folder.events) if row.get("kind") == "done"), None)
        number = -exit_code if exit_code < 0 else exit_code - 128
        if done is None or number > 0:
            how = signal.Signals(number).name if 0 < number < signal.NSIG else f"exit code {exit_code}"
            return Ending("invalid", f"k6 was ended before its end ({how}); its last records are lost")
        if exit_code not in (0, _THRESHOLDS_FAILED):
            return Ending(
                "failed", f"k6 ended with exit code {exit_code}: {_problem(chr(10).join(printed(folder)))}"
            )
        checks = (*_thresholds(folder), _kept(done))
        failed = [
            f"{one['check']}{': ' + one['words'] if one['words'] else ''}"
            for one in checks
            if not one["held"]
        ]
        if failed:
            return Ending("check-failed", "; ".join(failed), checks)
        return Ending("passed", checks=checks)

    def versions(self) -> dict[str, str]:
        """Of k6, for run.json."""
        return {"k6": find_k6()[1]}


def _options(job: LoadJob) -> K6Options:
    return job.k6 or K6Options()


def _stamp(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@lru_cache(maxsize=16)
def _inspected(file: str, _stamp: float) -> tuple[float, str]:
    """(how long the script lasts at most, 0 where that is not known; what is wrong with it), by `k6 inspect`."""
    argv = [find_k6()[0], "inspect", "--execution-requirements", file]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 0.0, f"k6 cannot look at it: {error}"
    if done.returncode:
        return 0.0, _problem(done.stderr)
    try:
        said = json.loads(done.stdout)
    except ValueError:
        return 0.0, ""
    return _seconds(str(said.get("totalDuration") or "")), ""


def _problem(text: str) -> str:
    """The message of k6's log lines, else their last."""
    found = re.findall(r'(?:msg|error)="((?:[^"\\]|\\.)*)"', text)
    # Escapes as Go writes them (\x and \U too); what stands as it is must not be read as bytes.
    escaped = found[-1].encode("latin-1", "backslashreplace") if found else b""
    words = escaped.decode("unicode_escape", "replace")
    lines = [line.strip() for line in (words or text).strip().splitlines() if line.strip()]
    if not lines:
        return "k6 cannot read it"
    return re.sub(r"^GoError: |file://\S*?: ", "", lines[0]).rstrip(".")


def _seconds(text: str) -> float:
    return sum(float(value) * _SECONDS[unit] for value, unit in _PARTS_OF_TIME.findall(text))


def _kept(done: dict[str, Any]) -> dict[str, Any]:
    dropped, planned = int(done.get("dropped") or 0), int(done.get("iterations") or 0)
    words = ""
    if dropped:
        words = f"{dropped:,} of {dropped + planned:,} arrivals were dropped: all users were busy"
    return {"check": KEPT, "held": not dropped, "words": words}


def _thresholds(folder: LoadFolder) -> list[dict[str, Any]]:
    """Each by its metric and its text; `thresholds` of the summary say true where one was crossed."""
    try:
        said = json.loads(folder.k6_json.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [
        {"check": f"{metric}: {text}", "held": not crossed, "words": ""}
        for metric, told in said.get("metrics", {}).items()
        for text, crossed in (told.get("thresholds") or {}).items()
    ]
