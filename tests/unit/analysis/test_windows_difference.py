"""Two windows compared: normalised sides, what vanished, and which differences are chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.packed_profiles import PackSource
from toolkit.analysis.windows import OFF, Selection
from toolkit.analysis.windows_difference import Difference, Side, compare
from toolkit.analysis.windows_frames import Naming
from toolkit.analysis.windows_noise import ROUNDS, Noise, mulberry32, poisson_weights
from toolkit.analysis.windows_profile import Frame, Process, RecordedProfile, Slice
from toolkit.analysis.windows_slices import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.analysis.windows_tree import ComparedFrame

GREW, SAME, GONE, NEW = "grew (/srv/a.py)", "same (/srv/a.py)", "gone (/srv/a.py)", "new (/srv/a.py)"


def profile_of(chunks: Sequence[dict[str, int]], view: str = "wall", unit: int = 10_000) -> RecordedProfile:
    """One process; each chunk of 5 s holds counts of functions of one file, directly below the root."""
    names = list(dict.fromkeys(name for chunk in chunks for name in chunk))
    profile = RecordedProfile(0, ["app"], [view], [], [Process(0, 7, "worker")], chunk_s=5.0)
    for number, name in enumerate(names):
        profile.tree.frames.append(Frame(name.split(" ")[0], "/srv/a.py", 1, 0, "srv"))
        profile.tree.parents.append(0)
        profile.tree.node_frames.append(number)
    for number, chunk in enumerate(chunks):
        profile.slices.append(Slice(0, 0, number * 5000, 5000, unit))
        counts = {names.index(name): count for name, count in chunk.items() if count}
        profile.add_group(number, 0, sorted(counts), [counts[node] for node in sorted(counts)])
    return profile


def difference(
    chunks: Sequence[dict[str, int]], cut_s: float, normal: str = "second", requests: tuple[int, int] = (0, 0)
) -> Difference:
    source = PackSource(profile_of(chunks))
    a, b = Window(0, cut_s), Window(cut_s, 5 * len(chunks))
    return compare(
        source,
        Side(Selection("app", "wall", None, a), requests[0]),
        Side(Selection("app", "wall", None, b), requests[1]),
        Naming(),
        normal,
    )


def frame(found: Difference, label: str) -> ComparedFrame:
    return found.root.children[label]


STEADY = [{GREW: 100 + n % 3, SAME: 50 + n % 2, GONE: 5} for n in range(6)] + [
    {GREW: 200 + n % 3, SAME: 50 + n % 2, NEW: 8} for n in range(12)
]


def test_a_difference_per_second_does_not_depend_on_how_long_the_windows_are() -> None:
    found = difference([{SAME: 10}] * 4 + [{SAME: 10}] * 8, 20)

    assert frame(found, SAME).a_total == 4 * 10 * 10_000
    assert frame(found, SAME).b_total == 8 * 10 * 10_000
    assert found.change(frame(found, SAME)) == 0
    assert found.scale_a.of(found.root.a_total) == 0.1 * 1e6 / 5000, "0.1 s in each 5 s"


def test_a_difference_by_share_does_not_depend_on_how_much_was_sampled() -> None:
    found = difference([{SAME: 10, GREW: 10}] * 4 + [{SAME: 20, GREW: 20}] * 4, 20, "share")

    assert found.change(frame(found, SAME)) == 0
    assert found.scale_b.of(frame(found, SAME).b_total) == 0.5
    assert found.scale_b.of(found.root.b_total) == 1


def test_a_difference_per_request_is_of_the_time_of_a_request() -> None:
    # 100 ms a second, at first for 10 requests a second, then for 20.
    found = difference([{SAME: 50}] * 4 + [{SAME: 50}] * 4, 20, "request", (200, 400))

    assert found.scale_a.of(frame(found, SAME).a_total) == pytest.approx(10_000), "microseconds"
    assert found.scale_b.of(frame(found, SAME).b_total) == pytest.approx(5_000)


def test_what_grew_is_told_from_noise() -> None:
    found = difference(STEADY, 30)

    assert found.judged
    assert frame(found, GREW).within_noise is False
    assert found.change(frame(found, GREW)) == pytest.approx((201 - 101) * 10_000 / 5000, rel=0.01)
    assert found.relative_change(frame(found, GREW)) == pytest.approx(0.5, abs=0.01)
    assert frame(found, SAME).within_noise is True
    assert frame(found, NEW).within_noise is False


def test_a_difference_that_one_chunk_makes_is_noise() -> None:
    found = difference([{SAME: 50, GREW: 10}] * 12 + [{SAME: 50, GREW: 10}] * 11 + [{SAME: 50, GREW: 90}], 60)

    assert found.change(frame(found, GREW)) > 0
    assert frame(found, GREW).within_noise is True


def test_what_vanished_is_listed_and_what_appeared_is_not() -> None:
    found = difference(STEADY, 30)

    assert [path for path, _ in found.vanished()] == [(GONE,)]


def test_of_a_branch_that_vanished_the_outermost_frame_is_listed() -> None:
    source = PackSource(profile_of([{GONE: 10}] * 4 + [{SAME: 10}] * 4))
    tree = source.profile.tree
    tree.parents[1] = 1  # `same` is called by `gone`
    found = compare(
        source,
        Side(Selection("app", "wall", None, Window(20, 40))),
        Side(Selection("app", "wall", None, Window(0, 20))),
        Naming(),
    )
    assert [path for path, _ in found.vanished()] == [(GONE, SAME)]
    assert (found.root.children[GONE].a_total, found.root.children[GONE].a_own) == (400_000, 0)
    assert (found.root.children[GONE].b_total, found.root.children[GONE].b_own) == (400_000, 400_000)


def test_too_few_chunks_cannot_be_judged() -> None:
    found = difference(STEADY[:3] + STEADY[-6:], 15)

    assert not found.judged
    assert {one.within_noise for _, one in found.each()} == {None}


def test_small_frames_are_not_judged() -> None:
    found = difference([{SAME: 10_000, GONE: 1}] * 4 + [{SAME: 10_000}] * 4, 20)

    assert frame(found, GONE).within_noise is None
    assert frame(found, SAME).within_noise is True


def test_off_cpu_is_judged_by_both_recorders() -> None:
    wall = profile_of([{GREW: 60 + n % 3} for n in range(6)] + [{GREW: 120 + n % 3} for n in range(6)])
    wall.views.append("cpu")
    for number in range(12):
        wall.slices.append(Slice(0, 1, number * 5000, 5000, 10_000))
        # The CPU takes all that was added: nobody waited longer.
        wall.add_group(12 + number, 0, [0], [40 + (60 if number >= 6 else 0)])
    source = PackSource(wall)
    a, b = (Side(Selection("app", OFF, None, Window(*window))) for window in ((0, 30), (30, 60)))
    found = compare(source, a, b, Naming())

    assert frame(found, GREW).a_total == sum(20 + n % 3 for n in range(6)) * 10_000
    assert frame(found, GREW).within_noise is True


def test_random_numbers_are_those_of_the_page() -> None:
    draw = mulberry32(1)

    # As JavaScript's mulberry32(1) gives them.
    assert [draw() for _ in range(3)] == [0.6270739405881613, 0.002735721180215478, 0.5274470399599522]


def test_weights_are_poisson_with_mean_one() -> None:
    weights = [weight for a, b in poisson_weights(40, 24) for weight in (*a, *b)]

    assert len(weights) == ROUNDS * 64
    assert sum(weights) / len(weights) == pytest.approx(1, abs=0.03)
    assert weights.count(0) / len(weights) == pytest.approx(0.368, abs=0.02)


def test_nothing_to_divide_by_is_no_difference() -> None:
    noise = Noise([0, 0, 0, 0], [0, 0, 0, 0])

    assert noise.holds([1, 2, 3, 4], [5, 6, 7, 8])
