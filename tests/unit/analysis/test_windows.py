"""Any window of a profile, from the tables and from the packed profile: hand-computed times, and sums that must agree."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.packed_profiles import PackSource
from tests.run_folders import (
    ARBITER,
    GUNICORN,
    HOT,
    POOL_WAIT,
    WORKER_A,
    WORKER_B,
    RunFolderBuilder,
    raw,
    request,
    small_run,
)
from toolkit.analysis.results import read_results
from toolkit.analysis.tables import open_tables
from toolkit.analysis.windows import (
    OFF,
    Selection,
    recorded_seconds,
    slices_in,
    stacks_of_window,
    window_blocks,
    window_times,
)
from toolkit.analysis.windows_frames import NO_APPLICATION, Naming, frame_of, package_of
from toolkit.analysis.windows_profile import NO_FRAME
from toolkit.analysis.windows_reading import open_source, read_profile
from toolkit.analysis.windows_slices import WHOLE, Window
from toolkit.recording.manifest import load_manifest
from toolkit.reports.profile_pack import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from toolkit.analysis.windows import Source
    from toolkit.analysis.windows_tables import TableSource
    from toolkit.recording.layout import RunFolder

SLOW = "slow (/srv/shop/shop/views.py:40)"
VALID = {"valid": True, "reason": "", "rate_hz": 20.0}


def windows_run(root: Path, chunks: int = 6) -> RunFolder:
    """Chunks of 5 s from time 0 on, at 20 Hz (50 ms a sample). Chunk n: worker A `hot` 10 + n; B `slow` n; waits only in wall."""
    builder = RunFolderBuilder(root)
    builder.load("http", [request(at_s=0.5)])
    builder.server("app", {"wall": VALID, "cpu": VALID})
    for seq in range(chunks):
        hot, slow = (
            raw(WORKER_A, (*GUNICORN, HOT), 10 + seq),
            raw(WORKER_B, (*GUNICORN, SLOW), seq) if seq else "",
        )
        pool = raw(WORKER_B, POOL_WAIT, 7, thread="ThreadPoolExecutor-0_0", tid=9)
        arbiter = raw(
            ARBITER, ("sleep (/srv/venv/lib/python3.11/site-packages/gunicorn/arbiter.py:357)",), 100
        )
        builder.chunk("app", "wall", seq, hot + slow + pool + arbiter)
        builder.chunk("app", "cpu", seq, raw(WORKER_A, (*GUNICORN, HOT), 4) + slow + pool)
    return builder.build()


@contextmanager
def source_of(run: RunFolder) -> Iterator[TableSource]:
    with open_tables(run) as connection:
        yield open_source(connection, run, load_manifest(run.manifest))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TableSource]:
    with source_of(windows_run(tmp_path_factory.mktemp("run"))) as found:
        yield found


def by_leaf(source: Source, selection: Selection, naming: Naming | None = None) -> dict[str, int]:
    times = window_times(source, selection)
    return {labels[-1]: us for labels, us in stacks_of_window(times.times, source.frames, naming or Naming())}


HOT_LABEL, SLOW_LABEL = "hot (/srv/shop/shop/views.py)", "slow (/srv/shop/shop/views.py)"


def test_a_window_holds_the_chunks_whose_middle_lies_in_it(source: TableSource) -> None:
    def seqs(start_s: float, end_s: float) -> list[int]:
        return [one.seq for one in slices_in(source, Selection("app", "wall", None, Window(start_s, end_s)))]

    assert seqs(5, 15) == [1, 2]
    assert seqs(2.5, 7.5) == [0], "from belongs to it, to does not"
    assert seqs(2.501, 7.501) == [1]
    assert seqs(3, 7) == [0], "the one that it overlaps most, of several the first"
    assert seqs(4, 7) == [1]
    assert seqs(-9, -3) == seqs(99, 100) == []
    assert seqs(-100, 100) == [0, 1, 2, 3, 4, 5]


def test_times_of_a_window_are_counts_times_the_unit(source: TableSource) -> None:
    found = by_leaf(source, Selection("app", "wall", None, Window(5, 15)))

    assert found[HOT_LABEL] == (11 + 12) * 50_000
    assert found[SLOW_LABEL] == (1 + 2) * 50_000
    assert found["_worker (concurrent/futures/thread.py)"] == 2 * 7 * 50_000
    assert found["sleep (gunicorn/arbiter.py)"] == 2 * 100 * 50_000


def test_one_worker_alone(source: TableSource) -> None:
    found = by_leaf(source, Selection("app", "wall", WORKER_B, Window(5, 15)))

    assert set(found) == {SLOW_LABEL, "_worker (concurrent/futures/thread.py)"}


def test_the_cpu_view_leaves_out_threads_that_wait_in_a_pool(source: TableSource) -> None:
    assert by_leaf(source, Selection("app", "cpu", None, Window(5, 15))) == {
        HOT_LABEL: 8 * 50_000,
        SLOW_LABEL: 3 * 50_000,
    }


def test_off_cpu_is_wall_less_cpu_of_each_stack(source: TableSource) -> None:
    found = by_leaf(source, Selection("app", OFF, None, Window(5, 15)))

    assert found[HOT_LABEL] == (23 - 8) * 50_000
    assert SLOW_LABEL not in found, "it was on the CPU all the time"
    assert found["sleep (gunicorn/arbiter.py)"] == 200 * 50_000


def test_off_cpu_is_never_less_than_nothing(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"wall": VALID, "cpu": VALID})
    builder.chunk("app", "wall", 0, raw(WORKER_A, (HOT,), 3) + raw(WORKER_A, (SLOW,), 9))
    builder.chunk("app", "cpu", 0, raw(WORKER_A, (HOT,), 5) + raw(WORKER_A, (SLOW,), 1))
    with source_of(builder.build()) as source:
        assert by_leaf(source, Selection("app", OFF)) == {SLOW_LABEL: 8 * 50_000}


def test_application_scope_removes_the_frames_of_others(source: TableSource) -> None:
    times = window_times(source, Selection("app", "wall", None, Window(5, 15)))
    found = dict(stacks_of_window(times.times, source.frames, Naming("application")))

    assert found == {
        (HOT_LABEL,): 23 * 50_000,
        (SLOW_LABEL,): 3 * 50_000,
        (NO_APPLICATION,): (14 + 200) * 50_000,
    }


def test_package_scope_merges_neighbours_of_one_package(source: TableSource) -> None:
    times = window_times(source, Selection("app", "cpu", None, Window(5, 15)))

    assert stacks_of_window(times.times, source.frames, Naming("package")) == [
        (("gunicorn", "flask", "shop"), 11 * 50_000)
    ]


def test_lines_tell_two_places_of_a_function_apart(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"wall": VALID})
    other = HOT.replace(":12", ":14")
    builder.chunk("app", "wall", 0, raw(WORKER_A, (HOT,), 3) + raw(WORKER_A, (other,), 4))
    with source_of(builder.build()) as source:
        selection = Selection("app", "wall")
        assert by_leaf(source, selection) == {HOT_LABEL: 7 * 50_000}
        assert by_leaf(source, selection, Naming(lines=True)) == {HOT: 3 * 50_000, other: 4 * 50_000}


@pytest.mark.parametrize(
    ("file", "owner", "package"),
    [
        ("flask/app.py", 3, "flask"),
        ("six.py", 1, "six"),
        ("_cffi_backend.cpython-311-x86_64-linux-gnu.so", 1, "_cffi_backend"),
        ("json/__init__.py", 2, "json"),
        ("<frozen importlib._bootstrap>", 3, "importlib"),
        ("/srv/venv/bin/gunicorn", 3, "gunicorn"),
        ("/srv/shop/shop/views.py", 0, "shop"),
        ("views.py", 0, "(application)"),
    ],
)
def test_packages_are_called_as_imports_call_them(file: str, owner: int, package: str) -> None:
    assert package_of(file, owner) == package


def test_names_are_kept_at_a_length_that_can_be_read() -> None:
    frame = frame_of(f"{'f' * 9000} (/srv/{'x' * 9000}.py:3)")

    assert len(frame.name) < 450
    assert len(frame.file) < 450
    assert "[9000 characters]" in frame.name


def test_a_thread_without_a_frame_counts(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"wall": VALID})
    builder.chunk("app", "wall", 0, raw(WORKER_A, (), 4) + raw(WORKER_A, (HOT,), 1))
    with source_of(builder.build()) as source:
        assert by_leaf(source, Selection("app", "wall"))[NO_FRAME] == 200_000
        assert by_leaf(source, Selection("app", "wall"), Naming("application"))[NO_APPLICATION] == 200_000


def test_a_chunk_of_unknown_time_belongs_to_the_whole_run_alone(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"wall": VALID})
    builder.chunk("app", "wall", 0, raw(WORKER_A, (HOT,), 3))
    builder.chunk("app", "wall", 1, raw(WORKER_A, (HOT,), 4), start_ns=None, end_ns=None)
    with source_of(builder.build()) as source:
        assert by_leaf(source, Selection("app", "wall")) == {HOT_LABEL: 7 * 50_000}
        assert by_leaf(source, Selection("app", "wall", None, Window(-1e6, 1e6))) == {HOT_LABEL: 3 * 50_000}
        assert [one.length for one in read_profile(source).slices] == [5000, 0]


def test_chunks_of_other_rates_weigh_by_time(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"wall": VALID})
    builder.chunk("app", "wall", 0, raw(WORKER_A, (HOT,), 3), rate_hz=10.0)
    builder.chunk("app", "wall", 1, raw(WORKER_A, (HOT,), 3), rate_hz=3.0)
    with source_of(builder.build()) as source:
        assert by_leaf(source, Selection("app", "wall")) == {HOT_LABEL: 300_000 + 3 * 333_333}


def test_the_whole_run_is_what_the_flamegraphs_of_the_run_show(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    results = read_results(run)
    with source_of(run) as source:
        for flame in results.flames:
            times = window_times(source, Selection(flame.server, flame.view, flame.worker))
            naming = Naming(lines=True, recorded=True)
            assert stacks_of_window(times.times, source.frames, naming) == flame.stacks
    assert len(results.flames) == 6


@pytest.mark.parametrize("view", ["wall", "cpu", OFF])
@pytest.mark.parametrize("worker", [None, WORKER_A])
def test_the_packed_profile_adds_up_to_the_same_as_the_tables(
    source: TableSource, view: str, worker: int | None
) -> None:
    packed = PackSource(unpack(pack(read_profile(source))))
    for window in (WHOLE, Window(5, 15), Window(7.4, 30)):
        selection = Selection("app", view, worker, window)
        for naming in (Naming(), Naming(lines=True), Naming("application"), Naming("package")):
            of_tables = stacks_of_window(window_times(source, selection).times, source.frames, naming)
            of_pack = stacks_of_window(window_times(packed, selection).times, packed.frames, naming)
            assert of_tables == of_pack
            assert of_tables


def _kept(cuts: list[int]) -> list[int]:
    """Of cuts those between which there is the middle of a chunk: a window without one takes its nearest from another."""
    kept: list[int] = []
    for cut in cuts:
        middles = range(2500, 30_000, 5000)
        if any((kept[-1] if kept else -3000) <= middle < cut for middle in middles) and cut <= middles[-1]:
            kept.append(cut)
    return kept


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(min_value=-2000, max_value=33_000), unique=True, max_size=6))
def test_windows_that_lie_side_by_side_add_up_to_the_whole(source: TableSource, cuts: list[int]) -> None:
    edges = [-3000, *_kept(sorted(cuts)), 34_000]
    for view in ("wall", "cpu"):
        summed: dict[tuple[int, ...], int] = {}
        for start, end in pairwise(edges):
            part = window_times(source, Selection("app", view, None, Window(start / 1000, end / 1000)))
            for path, us in part.times.items():
                summed[path] = summed.get(path, 0) + us
        assert summed == window_times(source, Selection("app", view)).times


@pytest.mark.parametrize("view", ["wall", OFF])
def test_blocks_hold_all_of_the_window(tmp_path: Path, view: str) -> None:
    with source_of(windows_run(tmp_path, chunks=70)) as source:
        selection = Selection("app", view)
        blocks = window_blocks(source, selection)
        whole = window_times(source, Selection("app", "wall"))

        assert len(blocks) == 64
        assert sum(block.length_ms for block in blocks) == whole.length_ms == 350_000
        assert sum(sum(block.plus.values()) for block in blocks) == whole.total_us
        cpu = window_times(source, Selection("app", "cpu"))
        assert sum(sum(block.minus.values()) for block in blocks) == (cpu.total_us if view == OFF else 0)
        if view == OFF:
            hot = next(path for path, us in whole.times.items() if source.frames[path[-1]].name == "hot")
            # 70 chunks in 64 blocks: where wall has two, cpu has two.
            assert all(block.minus[hot] * 5000 == 4 * 50_000 * block.length_ms for block in blocks)


def test_a_view_that_is_not_true_is_not_packed(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server(
        "app", {"wall": VALID, "cpu": {"valid": False, "reason": "it is gevent", "recorded_as": "gil"}}
    )
    builder.chunk("app", "wall", 0, raw(WORKER_A, (HOT,), 3))
    builder.chunk("app", "cpu", 0, raw(WORKER_A, (SLOW,), 4))
    with source_of(builder.build()) as source:
        profile = read_profile(source)

    states = {profile.views[state.view]: state for state in profile.states}
    assert {name: state.shown for name, state in states.items()} == {"wall": True, "cpu": False, "gil": True}
    assert states["cpu"].note == "it is gevent."
    assert [profile.views[one.view] for one in profile.slices] == ["wall", "gil"]
    assert PackSource(profile).times("app", "gil", None, PackSource(profile).slices("app", "gil"), [0])


@pytest.mark.parametrize(
    ("window", "seconds"),
    [
        (WHOLE, None),
        (Window(6, 9), (5, 10)),
        (Window(3, 8), (5, 10)),
        (Window(6, 7), (5, 10)),
        (Window(1, 14), (0, 15)),
        (Window(100, 110), None),
    ],
)
def test_requests_are_counted_in_the_seconds_that_were_recorded(
    source: TableSource, window: Window, seconds: tuple[int, int] | None
) -> None:
    assert recorded_seconds(source, Selection("app", "cpu", None, window)) == seconds
