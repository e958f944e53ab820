"""Chunks become lines, whatever way they are cut."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.errors import UsageError
from toolkit.transports import exchange
from toolkit.transports.exchange import LINE_BYTES, split_lines
from toolkit.transports.quoting import command_line, shown


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["stdout", "stderr"]),
            st.binary(max_size=12).map(lambda b: b.replace(b"x", b"\n")),
        )
    )
)
def test_lines_are_those_of_the_whole_stream(chunks: list[tuple[str, bytes]]) -> None:
    found = list(split_lines(chunks))
    for name in ("stdout", "stderr"):
        whole = b"".join(data for stream, data in chunks if stream == name)
        expected = whole.split(b"\n")
        if expected[-1] == b"":
            expected.pop()  # what ends with a newline has no further line
        assert [line for stream, line in found if stream == name] == expected


@settings(max_examples=200)
@given(st.binary(max_size=60).map(lambda b: b.replace(b"x", b"\n")), st.integers(1, 9))
def test_long_lines_are_cut_and_nothing_is_lost(whole: bytes, step: int) -> None:
    limit, exchange.LINE_BYTES = exchange.LINE_BYTES, 7
    try:
        chunks = [("stdout", whole[start : start + step]) for start in range(0, len(whole), step)]
        lines = [line for _, line in split_lines(chunks)]
    finally:
        exchange.LINE_BYTES = limit
    assert all(len(line) <= 7 for line in lines)
    assert b"".join(lines) == whole.replace(b"\n", b"")


def test_a_line_of_exactly_the_limit_is_one() -> None:
    data = b"a" * LINE_BYTES + b"\nb\n"
    chunks = [("stdout", data[start : start + 65536]) for start in range(0, len(data), 65536)]
    assert [len(line) for _, line in split_lines(chunks)] == [LINE_BYTES, 1]


def test_lines_come_before_the_stream_ends() -> None:
    def chunks() -> object:
        yield "stdout", b"one\ntwo"
        pytest.fail("read on before the first line was given")

    assert next(split_lines(chunks())) == ("stdout", b"one")  # type: ignore[arg-type]


@given(
    st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1).filter(
        lambda a: a[0]
    )
)
def test_a_command_line_reads_back_as_its_arguments(argv: list[str]) -> None:
    assert shlex.split(command_line(argv)) == argv


@pytest.mark.parametrize("argv", [[], [""], ["a\0b"], ["a", "\0"]])
def test_what_cannot_be_run(argv: list[str]) -> None:
    with pytest.raises(UsageError):
        command_line(argv)


def test_a_command_is_shown_in_one_short_line() -> None:
    assert shown(["sh", "-c", "a\nb"]) == "sh -c 'a b'"
    assert len(shown(["x" * 500])) == 100
