"""Stacks become frames without losing a count, and only what is too narrow goes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from toolkit.reports.flamegraph_tree import lay_out

STACKS = st.lists(
    st.tuples(st.lists(st.sampled_from("abcd"), min_size=1, max_size=6).map(tuple), st.integers(1, 50)),
    min_size=1,
)


@given(STACKS)
def test_every_count_is_drawn_once(stacks: list[tuple[tuple[str, ...], int]]) -> None:
    layout = lay_out(stacks, 0)
    assert layout.total == layout.frames[0].total == sum(count for _, count in stacks)
    assert sum(frame.own for frame in layout.frames) == layout.total
    assert layout.pruned == layout.pruned_frames == 0


@given(STACKS)
def test_a_frame_holds_its_children_side_by_side(stacks: list[tuple[tuple[str, ...], int]]) -> None:
    frames = lay_out(stacks, 0).frames
    for index, frame in enumerate(frames):
        inside = []
        for other in frames[index + 1 :]:
            if other.depth <= frame.depth:
                break
            if other.depth == frame.depth + 1:
                inside.append(other)
        at = frame.start
        for child in inside:
            assert child.start == at
            at += child.total
        assert at + frame.own == frame.start + frame.total


@given(STACKS, st.floats(0, 0.5))
def test_what_is_pruned_is_counted(stacks: list[tuple[tuple[str, ...], int]], narrowest: float) -> None:
    layout = lay_out(stacks, narrowest)
    assert sum(frame.own for frame in layout.frames) + layout.pruned == layout.total
    assert all(frame.total >= layout.total * narrowest for frame in layout.frames)


def test_the_order_of_the_stacks_does_not_matter() -> None:
    stacks = [(("a", "b"), 3), (("a", "c"), 5), (("d",), 2)]
    assert lay_out(stacks, 0) == lay_out(reversed(stacks), 0)


def test_counts_below_one_and_no_stacks_at_all_draw_nothing() -> None:
    assert lay_out([], 0.001).frames == []
    assert lay_out([(("a",), 0), (("b",), -3)], 0.001).frames == []


def test_a_stack_deeper_than_pythons_own_limit_is_drawn() -> None:
    deep = tuple(f"f{level}" for level in range(5000))
    assert lay_out([(deep, 1)], 0.001).levels == 5001
