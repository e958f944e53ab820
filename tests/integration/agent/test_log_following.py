"""What a log holds after the start comes exactly, in order, whatever happens to the file meanwhile."""

from __future__ import annotations

import os
import random
import resource
import shutil
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.agent.following import Following

if TYPE_CHECKING:
    from pathlib import Path

BINARY = bytes(range(256)) * 5 + b"\xff\xfe no newline"


def append(path: Path, data: bytes) -> bytes:
    with path.open("ab") as file:
        file.write(data)
    return data


def test_a_log_is_followed_from_its_present_end_and_its_bytes_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"before the run\n")
    with Following([log]) as following:
        assert following.sources[0] == {
            "source": 0,
            "kind": "file",
            "path": str(log),
            "found": "named in the plan",
            "role": None,
            "format": None,
            "note": None,
        }
        data = append(log, b"one\n")
        following.has(data)
        data += append(log, BINARY)
        following.has(data)
        assert following.events("start")[0]["offset"] == len("before the run\n")
        # The times of a block are those between which its bytes came, not those at which somebody had time for them.
        before = time.time_ns()
        following.room = False
        data += append(log, b"two\n")
        after = time.time_ns()
        following.run(0.8)
        following.room = True
        following.has(data)
        block = following.events("data")[-1]
        assert block["since"] <= after
        assert before <= block["t"] < after + 600_000_000


def test_lines_before_and_after_a_rotation_come_in_order(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    old = log.open("ab", buffering=0)
    with Following([log]) as following, old:
        old.write(b"1 before\n")
        log.rename(tmp_path / "app.log.1")
        old.write(b"2 after the rename, nothing is there yet\n")
        following.run(0.4)
        log.write_bytes(b"")
        following.run(0.4)
        append(log, b"4 one worker has reopened\n")
        old.write(b"3 the other has not\n")
        following.until(lambda: following.events("rotated"), "the new file")
        append(log, b"5 both have\n")
        following.has(
            b"1 before\n2 after the rename, nothing is there yet\n3 the other has not\n4 one worker has reopened\n5 both have\n"
        )
        assert [item["generation"] for item in following.events("data")][-1] == 1


def test_who_goes_on_writing_to_the_rotated_file_is_still_read(tmp_path: Path) -> None:
    """As after doRollover of a RotatingFileHandler in one of several workers."""
    log = tmp_path / "app.log"
    with log.open("ab", buffering=0) as old, Following([log]) as following:
        old.write(b"old\n")
        log.rename(tmp_path / "app.log.1")
        append(log, b"new\n")
        following.has(b"old\nnew\n")
        old.write(b"late\n")
        following.has(b"late\n", source=1)
        row = following.sources[1]
        assert (row["path"], row["found"]) == (f"{log}.1", "written to after it was rotated")
        assert next(item for item in following.said if item["type"] == "log_source")["source"] == 1
        append(log, b"and new\n")
        following.has(b"old\nnew\nand new\n")


def test_a_rotated_log_that_is_moved_back_goes_on_where_it_was_left(tmp_path: Path) -> None:
    log, aside = tmp_path / "app.log", tmp_path / "app.log.1"
    log.touch()
    with Following([log]) as following:
        first = append(log, b"one\n")
        following.has(first)
        log.rename(aside)
        second = append(log, b"two\n")
        following.has(first + second)
        aside.rename(log)
        third = append(log, b"three\n")
        following.has(first + second + third)
        following.run(0.6)
        assert len(following.sources) == 1


def test_copytruncate_under_load_loses_nothing(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    expected, stop, pause = [], threading.Event(), threading.Lock()

    def write() -> None:
        with log.open("ab", buffering=0) as file:
            number = 0
            while not stop.is_set():
                with pause:
                    expected.append(b"%06d GET /path/of/some/length HTTP/1.1 200\n" % number)
                    file.write(expected[-1])
                number += 1
                time.sleep(0.0002)

    with Following([log]) as following:
        log.touch()
        following.run(0.3)
        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(3):
                following.run(0.6 + random.random() / 4)
                with pause:  # the moment between copy and cut is copytruncate's own loss, not ours
                    shutil.copyfile(log, tmp_path / f"access.log.{number}")
                    os.truncate(log, 0)
            following.run(0.4)
        finally:
            stop.set()
            writer.join()
        following.finish()
        assert following.data[0] == b"".join(expected)
        assert len(following.events("truncated")) == 3
        assert not following.events("dropped")


def test_a_truncation_is_seen_even_when_the_file_has_grown_past_it(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.touch()
    with Following([log]) as following:
        first = append(log, b"first, of some length\n")
        following.has(first)
        os.truncate(log, 0)
        second = append(log, b"second, much longer than the first was, so that the size has only grown\n")
        following.has(first + second)
        assert following.events("truncated")[0]["generation"] == 1
        os.truncate(log, 0)
        following.until(lambda: len(following.events("truncated")) == 2, "the second cut")
        lost = following.events("dropped")
        assert [item["bytes"] for item in lost] == [None, None], "nobody knows what came in the last moment"
        assert all(0 < item["t"] - item["since"] < 1_000_000_000 for item in lost)
        third = append(log, b"third\n")
        following.has(first + second + third)


def test_zeros_that_a_writer_leaves_after_a_truncation_are_no_log(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    with log.open("wb", buffering=0) as file, Following([log]) as following:
        file.write(b"x" * 3_000_000 + b"\n")
        following.has(b"x" * 3_000_000 + b"\n")
        os.truncate(log, 0)
        file.write(b"after\n")  # at its old place
        following.has(b"x" * 3_000_000 + b"\nafter\n")


def test_what_is_cut_away_unread_is_counted(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.touch()
    with Following([log]) as following:
        following.room = False
        append(log, b"x" * 1000)
        following.run(0.6)
        os.truncate(log, 0)
        following.run(0.6)
        following.room = True
        following.has(append(log, b"y\n"))
        assert [item["bytes"] for item in following.events("dropped")] == [1000]


def test_rotations_while_the_network_is_slow_lose_nothing(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.touch()
    with Following([log]) as following:
        following.run(0.3)
        following.room = False
        expected = b""
        for number in range(4):
            expected += append(log, b"%d" % number * 400_000 + b"\n")
            following.run(0.3)
            log.rename(tmp_path / f"app.log.{number}")
            (tmp_path / f"app.log.{number}").unlink(missing_ok=number % 2 == 0)
        assert not following.data
        following.room = True
        following.has(expected)
        assert len(following.events("rotated")) == 3
        assert not following.events("dropped")


def test_a_deleted_log_and_the_one_that_comes_after_it(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    with log.open("ab", buffering=0) as file, Following([log]) as following:
        log.unlink()
        file.write(b"written to what has no name\n")
        following.until(lambda: following.events("gone"), "the deletion")
        append(log, b"a new one\n")
        following.has(b"written to what has no name\na new one\n")
        assert len(following.events("gone")) == 1


def test_a_log_that_is_not_there_yet_is_read_from_its_first_byte(tmp_path: Path) -> None:
    log = tmp_path / "later" / "app.log"
    with Following([log]) as following:
        assert following.sources[0]["note"] is None
        following.run(0.3)
        assert following.events("start")[0]["note"] == "it is not there yet"
        log.parent.mkdir()
        following.has(append(log, b"first\n"))
        assert {item["generation"] for item in following.events("data")} == {0}


def test_named_links_are_followed_where_they_lead(tmp_path: Path) -> None:
    first, second, link = tmp_path / "2026-11-21.log", tmp_path / "2026-11-22.log", tmp_path / "current.log"
    first.write_bytes(b"before\n")
    link.symlink_to(first.name)
    with Following([link]) as following:
        following.has(append(first, b"one\n"))
        second.write_bytes(b"two\n")
        (tmp_path / "new").symlink_to(second)
        (tmp_path / "new").rename(link)
        following.has(b"one\ntwo\n")


@pytest.mark.needs_root
@pytest.mark.skipif(os.getuid() != 0, reason="needs root to make another user's link")
def test_somebody_elses_link_does_not_make_root_read_what_he_may_not(tmp_path: Path) -> None:
    secret, log = tmp_path / "secret", tmp_path / "app.log"
    secret.write_bytes(b"")
    log.touch()
    with Following([log]) as following:
        log.unlink()
        log.symlink_to(secret)
        os.chown(log, 65534, 65534, follow_symlinks=False)
        append(secret, b"password\n")
        following.until(lambda: following.events("gone"), "the refusal")
        following.finish()
        assert following.data == {}
        assert "another user's" in following.events("gone")[0]["note"]


def test_what_is_no_regular_file_is_never_opened_and_nothing_waits(tmp_path: Path) -> None:
    fifo, folder, log = tmp_path / "fifo.log", tmp_path / "folder.log", tmp_path / "app.log"
    os.mkfifo(fifo)
    folder.mkdir()
    loop = tmp_path / "loop.log"
    loop.symlink_to("loop.log")
    log.touch()
    started = time.monotonic()
    with Following([fifo, folder, "/dev/zero", loop, log]) as following:
        assert [row["note"] for row in following.sources] == [
            "it is a named pipe",
            "it is a directory",
            "it is a device",
            "it has too many symbolic links",
            None,
        ]
        log.unlink()
        os.mkfifo(log)
        following.until(lambda: following.events("gone"), "the refusal")
        assert following.events("gone")[0]["note"] == "what is there now is not followed: it is a named pipe"
        following.finish()
    assert time.monotonic() - started < 5


def test_an_endless_line_is_cut_into_blocks_and_memory_is_bounded(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.touch()
    with Following([log]) as following:
        following.run(0.3)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with log.open("ab") as file:
            for number in range(50):
                file.write(bytes([65 + number % 26]) * 1_000_000)
        counted = 0

        def take() -> bool:
            nonlocal counted
            counted += len(following.data.pop(0, b""))
            following.said = [item for item in following.said if item.get("what") != "data"]
            return counted >= 50_000_000

        following.until(take, "50 MB", 20)
        assert counted == 50_000_000
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # kB


def test_the_limit_is_said_once_and_what_lay_beyond_is_counted(tmp_path: Path) -> None:
    busy, errors = tmp_path / "access.log", tmp_path / "error.log"
    busy.touch()
    errors.touch()
    with Following([busy, errors], limit_bytes=400_000) as following:
        append(busy, b"a" * 1_000_000)
        following.until(lambda: following.events("limit"), "the limit")
        assert len(following.data[0]) == 300_000, "a busy access log leaves room for the errors"
        following.has(append(errors, b"e" * 90_000), source=1)
        append(busy, b"a" * 5)
        append(errors, b"e" * 50_000)
        following.until(lambda: len(following.events("limit")) == 2, "the second limit")
        following.finish()
        assert len(following.data[1]) == 100_000
        limits = [(item["source"], item["bytes"]) for item in following.events("limit")]
        assert limits == [(0, None), (1, None), (0, 700_005), (1, 40_000)]


def test_wildcards_find_later_files_and_no_log_twice(tmp_path: Path) -> None:
    log = tmp_path / "app-1.log"
    log.write_bytes(b"before\n")
    (tmp_path / "app-0.log.gz").write_bytes(b"\x1f\x8b packed")
    with Following([tmp_path / "app-*.log*"]) as following:
        assert [row["path"] for row in following.sources] == [str(log)]
        append(log, b"one\n")
        log.rename(f"{log}.1")
        append(log, b"two\n")
        append(tmp_path / "app-2.log", b"three\n")
        following.until(lambda: len(following.data) == 2, "the new file")
        following.has(b"one\ntwo\n")
        following.has(b"three\n", source=1)
        following.run(2.2)
        assert len(following.sources) == 2


def test_a_network_that_stays_away_does_not_hold_up_the_end(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.touch()
    with Following([log]) as following:
        following.run(0.3)
        following.room = False
        append(log, b"x" * 300_000)
        following.run(0.3)
        started = time.monotonic()
        following.finish()
        assert time.monotonic() - started < 6
        assert [item["bytes"] for item in following.events("dropped")] == [300_000]


def test_the_end_is_the_one_there_was_when_it_was_asked_for(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.touch()
    with Following([log]) as following:
        following.run(0.3)
        data = append(log, os.urandom(3_000_000))
        assert not following.logs.finish()
        append(log, b"too late")
        following.finish()
        assert following.data[0] == data
