"""What the three commands that make a run have in common: consent, dry run, the run, its result."""

from __future__ import annotations

import importlib
import json
import os
import shlex
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.commands.consent import ask_consent
from toolkit.commands.dry_run import steps_of
from toolkit.commands.terminal import harmless, make_desk, tell
from toolkit.plan.secrets import mask_urls
from toolkit.recording.files import keep_private
from toolkit.reports.postmortem.own_template import read_template
from toolkit.reports.registry import RENDERERS
from toolkit.run.execute import Outcome, execute

if TYPE_CHECKING:
    from toolkit.plan.model import Plan
    from toolkit.recording.layout import RunFolder
    from toolkit.reports.rebuild import EarlyTables
    from toolkit.run.execute import Judged
    from toolkit.run.stages import RunKind


def run_plan(
    plan: Plan,
    kind: RunKind,
    given: dict[str, Any],
    *,
    duration_s: float | None = None,
    report: WholeReport | None = None,
) -> Outcome | None:
    """Run the plan and say how it went; None for a dry run. `report` builds what is derived, by default all of it."""
    keep_private()
    desk = make_desk(quiet=given["quiet"])
    made = report or WholeReport()
    made.postmortem_template = read_template(given["postmortem_template"])
    loading = Loading()
    try:
        if given["dry_run"]:
            _show_steps(steps_of(plan, kind), given)
            return None
        ask_consent(plan, desk, yes=given["yes"])
        command = mask_urls(shlex.join(["python", "-m", "toolkit", *sys.argv[1:]]))
        loading.start()
        outcome = execute(plan, kind, command, desk, made, duration_s=duration_s)
    finally:
        loading.end()
        made.close()
        desk.observer.close()
    _show(outcome, given)
    _show_to_github(outcome)
    return outcome


def leave(outcome: Outcome | None) -> None:
    """Leave with the run's exit code; its message stands last, where people look."""
    if outcome is None:
        return
    if outcome.error is not None:
        tell(f"toolkit: {harmless(str(outcome.error))}")
    raise click.exceptions.Exit(outcome.exit_code)


class Loading:
    """What reads a run is a third of this program: it is loaded while the servers are waited for."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._load, name="loading", daemon=True)

    def start(self) -> None:
        """In a thread of its own."""
        self._thread.start()

    def end(self) -> None:
        """Load no more, and wait: C++ that is loaded as the interpreter ends brings the process down with a signal."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _load(self) -> None:
        with suppress(Exception):  # what does not load says so when it is needed
            for name in ("duckdb", "toolkit.reports.rebuild", *(renderer.module for renderer in RENDERERS)):
                if self._over.is_set():
                    return
                importlib.import_module(name)


class WholeReport:
    """Everything derived of a run; its modules are imported when they are needed."""

    def __init__(self) -> None:
        self._early: EarlyTables | None = None
        self.postmortem_template: tuple[str, str] | None = None

    def begin(self, folder: RunFolder) -> None:
        """Read the load's records while the servers are waited for."""
        from toolkit.reports.rebuild import EarlyTables

        self._early = EarlyTables(folder)

    def build(self, folder: RunFolder, judged: Judged) -> list[str]:
        """Build all of it; see `rebuild`."""
        from toolkit.reports.rebuild import rebuild

        return rebuild(folder, judged, self._early, self.postmortem_template)

    def close(self) -> None:
        """End what was begun and is not wanted any more."""
        if self._early is not None:
            self._early.give_up()


def _show_steps(steps: list[str], given: dict[str, Any]) -> None:
    if given["as_json"]:
        click.echo(
            json.dumps({"dry_run": True, "exit_code": 0, "steps": steps}, indent=2, ensure_ascii=False)
        )
        return
    lines = [f"{number:3}. {step}" for number, step in enumerate(steps, 1)]
    click.echo("\n".join(["Dry run: nothing is done. A run would:", *lines]), err=True)


def _show_to_github(outcome: Outcome) -> None:
    """Append the page of Markdown to the file that a GitHub job names for it."""
    file, page = os.environ.get("GITHUB_STEP_SUMMARY"), outcome.folder.step_summary
    if not file or not page.exists():
        return
    try:
        with Path(file).open("ab") as summary:
            summary.write(page.read_bytes())
    except OSError as error:
        tell(f"The step summary {file} could not be written: {error.strerror or error}.")


def _show(outcome: Outcome, given: dict[str, Any]) -> None:
    folder = outcome.folder
    if given["as_json"]:
        result = {
            "run": str(folder.path.resolve()),
            "exit_code": outcome.exit_code,
            "error": outcome.error.message if outcome.error else None,
            "hint": outcome.error.hint if outcome.error else "",
            "summary": json.loads(folder.summary_json.read_text()) if folder.summary_json.exists() else None,
        }
        click.echo(json.dumps(result, indent=2, ensure_ascii=False))
        return
    if not given["quiet"] and folder.summary_text.exists():
        tell("\n" + folder.summary_text.read_text(encoding="utf-8"))
    if folder.page.exists():
        tell(f"Report: {folder.page}")
    else:
        tell(f"There is no report. What was recorded: {folder.path}; `toolkit report` on it builds one.")
