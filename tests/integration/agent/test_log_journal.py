"""A unit's journal is followed by a journalctl of our own; here by a stand-in that prints what systemd's prints."""

from __future__ import annotations

import functools
import json
import os
import socket
import subprocess
import sys
import textwrap
import time
from importlib import import_module
from pathlib import Path

import pytest

from tests.gunicorns import Gunicorn, running, shared_folder, until, without_setproctitle
from tests.integration.agent.following import Following, tree_of

STAND_IN = """#!{python}
import json, os, sys, time
folder = {folder!r}
with open(os.path.join(folder, "started"), "a") as file:
    file.write(json.dumps([os.getpid(), *sys.argv[1:]]) + "\\n")
{before}
with open(os.path.join(folder, "entries"), "rb") as file:
    while True:
        line = file.readline()
        if line.endswith(b"\\n"):
            os.write(1, line)
        else:
            file.seek(-len(line), 1)
            time.sleep(0.01)
"""


class StandIn:
    """`journalctl` on PATH, which prints the entries that are `add`ed."""

    def __init__(self, folder: Path, before: str = "") -> None:
        self._folder = folder
        self._entries = folder / "entries"
        self._entries.touch()
        program = folder / "journalctl"
        program.write_text(
            STAND_IN.format(python=sys.executable, folder=str(folder), before=textwrap.dedent(before))
        )
        program.chmod(0o755)

    def add(self, message: object, at: float | None = None, **more: str) -> None:
        """One entry, as systemd prints it."""
        entry = {
            "MESSAGE": message,
            "__REALTIME_TIMESTAMP": str(int((at or time.time()) * 1e6)),
            "_PID": "77",
            **more,
        }
        with self._entries.open("ab") as file:
            file.write(json.dumps(entry).encode() + b"\n")

    @property
    def started(self) -> list[list[object]]:
        """[PID, arguments …] of each that was started."""
        path = self._folder / "started"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def messages(following: Following) -> list[str]:
    return [json.loads(line)["message"] for line in following.data.get(0, b"").splitlines()]


def test_a_unit_is_followed_from_the_start_on_and_its_reader_is_ended(bin_folder: Path) -> None:
    journal = StandIn(bin_folder)
    with Following(units=["web"]) as following:
        row = following.sources[0]
        assert (row["kind"], row["path"], row["found"], row["note"]) == (
            "journal",
            "web.service",
            "named in the plan",
            None,
        )
        pid, *arguments = journal.started[0]
        assert isinstance(pid, int)
        assert "--unit=web.service" in arguments
        assert "--follow" in arguments
        assert "--all" in arguments, "long messages would be left out"
        journal.add("from before", at=time.time() - 60)
        journal.add("one\nof two lines")
        journal.add([255, 10, 65], PRIORITY="3")
        following.until(lambda: len(messages(following)) == 2, "two entries")
        assert messages(following) == ["one\nof two lines", "\udcff\nA"]
        journal.add("the last")
        following.finish()
        assert messages(following)[-1] == "the last"
        assert not running(pid)


def test_it_waits_where_there_is_no_room_and_stays_within_bounds(bin_folder: Path) -> None:
    journal = StandIn(bin_folder)
    with Following(units=["web"], limit_bytes=2_000_000) as following:
        following.room = False
        expected = [f"{number} " + "x" * 10_000 for number in range(150)]
        for message in expected:
            journal.add(message)
        following.run(0.6)
        assert following.data == {}
        following.room = True
        following.until(lambda: len(following.data.get(0, b"")) > 1_500_000, "the entries")
        following.finish()
        assert messages(following) == expected


def test_the_limit_holds_for_a_journal_too(bin_folder: Path) -> None:
    journal = StandIn(bin_folder)
    with Following(units=["web"], limit_bytes=1000) as following:
        for _ in range(10):
            journal.add("x" * 500)
        following.until(lambda: following.events("limit"), "the limit")
        following.finish()
        assert len(following.data[0]) == 1000
        first, last = following.events("limit")
        assert first["bytes"] is None
        assert last["bytes"] > 3000


@pytest.mark.parametrize(
    ("before", "note"),
    [
        (
            'sys.exit("No journal files were opened due to insufficient permissions.")',
            "journalctl: No journal files were opened due to insufficient permissions.",
        ),
        ("sys.exit(1)", "journalctl: it ended"),
    ],
)
def test_a_journal_that_may_not_be_read_is_named(bin_folder: Path, before: str, note: str) -> None:
    StandIn(bin_folder, before)
    with Following(units=["web"]) as following:
        assert following.sources[0]["note"] == note
        following.finish()


def test_without_journalctl_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with Following(units=["web"]) as following:
        assert following.sources[0]["note"] == "journalctl is not there"


def test_an_old_journalctl_is_asked_for_whole_entries(bin_folder: Path) -> None:
    before = """
        if any(item.startswith("--output-fields") for item in sys.argv):
            sys.exit("journalctl: unrecognized option '--output-fields=MESSAGE'")
    """
    journal = StandIn(bin_folder, before)
    with Following(units=["web"]) as following:
        journal.add("one", _COMM="gunicorn", _HOSTNAME="web-1")
        following.until(lambda: messages(following) == ["one"], "the entry")
        assert len(journal.started) == 2


def test_what_this_user_may_not_see_is_said(bin_folder: Path) -> None:
    hint = "Hint: You are currently not seeing messages from other users and the system."
    StandIn(bin_folder, f"print({hint!r}, file=sys.stderr, flush=True)")
    with Following(units=["web"]) as following:
        assert following.sources[0]["note"] is None
        assert any("only what this user may see" in note for note in following.logs.notes)


def test_a_reader_that_dies_is_told_and_nothing_else_suffers(bin_folder: Path, tmp_path: Path) -> None:
    StandIn(bin_folder, "time.sleep(0.8)\nsys.exit('Failed to iterate through journal: Bad message')")
    log = tmp_path / "app.log"
    log.touch()
    with Following([log], units=["web"]) as following:
        following.until(lambda: following.events("gone"), "its end")
        assert (
            following.events("gone")[0]["note"]
            == "journalctl: Failed to iterate through journal: Bad message"
        )
        log.write_bytes(b"line\n")
        following.has(b"line\n", source=1)
        following.finish()


def test_the_reader_ends_with_the_agent_however_that_ends(bin_folder: Path) -> None:
    journal = StandIn(bin_folder)
    code = (
        "import os, time\nfrom tests.integration.agent.following import Following\n"
        "Following(units=['web'])\nos.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=False)
    pid = journal.started[0][0]
    assert isinstance(pid, int)
    until(lambda: not running(pid), "the reader to end")


def test_the_unit_of_a_gunicorn_that_logs_to_the_journal_is_found(
    bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As systemd starts it: the standard streams are a socket of the journal's, which JOURNAL_STREAM names."""
    journal = StandIn(bin_folder)
    streams = import_module("log_streams")
    ours, theirs = socket.socketpair()
    with ours, theirs, shared_folder() as folder:
        found = os.fstat(theirs.fileno())
        environment = {**without_setproctitle(folder), "JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}

        class Unit(Gunicorn):
            def _listening_pid(self) -> int:
                return self.process.pid

        number = theirs.fileno()
        onto = (
            f"import os, sys; os.dup2({number}, 1); os.dup2({number}, 2); os.execv(sys.argv[1], sys.argv[1:])"
        )
        command = [sys.executable, "-c", onto, sys.executable, "-m", "gunicorn"]
        started = functools.partial(subprocess.Popen, pass_fds=[number])
        monkeypatch.setattr("tests.gunicorns.subprocess.Popen", started)
        with Unit(folder, command=command, environment=environment) as unit:
            monkeypatch.undo()
            monkeypatch.setattr(streams.choose, "unit_of", lambda _pid: "shop.service")
            monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
            with Following(tree=tree_of(unit.pid), find=True) as following:
                (row,) = following.sources
                assert (row["kind"], row["path"]) == ("journal", "shop.service")
                assert row["found"] == f"standard error of PID {unit.pid}"
                journal.add("[2026-11-21 04:04:39 +0000] [14157] [INFO] Listening")
                following.until(lambda: messages(following), "an entry")
