"""`toolkit flamegraph`: any window of a run as a flamegraph, the difference of two, or an export for another tool."""

from __future__ import annotations

import gzip
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.analysis.latency_bins import load_seconds, read_bins, requests_between, worst_window
from toolkit.analysis.load_summary import phase_list
from toolkit.analysis.tables import open_tables
from toolkit.analysis.windows import Selection, recorded_seconds, slices_in
from toolkit.analysis.windows_difference import NORMALS, Side, compare
from toolkit.analysis.windows_flames import title_of, window_notes
from toolkit.analysis.windows_frames import SCOPES, Naming
from toolkit.analysis.windows_reading import open_source
from toolkit.analysis.windows_slices import bounds_ms
from toolkit.commands.flamegraph_choice import check_window, choose_server, choose_worker, recorded_span
from toolkit.commands.options import option
from toolkit.commands.run_times import NamedWindow, RunTimes, offset
from toolkit.commands.terminal import harmless
from toolkit.errors import ToolkitError, UsageError
from toolkit.plan.quantities import parse_duration
from toolkit.recording.files import write_atomically
from toolkit.recording.layout import RunFolder
from toolkit.recording.manifest import load_manifest
from toolkit.reports.flamegraph_difference import PALETTES, difference_folded, difference_svg
from toolkit.reports.window_files import FORMATS, WindowFile

if TYPE_CHECKING:
    import duckdb

    from toolkit.analysis.windows_tables import TableSource
    from toolkit.recording.manifest import Manifest

_ALSO = {"off-cpu": "off", "off-CPU": "off", "offcpu": "off"}
"""What the page and other tools call a view."""
_SUFFIXES = (
    (".speedscope.json", "speedscope"),
    (".firefox.json.gz", "firefox"),
    (".firefox.json", "firefox"),
    (".json.gz", "firefox"),
    (".json", "speedscope"),
    (".pb.gz", "pprof"),
    (".pprof", "pprof"),
    (".folded", "folded"),
    (".txt", "folded"),
    (".svg", "svg"),
)


@click.command("flamegraph")
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@option(
    "--from",
    "start",
    metavar="TIME",
    help="Start of the window: 00:02:10, 90s, 1m30s, or a UTC time, 14:32:10Z.",
)
@option("--to", "end", metavar="TIME", help="End of the window.")
@option("--phase", metavar="NAME", help="The window of a phase.")
@option("--worst", metavar="DURATION", help="The window of this length with the highest p95 (as 30s).")
@option(
    "--view", default="cpu", show_default=True, metavar="VIEW", help="wall, cpu, off (wall − cpu) or gil."
)
@option("--server", metavar="NAME", help="Which server, where the run has several.")
@option(
    "--worker", type=int, metavar="N", help="One process: its PID, or 1 for the worker with the lowest PID."
)
@option("--scope", type=click.Choice(SCOPES), default="all", show_default=True, help="Which frames.")
@option("--lines", is_flag=True, help="Tell the lines of a function apart.")
@option("--diff", metavar="A:B", help="B compared with A; each the name of a phase or FROM-TO.")
@option(
    "--normal",
    type=click.Choice(NORMALS),
    default="second",
    show_default=True,
    help="What a difference is per.",
)
@option(
    "--palette",
    type=click.Choice(list(PALETTES)),
    default="red-blue",
    show_default=True,
    help="Of a difference.",
)
@option(
    "--format", "form", type=click.Choice(list(FORMATS)), help="Default: by the name of the file, else svg."
)
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file (default: standard output).",
)
def command(run: Path, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Draw a window of RUN (a folder under reports/) as a flamegraph, or export it.

    Times are offsets from the first second of the load, whole chunks are taken. For example:

    \b
      toolkit flamegraph reports/latest --from 00:02:10 --to 00:02:40 --worker 3 -o slow.svg
      toolkit flamegraph reports/latest --diff warmup:peak --normal request -o peak.svg
      toolkit flamegraph reports/latest --worst 30s --view wall -o worst.pb.gz
    """
    folder = RunFolder(run.resolve())
    manifest = load_manifest(folder.manifest)
    form = _format(given)
    given["view"] = _ALSO.get(given["view"], given["view"])
    with open_tables(folder) as connection:
        source = open_source(connection, folder, manifest)
        asked = _Asked.of(connection, source, manifest, given)
        content = asked.difference(form) if given["diff"] else asked.window(form)
    _write(content, given["out"])


def _format(given: dict[str, Any]) -> str:
    name = str(given["out"] or "")
    form = given["form"] or next((form for suffix, form in _SUFFIXES if name.lower().endswith(suffix)), None)
    if form is None and name:
        raise UsageError(
            f"What {name} is to be does not follow from its name.", f"Add --format ({', '.join(FORMATS)})."
        )
    form = str(form or "svg")
    if given["diff"] and form not in ("svg", "folded"):
        raise UsageError(
            f"A difference cannot be written as {form}.",
            "Write an .svg, or .folded with the times of both windows.",
        )
    if form == "firefox" and given["scope"] != "all":
        raise UsageError("The Firefox Profiler filters by itself: leave out --scope.")
    return form


@dataclass
class _Asked:
    """One call of the command."""

    connection: duckdb.DuckDBPyConnection
    source: TableSource
    manifest: Manifest
    times: RunTimes
    server: str
    worker: int | None
    given: dict[str, Any]

    @classmethod
    def of(
        cls,
        connection: duckdb.DuckDBPyConnection,
        source: TableSource,
        manifest: Manifest,
        given: dict[str, Any],
    ) -> _Asked:
        server = choose_server(source, manifest, given["server"])
        first_s, last_s = recorded_span(source, server, given["view"])
        times = RunTimes(source.zero_ms, phase_list(connection, manifest), first_s, last_s)
        worker = None
        if given["worker"] is not None:
            worker, words = choose_worker(source, server, given["worker"])
            _say(words)
        return cls(connection, source, manifest, times, server, worker, given)

    def window(self, form: str) -> bytes:
        """One window."""
        window = self._window()
        selection = self._selection(window)
        naming = Naming(
            self.given["scope"], lines=self.given["lines"] or form in ("speedscope", "pprof"), recorded=True
        )
        check_window(self.source, selection, window.words)
        file = WindowFile(self.source, selection, naming, window.words, self.manifest.run_id)
        _say(f"{title_of(selection)}, {window.words}.")
        _say(self._recorded(selection))
        content = FORMATS[form](file)
        # The Firefox Profiler takes both; a name without .gz promises plain JSON.
        plain = form == "firefox" and str(self.given["out"] or ".gz").lower().endswith(".json")
        return gzip.decompress(content) if plain else content

    def difference(self, form: str) -> bytes:
        """B compared with A."""
        if self.given["phase"] or self.given["worst"]:
            raise UsageError("--diff names both of its windows: leave out --phase and --worst.")
        a, b = self.times.cut(self.times.pair(self.given["diff"]), self.given["start"], self.given["end"])
        side_a, side_b = self._side(a), self._side(b)
        normal = self.given["normal"]
        if normal == "request" and not (side_a.requests and side_b.requests):
            raise UsageError(
                "There is no difference per request: in one of the windows no request ended.",
                "Use --normal second or --normal share.",
            )
        naming = Naming(self.given["scope"], lines=self.given["lines"])
        difference = compare(self.source, side_a, side_b, naming, normal)
        title = f"{title_of(side_a.selection)}: {b.words} compared with {a.words}"
        _say(f"{title}.")
        for letter, side in (("A", side_a), ("B", side_b)):
            _say(f"{letter}: {self._recorded(side.selection)}")
        if form == "folded":
            return difference_folded(difference).encode()
        notes = (
            [] if difference.judged else ["A window of fewer than 4 chunks: what is chance cannot be told."]
        )
        for letter, side in (("A", side_a), ("B", side_b)):
            notes += [f"{letter}: {note}" for note in window_notes(self.source, side.selection)]
        svg = difference_svg(difference, title, " ".join(notes), normal=normal, palette=self.given["palette"])
        return svg.encode()

    def _recorded(self, selection: Selection) -> str:
        """Which chunks were taken: whole ones, so that it may be more or less than was asked for."""
        slices = slices_in(self.source, selection)
        bounds = bounds_ms(slices)
        if bounds is None:
            return "When its chunks were recorded is not known."
        chunks = "1 chunk" if len(slices) == 1 else f"{len(slices)} chunks"
        return f"{chunks}, recorded {offset(bounds[0] / 1000)} – {offset(bounds[1] / 1000)}."

    def _side(self, window: NamedWindow) -> Side:
        selection = self._selection(window)
        check_window(self.source, selection, window.words)
        seconds = recorded_seconds(self.source, selection)
        requests = requests_between(self.connection, self.source.zero_ms, *(seconds or (None, None)))
        return Side(selection, requests, seconds)

    def _selection(self, window: NamedWindow) -> Selection:
        return Selection(self.server, self.given["view"], self.worker, window.window)

    def _window(self) -> NamedWindow:
        ways = [name for name in ("phase", "worst") if self.given[name]]
        if self.given["start"] or self.given["end"]:
            ways.append("from and --to")
        if len(ways) > 1:
            raise UsageError(f"Name one window: --{' or --'.join(ways)}.")
        if self.given["phase"]:
            return self.times.phase(self.given["phase"])
        if self.given["worst"]:
            return self._worst(self.given["worst"])
        return self.times.window(self.given["start"], self.given["end"])

    def _worst(self, text: str) -> NamedWindow:
        try:
            seconds = round(parse_duration(text))
        except ValueError as error:
            raise UsageError(f"--worst: {error}.") from None
        if seconds < 1:
            raise UsageError(f"--worst {text}: the shortest window is 1 s.")
        bins = read_bins(self.connection)
        if seconds > load_seconds(bins) > 0:
            seconds = load_seconds(bins)
            _say(f"Requests were answered for {seconds} s only: all of them are taken.")
        found = worst_window(bins, seconds)
        if found is None:
            raise UsageError(f"No {seconds} s of this run have the 20 answered requests that a p95 needs.")
        start_s = found[0] - self.source.zero_ms // 1000
        named = self.times.window(str(start_s), str(start_s + seconds))
        return NamedWindow(
            named.window, f"{named.words}, the worst {seconds} s: p95 about {found[1]:,.0f} ms"
        )


def _write(content: bytes, out: Path | None) -> None:
    if out is None:
        if content[:2] == b"\x1f\x8b" and sys.stdout.isatty():
            raise UsageError("This format is not for a terminal: name a file with -o.")
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        write_atomically(out, content)
    except OSError as error:
        raise ToolkitError(f"{out} could not be written: {error.strerror or error}.") from error
    _say(f"Written: {out}")


def _say(text: str) -> None:
    click.echo(harmless(text), err=True)
