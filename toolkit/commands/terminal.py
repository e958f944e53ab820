"""What a person sees while a run goes on: a live display on a terminal, plain lines in a pipe, nothing with --quiet."""

from __future__ import annotations

import sys
import time
import unicodedata
from contextlib import suppress
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from toolkit.run.desk import Desk, Observer, Progress

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN_EVERY_S = 5.0


def harmless(text: str) -> str:
    """`text` without control characters and direction overrides: what a server says must not steer a terminal."""
    return "".join(
        char
        if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs"}
        else f"\\u{ord(char):04x}"
        for char in text
    )


def make_desk(*, quiet: bool) -> Desk:
    """The desk of this process: standard error to tell, the terminal to ask."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    observer: Observer
    if quiet:
        observer = QuietObserver()
    elif console.is_terminal and not console.is_dumb_terminal:
        observer = LiveObserver(console)
    else:
        observer = PlainObserver(lambda line: click.echo(line, err=True))
    lasting = LastingObserver(observer)
    return Desk(lasting, _ask_secret(lasting) if sys.stdin.isatty() else None)


def _ask_secret(observer: Observer) -> Callable[[str], str]:
    def ask(question: str) -> str:
        observer.close()  # the live display would write over the question
        answer: str = click.prompt(harmless(question).rstrip(": "), hide_input=True, err=True)
        return answer

    return ask


class LastingObserver:
    """Another observer until nobody can hear it any more (`2>&1 | head`, a terminal that was closed); then nothing.

    A run must not end, and must leave no server as it is, because its words could not be written.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer: Observer = observer

    def stage(self, name: str) -> None:
        """As the other one."""
        self._say(lambda observer: observer.stage(name))

    def note(self, text: str) -> None:
        """As the other one."""
        self._say(lambda observer: observer.note(text))

    def progress(self, progress: Progress) -> None:
        """As the other one."""
        self._say(lambda observer: observer.progress(progress))

    def close(self) -> None:
        """As the other one."""
        self._say(lambda observer: observer.close())

    def _say(self, what: Callable[[Observer], None]) -> None:
        try:
            what(self._observer)
        except (OSError, SystemExit):  # rich leaves the program when a pipe breaks
            self._observer = QuietObserver()


def tell(text: str) -> None:
    """A line for the person, where somebody can still read it."""
    with suppress(OSError):
        click.echo(text, err=True)


class QuietObserver:
    """Says nothing."""

    def stage(self, name: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def progress(self, progress: Progress) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class PlainObserver:
    """A line a stage, a note, and the figures every few seconds."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._began = time.monotonic()
        self._last = self._began

    def stage(self, name: str) -> None:
        """`[  1.2 s] connect`."""
        self._line(name)

    def note(self, text: str) -> None:
        """Indented under its stage."""
        self._line(f"  {harmless(text)}")

    def progress(self, progress: Progress) -> None:
        """At most every five seconds."""
        now = time.monotonic()
        if now - self._last >= _PLAIN_EVERY_S:
            self._last = now
            self._line("  " + ", ".join(_figures(progress)))

    def close(self) -> None:
        """Nothing is open."""

    def _line(self, text: str) -> None:
        self._write(f"[{time.monotonic() - self._began:5.1f} s] {text}")


class LiveObserver:
    """Stages that are done as lines, the present one with its figures below, redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._stage = ""
        self._stage_began = time.monotonic()
        self._progress: Progress | None = None

    def stage(self, name: str) -> None:
        """Tick the last one off, show the next."""
        self._tick()
        self._stage, self._stage_began, self._progress = name, time.monotonic(), None
        if self._live is None:
            self._live = Live(
                console=self._console, refresh_per_second=4, transient=True, get_renderable=self._draw
            )
            self._live.start()

    def note(self, text: str) -> None:
        """A line above the display."""
        self._console.print(Text(f"    {harmless(text)}", style="dim"))

    def progress(self, progress: Progress) -> None:
        """Shown at the next redraw."""
        self._progress = progress

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._tick()
        self._stage = ""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _tick(self) -> None:
        if self._stage:
            took = time.monotonic() - self._stage_began
            self._console.print(Text.assemble(("✔ ", "green"), self._stage, (f"  {took:.1f} s", "dim")))

    def _draw(self) -> Table:
        grid = Table.grid(padding=(0, 1))
        took = time.monotonic() - self._stage_began
        grid.add_row(
            Text("●", style="cyan"), Text(self._stage, style="bold"), Text(f"{took:.0f} s", style="dim")
        )
        if self._progress is not None:
            grid.add_row("", Text(" · ".join(_figures(self._progress))), "")
        return grid


def _figures(progress: Progress) -> list[str]:
    figures = [f"{progress.elapsed_s:.0f} s elapsed"]
    if progress.remaining_s is not None:
        # What was planned is over: the last users are under way, for as long as the service lets them wait.
        figures.append(f"{progress.remaining_s:.0f} s left" if progress.remaining_s > 0 else "last users")
    if progress.requests is not None:
        figures.append(f"{progress.requests} requests")
    if progress.requests_per_s is not None:
        figures.append(f"{progress.requests_per_s:.1f}/s")
    if progress.p95_ms is not None:
        figures.append(f"p95 {progress.p95_ms:.0f} ms")
    if progress.failed is not None:
        figures.append(f"{progress.failed} failed")
    if progress.samples is not None:
        figures.append(f"{progress.samples} samples")
    return figures
