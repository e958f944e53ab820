"""What every transport promises, asked of this machine, of OpenSSH's sshd and of the embedded server alike."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.sshd_server import ALIAS, options_for
from toolkit.errors import ToolkitError, UnreachableError, UsageError
from toolkit.transports import channel_process, local
from toolkit.transports.registry import open_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.transports.base import Transport

MIB = 1 << 20
HOSTILE = [
    "'; rm -rf x",
    '"; echo "$HOME"',
    "$(id) `id` ${HOME}",
    "two\nlines",
    "",
    "-n",
    "*",
    "~",
    "back\\slash\\",
    "tab\there",
    "été €",
    "a && b | c > d # e !!",
]


@pytest.fixture(params=["local", pytest.param("openssh", marks=pytest.mark.needs_sshd), "embedded_ssh"])
def transport(request: pytest.FixtureRequest) -> Iterator[Transport]:
    if request.param == "local":
        opened = open_transport("local:")
    else:
        opened = open_transport(f"ssh://{ALIAS}", options_for(request.getfixturevalue(request.param)))
    yield opened
    opened.close()


def eventually(condition: Callable[[], bool], within_s: float = 15.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


def test_run_keeps_both_outputs_and_the_exit_code(transport: Transport) -> None:
    done = transport.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (done.stdout, done.stderr, done.exit_code) == (b"out\n", b"err\n", 3)
    assert done.argv == ("sh", "-c", "echo out; echo err >&2; exit 3")


def test_input_arrives_whole_and_ends(transport: Transport) -> None:
    data = os.urandom(3 * MIB)
    done = transport.run(["cat"], stdin=data)
    assert done.stdout == data
    assert transport.run(["cat"]).stdout == b""  # no input is an ended input, not a hanging one


def test_a_command_may_leave_its_input_unread(transport: Transport) -> None:
    done = transport.run(["sh", "-c", "echo early; exit 5"], stdin=bytes(4 * MIB))
    assert (done.stdout, done.exit_code) == (b"early\n", 5)


@pytest.mark.parametrize("order", ["2 1", "1 2", "both"])
def test_eight_mib_on_each_stream_do_not_hang(transport: Transport, order: str) -> None:
    """Reading one stream to its end first hangs as soon as the other has filled its window."""
    out, err = "head -c 8388608 /dev/zero", "head -c 8388608 /dev/zero >&2"
    script = {"1 2": f"{out}; {err}", "2 1": f"{err}; {out}", "both": f"{out} & {err}; wait"}[order]
    done = transport.run(["sh", "-c", script], timeout_s=30)
    assert (len(done.stdout), len(done.stderr), done.exit_code) == (8 * MIB, 8 * MIB, 0)


def test_only_the_first_eight_mib_are_kept_and_the_command_still_ends(transport: Transport) -> None:
    done = transport.run(["sh", "-c", "printf first; head -c 9437184 /dev/zero"])
    assert len(done.stdout) == 8 * MIB
    assert done.stdout.startswith(b"first\0")
    assert done.exit_code == 0


def test_a_missing_program_is_exit_code_127(transport: Transport) -> None:
    done = transport.run(["no-such-program-here"])
    assert done.exit_code == 127
    assert b"not found" in done.stderr


def test_a_signal_is_no_success(transport: Transport) -> None:
    # A login shell that stays in between turns the signal into 128 + 9.
    assert transport.run(["sh", "-c", "kill -9 $$"]).exit_code in {-1, 137}


def test_hostile_arguments_arrive_as_they_are(transport: Transport, tmp_path: Path) -> None:
    victim = tmp_path / "x"
    victim.write_text("here")
    script = 'cd "$0" && for one; do printf "%s\\0" "$one"; done'
    done = transport.run(["sh", "-c", script, str(tmp_path), *HOSTILE])
    assert done.stdout.decode().split("\0")[:-1] == HOSTILE
    assert victim.read_text() == "here"


def test_arguments_that_no_system_takes_are_refused(transport: Transport) -> None:
    with pytest.raises(UsageError, match="NUL"):
        transport.run(["echo", "a\0b"])
    with pytest.raises(UsageError, match="empty"):
        transport.run([])


def test_a_command_that_outlasts_its_time_is_an_error(transport: Transport) -> None:
    began = time.monotonic()
    with pytest.raises(UnreachableError, match=r"sleep 20 .*did not end within 0.3 s"):
        transport.run(["sleep", "20"], timeout_s=0.3)
    assert time.monotonic() - began < 9
    assert transport.run(["echo", "still there"]).stdout == b"still there\n"


def test_lines_come_from_both_streams_and_long_ones_are_cut(transport: Transport) -> None:
    script = "echo one; echo two >&2; head -c 2621440 /dev/zero | tr '\\0' x; echo; echo; printf rest"
    process = transport.start(["sh", "-c", script])
    found: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
    for name, line in process.lines():
        found[name].append(line)
    assert found["stderr"] == [b"two"]
    assert [len(line) for line in found["stdout"]] == [3, MIB, MIB, MIB // 2, 0, 4]
    assert found["stdout"][-1] == b"rest"
    assert process.wait(5) == 0
    process.kill()


def test_a_conversation_from_two_threads(transport: Transport) -> None:
    """The controller writes pings from one thread while another reads what the agent says."""
    process = transport.start(["cat"])
    count = 3000

    def talk() -> None:
        for number in range(count):
            process.write(b"%d %s\n" % (number, b"x" * 500))
        process.close_input()

    writer = threading.Thread(target=talk)
    writer.start()
    said = [int(line.split()[0]) for name, line in process.lines() if name == "stdout"]
    writer.join()
    assert said == list(range(count))
    assert process.wait(5) == 0
    process.kill()


def test_several_writers_do_not_tear_each_others_lines(transport: Transport) -> None:
    process = transport.start(["cat"])
    line = b"y" * 100_000 + b"\n"

    def talk() -> None:
        for _ in range(10):
            process.write(line)

    writers = [threading.Thread(target=talk) for _ in range(4)]
    for writer in writers:
        writer.start()
    lines = process.lines()
    assert {len(next(lines)[1]) for _ in range(40)} == {100_000}
    for writer in writers:
        writer.join()
    process.close_input()
    assert list(lines) == []
    process.kill()


def test_lines_come_as_they_are_said(transport: Transport) -> None:
    process = transport.start(["sh", "-c", "echo hello; read answer; echo got $answer"])
    lines = process.lines()
    assert next(lines) == ("stdout", b"hello")
    assert process.wait(0) is None
    process.write(b"you\n")
    assert next(lines) == ("stdout", b"got you")
    assert list(lines) == []
    assert process.wait(5) == 0
    process.kill()


def test_writing_to_a_command_that_ended_is_an_error(transport: Transport) -> None:
    process = transport.start(["true"])
    assert process.wait(5) == 0

    def refused() -> bool:
        try:
            process.write(bytes(65536))
        except UnreachableError:
            return True
        return False

    assert eventually(refused)
    process.kill()


def test_writing_to_a_command_that_does_not_read_ends(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "SEND_S", 0.4)
    monkeypatch.setattr(channel_process, "SEND_S", 0.4)
    process = transport.start(["sleep", "20"])
    began = time.monotonic()
    with pytest.raises(UnreachableError, match=r"read nothing of its input for 0.4 s"):
        process.write(bytes(16 * MIB))
    assert time.monotonic() - began < 9
    process.kill()


def test_kill_ends_the_reader(transport: Transport) -> None:
    process = transport.start(["sh", "-c", "echo ready; exec sleep 20"])
    lines = process.lines()
    assert next(lines) == ("stdout", b"ready")
    threading.Timer(0.1, process.kill).start()
    began = time.monotonic()
    assert list(lines) == []
    assert time.monotonic() - began < 9
    process.kill()  # a second time is fine


def test_closing_the_transport_ends_the_input_of_what_was_started(
    transport: Transport, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    process = transport.start(["sh", "-c", 'echo ready; cat > /dev/null; echo end > "$0"', str(seen)])
    assert next(process.lines()) == ("stdout", b"ready")
    transport.close()
    assert eventually(seen.exists)
    process.kill()
    transport.close()


def test_commands_run_side_by_side(transport: Transport) -> None:
    talker = transport.start(["cat"])
    lines = talker.lines()
    for number in range(5):
        talker.write(b"%d\n" % number)
        assert transport.run(["echo", "aside"]).stdout == b"aside\n"
        assert next(lines) == ("stdout", b"%d" % number)
    talker.kill()


def test_nothing_is_left_open(transport: Transport) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0

    transport.run(["true"])
    before = descriptors()
    for _ in range(8):
        transport.run(["cat"], stdin=b"x")
        process = transport.start(["echo", "x"])
        list(process.lines())
        process.wait(5)
        process.kill()
    assert eventually(lambda: descriptors() <= before)


@pytest.mark.parametrize("mode", [0o600, 0o700, 0o666])
def test_put_writes_a_new_file_with_its_mode(transport: Transport, tmp_path: Path, mode: int) -> None:
    data = os.urandom(5 * MIB + 17)
    path = tmp_path / "new file"
    transport.put(data, str(path), mode)
    assert path.read_bytes() == data
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_put_writes_an_empty_file(transport: Transport, tmp_path: Path) -> None:
    transport.put(b"", str(tmp_path / "empty"), 0o600)
    assert (tmp_path / "empty").read_bytes() == b""


def test_put_replaces_nothing(transport: Transport, tmp_path: Path) -> None:
    path = tmp_path / "there"
    path.write_text("old")
    with pytest.raises(ToolkitError, match=r"there on .* could not be \w+: File exists"):
        transport.put(b"new", str(path), 0o600)
    assert path.read_text() == "old"


@pytest.mark.parametrize("there", [True, False])
def test_put_follows_no_planted_link(transport: Transport, tmp_path: Path, there: bool) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    if there:
        target.write_text("old")
    link.symlink_to(target)
    with pytest.raises(ToolkitError, match="File exists"):
        transport.put(b"new", str(link), 0o600)
    assert link.is_symlink()
    assert target.exists() == there
    assert not there or target.read_text() == "old"


def test_put_into_no_directory_says_so(transport: Transport, tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match=r"(?i)no such file"):
        transport.put(b"x", str(tmp_path / "none" / "x"), 0o600)


@pytest.mark.parametrize("used", [True, False], ids=["after a put", "at first"])
def test_exists_sees_every_kind_of_entry(transport: Transport, tmp_path: Path, *, used: bool) -> None:
    if used:
        transport.put(b"x", str(tmp_path / "put"), 0o600)
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    names = ["file", "folder", "nowhere", "missing", "-n", "a 'b"]
    (tmp_path / "a 'b").touch()
    there = [name for name in names if transport.exists(str(tmp_path / name))]
    assert there == ["file", "folder", "nowhere", "a 'b"]
