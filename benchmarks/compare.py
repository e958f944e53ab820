"""`toolkit compare`: how often it is wrong, and what it takes.

Goals: two halves of one steady run agree ≥ 95 % of the time; a 10 % slowdown is found ≥ 95 % of the time with 2 x 2 minutes at
200 requests/s; two runs of 5 M requests each ≤ 10 s and ≤ 1 GB; difference of two profiles of 100,000 stacks ≤ 2 s.
The runs are made up (compare_runs.py says how they vary); `python -m benchmarks.compare --halves RUN` judges the halves of a
recorded one. One in four pairs is of a service that is more restless than most, for false alarms alone.
"""

from __future__ import annotations

import argparse
import math
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.compare_runs import RESTLESS, USUAL, MadeRun, Service, make, open_made
from benchmarks.compare_stacks import difference_of_many_stacks
from benchmarks.page_run import make_run
from toolkit.analysis.comparison.compare import compare_slices, read_slices
from toolkit.analysis.tables import open_tables
from toolkit.recording.layout import RunFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from toolkit.analysis.comparison.compare import RunSlices

_PAIRS_A_TIME = 30
_RATE = 200
_LARGE = 5_000_000


def main(pairs: int) -> None:
    """Print all of it; `pairs` times 30 pairs of runs are compared."""
    count = pairs * _PAIRS_A_TIME
    _false_alarms(USUAL, count)
    _found(USUAL, count)
    _false_alarms(RESTLESS, count // 4)
    _large()
    _say(difference_of_many_stacks(pairs))


def _false_alarms(service: Service, count: int) -> None:
    for seconds in (60, 120):
        agreed = 0
        undecided: list[float] = []
        for seed in range(count):
            run = make(service, 2 * seconds, _RATE, seed)
            found = compare_slices(_read(run.part(0, seconds)), _read(run.part(seconds, 2 * seconds)))
            agreed += not (found["counts"]["worse"] or found["counts"]["better"])
            undecided.append(found["counts"]["not enough data"] / len(found["comparisons"]))
        what = f"two halves of {seconds} s agree ({service.name} service)"
        _rate(what, agreed, count, f"not enough data for {100 * sum(undecided) / count:.0f} % of comparisons")


def _found(service: Service, count: int) -> None:
    for times in (1.05, 1.1, 1.2):
        found = 0
        for seed in range(count):
            base, new = make(service, 120, _RATE, seed), make(service, 120, _RATE, seed + 500_000, times)
            verdict = compare_slices(_read(base), _read(new))["verdict"]
            found += verdict == "worse"
        _rate(f"slower by {(times - 1) * 100:.0f} % found, 2 x 2 min ({service.name})", found, count)


def _large() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        runs = [make_run(Path(scratch) / side, _LARGE) for side in ("base", "new")]
        began, before = time.monotonic(), time.process_time()
        slices = [_of_folder(run) for run in runs]
        found = compare_slices(*slices)
        took, cpu = time.monotonic() - began, time.process_time() - before
    most_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    _say(
        f"2 x {_LARGE:,} requests, {len(found['comparisons'])} comparisons: {took:.1f} s ({cpu:.1f} s of CPU), "
        f"at most {most_mb:.0f} MB (with what made the runs)  goals ≤ 10 s, ≤ 1 GB"
    )


def halves(path: Path) -> None:
    """Compare the halves of each phase of a recorded run, as if they were two runs."""
    run = RunFolder(path.resolve())
    with open_tables(run) as connection:
        found = compare_slices(_half(connection, run, 0), _half(connection, run, 1))
    counts = found["counts"]
    _say(f"halves of {run.path.name}: {', '.join(f'{count} {verdict}' for verdict, count in counts.items())}")
    for row in found["comparisons"]:
        if row["verdict"] in ("worse", "better"):
            thing = row.get("name") or row.get("server")
            _say(f"  {row['verdict']}: {thing} {row['label']} {row['base']:.4g} -> {row['new']:.4g}")


def _half(connection: duckdb.DuckDBPyConnection, run: RunFolder, number: int) -> RunSlices:
    """What is read of the run with each phase cut to one of its halves, and the requests that started in it."""
    schema = f"half_{number}"
    middle = "(start_ns + end_ns) // 2"
    bounds = f"{middle} AS start_ns, end_ns" if number else f"start_ns, {middle} AS end_ns"
    connection.execute(f"CREATE SCHEMA {schema}")
    connection.execute(
        f"CREATE TABLE {schema}.phases AS SELECT * EXCLUDE (start_ns, end_ns), {bounds} FROM main.phases"
    )
    connection.execute(
        f"""CREATE TABLE {schema}.requests AS SELECT requests.* FROM main.requests AS requests JOIN {schema}.phases AS part
        ON part.load = requests.load AND part.name = requests.phase
        AND requests.start_ns >= part.start_ns AND requests.start_ns < part.end_ns"""
    )
    connection.execute(f"SET search_path = '{schema},main'")
    return read_slices(connection, [folder.name for folder in run.servers()])


def _of_folder(run: RunFolder) -> RunSlices:
    with open_tables(run) as connection:
        return read_slices(connection, [folder.name for folder in run.servers()])


def _read(run: MadeRun) -> RunSlices:
    with open_made(run) as connection:
        return read_slices(connection, ["web"])


def _rate(what: str, hits: int, count: int, more: str = "") -> None:
    low, high = _wilson(hits, count)
    _say(
        f"{what:<48} {100 * hits / count:5.1f} %  [{100 * low:.1f} … {100 * high:.1f}]  n={count}"
        + (f"  {more}" if more else "")
    )


def _wilson(hits: int, count: int) -> tuple[float, float]:
    """95 % interval of a rate."""
    z = 1.96
    middle = (hits + z * z / 2) / (count + z * z)
    reach = z / (count + z * z) * math.sqrt(hits * (count - hits) / count + z * z / 4)
    return middle - reach, middle + reach


def _say(words: str) -> None:
    sys.stdout.write(f"  {words}\n")
    sys.stdout.flush()


def _given(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--halves", type=Path, metavar="RUN", help="judge the halves of a recorded run alone")
    return parser.parse_args(argv)


if __name__ == "__main__":
    given = _given()
    if given.halves:
        halves(given.halves)
    else:
        main(given.pairs)
