"""Table `metrics`: what becomes a value, what does not, and what is said of the rest."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

from tests.run_folders import SECOND_NS, START_NS, RunFolderBuilder
from tests.server_metrics import ServerWatch, process
from toolkit.analysis.results import read_results
from toolkit.analysis.tables import open_tables

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.recording.layout import RunFolder

Values = dict[tuple[str, int | None, str], list[float]]


def watched(root: Path, offset_s: float = 0.0) -> tuple[RunFolderBuilder, ServerWatch]:
    builder = RunFolderBuilder(root)
    builder.server("app", {}, offset_ns=round(offset_s * SECOND_NS))
    return builder, ServerWatch(builder, "app")


def rows_of(run: RunFolder) -> list[tuple[Any, ...]]:
    with open_tables(run) as connection:
        return connection.execute(
            "SELECT t_ns, scope, pid, role, name, value FROM metrics ORDER BY t_ns, scope, pid, name"
        ).fetchall()


def values_of(run: RunFolder) -> Values:
    found: Values = {}
    for _, scope, pid, _, name, value in rows_of(run):
        found.setdefault((scope, pid, name), []).append(value)
    return found


def sources_of(run: RunFolder) -> dict[str, dict[str, Any]]:
    with open_tables(run) as connection:
        cursor = connection.execute("SELECT source, records, unreadable, implausible, problem FROM sources")
        names = [column[0] for column in cursor.description or []]
        return {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}


METRICS = "servers/app/metrics.jsonl.gz"


def test_counters_become_growth_per_second_and_gauges_stay_on_the_controllers_clock(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path, offset_s=2.0)
    watch.line(0, host={"cpu_user": 10.0, "load_1": 0.5}, processes=[process(701, cpu_user=1.0, rss=100)])
    watch.line(2, host={"cpu_user": 13.0, "load_1": 0.7}, processes=[process(701, cpu_user=1.5, rss=120)])

    assert rows_of(builder.build()) == [
        (START_NS + 2 * SECOND_NS, "host", None, None, "load_1", 0.5),
        (START_NS + 2 * SECOND_NS, "process", 701, "worker", "rss", 100.0),
        (START_NS + 4 * SECOND_NS, "host", None, None, "cpu_user", 1.5),
        (START_NS + 4 * SECOND_NS, "host", None, None, "load_1", 0.7),
        (START_NS + 4 * SECOND_NS, "process", 701, "worker", "cpu_user", 0.25),
        (START_NS + 4 * SECOND_NS, "process", 701, "worker", "rss", 120.0),
    ]


def test_a_counter_that_falls_gives_no_value_and_the_next_growth_is_from_there(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    for second, value in enumerate((100.0, 104.0, 3.0, 5.0)):
        watch.line(second, host={"net_in": value})

    assert values_of(builder.build())["host", None, "net_in"] == [4.0, 2.0]


def test_a_pid_that_is_used_again_is_another_process(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    watch.line(0, processes=[process(701, cpu_user=5.0)])
    watch.line(1, processes=[process(701, born_s=0.5, cpu_user=9.0)])
    watch.line(2, processes=[process(701, born_s=0.5, cpu_user=9.5)])

    assert values_of(builder.build())["process", 701, "cpu_user"] == [0.5]


def test_a_long_gap_gives_no_growth_but_a_late_line_does(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    for second in (0, 1, 2, 3, 4, 7, 17, 18):
        watch.line(second, host={"net_in": second * 10.0, "load_1": second})

    values = values_of(builder.build())
    assert values["host", None, "net_in"] == [10.0] * 6, "all but the one over 10 s"
    assert values["host", None, "load_1"] == [0, 1, 2, 3, 4, 7, 17, 18]


def test_a_process_missing_from_a_line_has_no_growth_over_the_hole(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    watch.line(0, processes=[process(701, cpu_user=1.0)])
    watch.line(1)
    watch.line(2, processes=[process(701, cpu_user=8.0)])

    assert ("process", 701, "cpu_user") not in values_of(builder.build())


def test_values_that_cannot_be_are_left_out_and_said(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    bad: list[Any] = [float("nan"), float("inf"), 1e300, -1, "7", True, [1], 2**70]
    for second, value in enumerate(bad):
        watch.line(second, host={"load_1": value, "load_5": 1.0})
    run = builder.build()

    values = values_of(run)
    assert ("host", None, "load_1") not in values
    assert values["host", None, "load_5"] == [1.0] * len(bad), "what stands beside it is kept"
    source = sources_of(run)[METRICS]
    assert source["records"] == len(bad)
    assert f"{len(bad)} values that are no plausible numbers" in source["problem"]
    assert any("no plausible numbers" in said for said in read_results(run).summary["missing"])


def test_names_that_are_not_known_are_left_out_and_counted(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    watch.line(
        0,
        host={"load_1": 1.0, "temperature": 40, "\x1b[2J": 1},
        processes=[process(701, rss=5, shoe_size=44)],
    )
    run = builder.build()

    assert set(values_of(run)) == {("host", None, "load_1"), ("process", 701, "rss")}
    assert "3 values under names that this toolkit does not know" in sources_of(run)[METRICS]["problem"]


def test_lines_that_are_none_are_counted_and_the_others_read(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    watch.line(0, host={"load_1": 1.0})
    deep = b'{"t_ns":' + b"[" * 100_000 + b"}\n"
    for text in (
        b"\xff\xfe\n",
        b"[]\n",
        b'{"t_ns": "soon"}\n',
        b'{"host": {}}\n',
        deep,
        b"x" * (2 << 20) + b"\n",
    ):
        watch.raw(text)
    watch.raw(b'{"t_ns": %d, "host": [], "service": 7, "processes": {"pid": 1}}\n' % START_NS)
    watch.line(1, host={"load_1": 2.0})
    run = builder.build()

    assert values_of(run)["host", None, "load_1"] == [1.0, 2.0]
    assert (sources_of(run)[METRICS]["unreadable"], sources_of(run)[METRICS]["records"]) == (6, 3)


def test_processes_that_are_none_are_passed_over(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    broken: list[Any] = [
        7,
        None,
        {"pid": 0, "role": "worker", "rss": 1},
        {"pid": 2**40, "role": "worker", "rss": 1},
        {"pid": True, "role": "worker", "rss": 1},
        process(702, role="<script>", rss=1),
        process(701, rss=1),
        process(701, rss=99),  # told twice
    ]
    watch.line(0, processes=broken)
    run = builder.build()

    assert values_of(run) == {("process", 701, "rss"): [1.0]}
    assert "7 processes that are none" in sources_of(run)[METRICS]["problem"]


def test_a_time_far_from_the_run_is_left_out(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    watch.line(0, host={"load_1": 1.0})
    watch.line(10**8, host={"load_1": 5.0})
    watch.line(-(10**8), host={"load_1": 5.0})
    run = builder.build()

    assert values_of(run) == {("host", None, "load_1"): [1.0]}
    assert sources_of(run)[METRICS]["implausible"] == 2


def test_a_recording_that_was_cut_is_read_up_to_the_cut(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    lines = [{"t_ns": START_NS + n * SECOND_NS, "host": {"load_1": n % 7}} for n in range(5000)]
    packed = gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())
    watch.folder.metrics.write_bytes(packed[: len(packed) // 2])
    run = builder.build()

    values = values_of(run)["host", None, "load_1"]
    assert 500 < len(values) < 5000
    assert values == [n % 7 for n in range(len(values))]
    assert "cut short" in sources_of(run)[METRICS]["problem"]


def test_without_a_recording_the_table_is_empty_and_nothing_is_missing_for_it(tmp_path: Path) -> None:
    builder, _ = watched(tmp_path)
    run = builder.build()

    assert rows_of(run) == []
    assert METRICS not in sources_of(run)
    watch = read_results(run).summary["servers"][0]["watch"]
    assert (watch["lines"], watch["metrics"], watch["queue"]) == (0, {}, None)


def test_a_folder_that_the_manifest_does_not_name_is_read_too(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    ServerWatch(builder, "it's 100%").line(0, host={"load_1": 1.0})

    with open_tables(builder.build()) as connection:
        assert connection.execute("SELECT DISTINCT server FROM metrics").fetchall() == [("it's 100%",)]
