"""Reading py-spy's raw chunks: what is in the file, and nothing that hostile text makes of it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.run_folders import GUNICORN, HOT, raw
from toolkit.probes.stacks import Stack, parse_stack, split_records

CAPTURED = Path(__file__).parents[2] / "data" / "runs" / "hostile-command-line.raw"


def read(data: bytes) -> tuple[list[tuple[Stack, int]], int]:
    records, unreadable = split_records(data)
    return [(parse_stack(text), count) for text, count in records], unreadable


def test_a_command_line_that_looks_like_frames_and_records_names_no_process() -> None:
    stacks, unreadable = read(CAPTURED.read_bytes())

    assert unreadable == 0
    assert sum(count for _, count in stacks) == 792  # as py-spy said at the end: "Samples: 792 Errors: 0"
    assert {stack.pid for stack, _ in stacks} == {12751, 12753}  # and not 3
    assert {stack.root for stack, _ in stacks} == {12751}
    assert {stack.thread for stack, _ in stacks if stack.frames[-1].startswith("loop")} == {"w;x"}
    assert all(" (/" in frame and frame.endswith(")") for stack, _ in stacks for frame in stack.frames)


def test_the_last_process_frame_is_the_worker_and_the_first_the_recorded_one() -> None:
    stacks, _ = read(raw(701, (*GUNICORN, HOT), 7, thread="MainThread").encode())

    assert stacks == [(Stack(701, 700, "701", "MainThread", (*GUNICORN, HOT)), 7)]


def test_a_record_that_was_torn_off_is_counted_and_not_guessed() -> None:
    whole = raw(701, (HOT,), 7)
    torn = raw(702, (HOT,), 123)

    for cut in range(1, len(torn)):
        stacks, unreadable = read((whole + torn[:cut]).encode())
        assert [count for _, count in stacks] == [7], torn[:cut]
        assert unreadable == 1


def test_semicolons_in_a_path_and_in_a_threads_name_stay_there() -> None:
    frames = ("outer (/srv/a;b/app.py:3)", "<lambda> (/srv/app (copy).py:9)")

    stacks, _ = read(raw(701, frames, 2, thread="pool;1").encode())

    assert stacks[0][0].frames == frames
    assert stacks[0][0].thread == "pool;1"


def test_a_recording_without_threads_or_processes_can_be_read() -> None:
    stacks, unreadable = read(b"main (a.py:1);work (a.py:2) 3\nmain (a.py:1) 1\n")

    assert [(stack.pid, stack.frames, count) for stack, count in stacks] == [
        (None, ("main (a.py:1)", "work (a.py:2)"), 3),
        (None, ("main (a.py:1)",), 1),
    ]
    assert unreadable == 0


def test_counts_that_no_recorder_writes_are_unreadable() -> None:
    head = raw(701, (HOT,), 1).rpartition(" ")[0]
    data = "".join(f"{head} {count}\n" for count in ("0", "-1", "1e3", "9" * 30, "", "x"))

    assert split_records(data.encode()) == ([], 6)


pieces = st.sampled_from(
    [
        b'process 7:"',
        b'";',
        b"thread (",
        b'";thread (1): ',
        b";",
        b"\n",
        b" ",
        b"5",
        b"f (a.py:1)",
        b"\xff",
        b"\0",
        b"(",
    ]
)


@given(st.lists(pieces | st.binary(max_size=4), max_size=40).map(b"".join))
def test_no_bytes_whatever_raise(data: bytes) -> None:
    records, unreadable = split_records(data)

    assert unreadable >= 0
    for text, count in records:
        assert count > 0
        assert all(isinstance(frame, str) for frame in parse_stack(text).frames)


@given(
    st.text(max_size=30),
    st.integers(1, 99999),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters='"\n'), max_size=20),
)
def test_any_command_line_leaves_pid_frames_and_count_right(title: str, count: int, thread: str) -> None:
    # What cannot be told apart from the format itself: a closing quote before a thread or process frame.
    line = f'process 700:"{title}";process 701:"{title}";thread (9): MainThread;{HOT} {count}\n'
    if '";' in title or "process " in title:
        return
    stacks, unreadable = read(line.encode("utf-8", "replace") * 2)

    assert unreadable == 0
    assert [(stack.pid, stack.frames, got) for stack, got in stacks] == [(701, (HOT,), count)] * 2
