"""One process's numbers out of /proc, whatever it calls itself."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

process_metrics = import_module("process_metrics")

CAPTURED = Path(__file__).parent / "captured" / "process"
STAT = (CAPTURED / "stat.txt").read_bytes()


def stat(name: bytes, state: bytes = b"S") -> bytes:
    return b"77 (" + name + b") " + state + STAT[STAT.index(b") R") + 3 :]


def test_the_kernels_text() -> None:
    now = process_metrics.parse(STAT)
    assert (now.state, now.start_ticks, now.threads, now.rss_bytes) == ("R", 1451002, 1, 414 * 4096)
    assert (now.user_s, now.system_s, now.waited_s) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    "name",
    [
        b"a b",
        b"x) Z 1 1",
        b"((",
        b"))",
        b"line\nfeed) S 0",
        b"\xff\xfe",
        b"",
        b"\x1b[31m",
        b"77 (gunicorn) R 1",
    ],
)
def test_a_hostile_name_changes_no_number(name: bytes) -> None:
    assert process_metrics.parse(stat(name)) == process_metrics.parse(STAT)._replace(state="S")


@given(st.binary(max_size=400), st.integers(0, len(STAT)))
def test_a_torn_text_is_no_process(noise: bytes, cut: int) -> None:
    for data in (noise, STAT[:cut], noise + STAT[cut:]):
        now = process_metrics.parse(data)
        assert now is None or now.rss_bytes >= 0


def test_the_soft_limit_of_descriptors() -> None:
    assert process_metrics.soft_limit((CAPTURED / "limits.txt").read_bytes()) == 20000
    unlimited = b"Max open files            unlimited            unlimited            files     \n"
    assert process_metrics.soft_limit(unlimited) is None
    assert process_metrics.soft_limit(b"") is None


def test_context_switches_of_a_status() -> None:
    text = (CAPTURED / "status.txt").read_bytes()
    voluntary = int(text.split(b"\nvoluntary_ctxt_switches:")[1].split()[0])
    involuntary = int(text.split(b"\nnonvoluntary_ctxt_switches:")[1].split()[0])
    assert process_metrics.switches(text) == (voluntary, involuntary)
    assert process_metrics.switches(b"Name:\tvoluntary_ctxt_switches:\t9\n") is None, "a name is no counter"


def test_switches_of_threads_that_come_and_go_only_grow() -> None:
    known = process_metrics.Known(1)
    assert known.add_switches({"1": (10, 1), "2": (5, 0)}) == (15, 1)
    assert known.add_switches({"1": (11, 1), "2": (9, 2)}) == (20, 3)
    assert known.add_switches({"1": (12, 1)}) == (21, 3), "a thread that ended takes nothing away"
    assert known.add_switches({"1": (12, 1), "2": (3, 0)}) == (24, 3), "a new thread with an old number"
    assert known.add_switches({"1": (12, 1), "2": (3, 0)}) == (24, 3)
