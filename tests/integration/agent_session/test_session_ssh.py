"""A session over real SSH: what servers are like, and connections that break."""

from __future__ import annotations

import os
import signal
import sysconfig
import time
from typing import TYPE_CHECKING

import pytest

from tests.gunicorns import Gunicorn, shared_folder, until
from toolkit.errors import ToolkitError, UnreachableError
from toolkit.run.agent_opening import open_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.integration.agent_session.conftest import Events
    from tests.integration.agent_session.throwaway import ThrowawayServer
    from toolkit.recording.layout import ServerFolder
    from toolkit.transports.base import RemoteProcess, Transport

pytestmark = [pytest.mark.needs_root, pytest.mark.needs_sshd]


@pytest.fixture(scope="module")
def own_gunicorn(server: ThrowawayServer) -> Iterator[Gunicorn]:
    """A gunicorn of deploy's, on the system's Python."""
    uid = int(server.sh("id -u deploy"))
    packages = {"PYTHONPATH": sysconfig.get_path("purelib")}
    with shared_folder() as folder:
        os.chown(folder, uid, uid)
        with Gunicorn(
            folder, workers=1, python="/usr/bin/python3", environment=packages, user=uid
        ) as running:
            yield running


def test_records_the_users_own_gunicorn_without_any_right(
    over_ssh: Transport, own_gunicorn: Gunicorn, folder: ServerFolder
) -> None:
    began = time.monotonic()
    with open_session(over_ssh, folder=folder, run_id="r") as session:
        assert session.facts["user"] == "deploy"
        session.find({"port": own_gunicorn.port})
        session.record(["wall"], 5.0, 50.0, 1.0)
        until(lambda: session.chunks.get("wall"), "a chunk")
        session.stop()
    assert session.sample_count > 0
    assert abs(session.offset_ns) <= session.offset_error_ns + 10**6
    assert time.monotonic() - began < 12


def test_a_talkative_shell_does_no_harm(server: ThrowawayServer, folder: ServerFolder) -> None:
    noise = r"""echo "Welcome!"; printf "no newline, \033[2J"; echo "toolkit-0000 python=/bin/false"; echo gone=yes
printf '{"motd":1}\n{"type":"chunk","view":"wall"}\n{"type":"file"}\n'; echo complaint >&2; printf 'and again '
"""
    server.sh(f"cat >~deploy/.bashrc <<'E'\n{noise}E\nusermod -s /bin/bash deploy")
    talkative = server.transport()  # the shell is looked up at login
    try:
        assert b"Welcome!" in talkative.run(["true"]).stdout
        with open_session(talkative, folder=folder, run_id="r") as session:
            assert session.facts["hostname"]
            assert session.facts["directory"].startswith("/tmp/toolkit.")
    finally:
        talkative.close()
        server.sh("rm ~deploy/.bashrc; usermod -s /bin/sh deploy")
    assert folder.chunks.read_bytes() == b""
    assert folder.agent_log.read_text().isascii()
    assert "\033" not in folder.agent_log.read_text()
    assert server.left_over() == []


@pytest.mark.parametrize("options", ["noexec", "size=1m"])
def test_another_place_is_found_where_tmp_will_not_do(
    server: ThrowawayServer, over_ssh: Transport, folder: ServerFolder, options: str
) -> None:
    with server.mounted("/tmp", options), open_session(over_ssh, folder=folder, run_id="r") as session:
        assert session.facts["directory"].startswith("/var/tmp/toolkit.")


@pytest.mark.parametrize(
    ("options", "reason"), [("noexec", "runs no programs"), ("size=1m", "has less than 100 MB free")]
)
def test_no_place_is_an_error_with_its_reason(
    server: ThrowawayServer, over_ssh: Transport, folder: ServerFolder, options: str, reason: str
) -> None:
    with (
        server.mounted("/tmp", options),
        server.mounted("/var/tmp", options),
        server.mounted("/home/deploy", options),
        pytest.raises(ToolkitError) as caught,
    ):
        # Logging in again would need the key in the home folder; this connection is open already.
        open_session(over_ssh, folder=folder, run_id="r")
    assert f"/tmp {reason}" in caught.value.message
    assert f"/var/tmp {reason}" in caught.value.message
    assert "TMPDIR" in caught.value.hint


def test_a_cut_connection_ends_both_sides(
    server: ThrowawayServer, over_ssh: Transport, own_gunicorn: Gunicorn, folder: ServerFolder, events: Events
) -> None:
    session = open_session(over_ssh, folder=folder, run_id="r", on_event=events)
    session.find({"port": own_gunicorn.port})
    session.record(["wall"], 5.0, 20.0, 1.0)
    for pid in server.processes("sshd: deploy"):
        os.kill(pid, signal.SIGKILL)
    until(lambda: session.lost, "the loss to be noticed", 10)
    with pytest.raises(UnreachableError):
        session.stop()
    session.close()
    assert events.of("unclear")
    until(lambda: not server.processes(), "the agent to end", 20)
    # What it recorded and could not send it leaves, and nothing else; see profile/agent/store.py.
    for left in server.left_over():
        names = server.sh(f"find {left} -type f").split()
        assert all("/recordings/" in name for name in names)
        server.sh(f"rm -rf {left}")


def test_a_connection_that_falls_silent_is_given_up(
    server: ThrowawayServer,
    over_ssh: Transport,
    folder: ServerFolder,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("toolkit.run.agent_start._SHORTEST_SILENCE_S", 1.0)
    monkeypatch.setattr("toolkit.run.agent_line.HEARTBEAT_S", 0.3)
    monkeypatch.setattr("toolkit.transports.ssh_connection._OPEN_S", 1.0)
    session = open_session(over_ssh, folder=folder, run_id="r", grace_s=1.0, on_event=events)
    silent = server.processes("sshd: deploy")
    assert silent
    try:
        for pid in silent:
            os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        until(lambda: session.lost, "the silence to be noticed", 8)
        session.close()
        assert time.monotonic() - began < 25  # most of it the transport's patience with a new channel
        until(lambda: not server.processes(), "the agent to notice it too", 10)
    finally:
        for pid in silent:
            os.kill(pid, signal.SIGCONT)
    assert "no sign of life" in session.lost
    assert events.of("unclear")
    assert server.left_over() == []


def test_an_interruption_while_starting_leaves_nothing(
    server: ThrowawayServer, over_ssh: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        assert server.left_over()
        raise KeyboardInterrupt

    monkeypatch.setattr("toolkit.run.agent_link.AgentLink.measure_clock", interrupt)
    with pytest.raises(KeyboardInterrupt):
        open_session(over_ssh, folder=folder, run_id="r")


def test_an_interruption_while_pushing_leaves_nothing(
    server: ThrowawayServer, over_ssh: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        assert server.left_over()
        raise KeyboardInterrupt

    monkeypatch.setattr(over_ssh, "put", interrupt)
    with pytest.raises(KeyboardInterrupt):
        open_session(over_ssh, folder=folder, run_id="r")


@pytest.mark.parametrize("heard", [b"machine=", b"folder="], ids=["before the folder", "after the folder"])
def test_an_interruption_while_looking_leaves_nothing(
    server: ThrowawayServer,
    over_ssh: Transport,
    folder: ServerFolder,
    monkeypatch: pytest.MonkeyPatch,
    heard: bytes,
) -> None:
    started = over_ssh.start

    def start(argv: Sequence[str]) -> RemoteProcess:
        process = started(argv)
        lines = process.lines

        def interrupted() -> Iterator[tuple[str, bytes]]:
            for stream, line in lines():
                if heard in line:
                    raise KeyboardInterrupt
                yield stream, line

        monkeypatch.setattr(process, "lines", interrupted)
        return process

    monkeypatch.setattr(over_ssh, "start", start)
    with pytest.raises(KeyboardInterrupt):
        open_session(over_ssh, folder=folder, run_id="r")
    time.sleep(2.0)  # the script goes on by itself
    assert server.left_over() == []
