"""Real sudo on a throwaway server: the rules, the password, and that it shows up nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.gunicorns import until
from tests.integration.agent_session.throwaway import PASSWORD, command_lines
from toolkit.errors import NotPermittedError
from toolkit.run.agent_opening import open_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gunicorns import Gunicorn
    from tests.integration.agent_session.conftest import Events
    from tests.integration.agent_session.throwaway import ThrowawayServer
    from toolkit.recording.layout import ServerFolder
    from toolkit.transports.base import Transport

pytestmark = [pytest.mark.needs_root, pytest.mark.needs_sshd]

ALL_WITH_PASSWORD = "deploy ALL=(ALL:ALL) ALL"
ALL_WITHOUT = "deploy ALL=(ALL:ALL) NOPASSWD: ALL"


def nobody_asks(_: str) -> str:
    raise AssertionError("no password is needed here")


@contextmanager
def watching_for(secret: str) -> Iterator[list[str]]:
    """Looks at every command line and environment of the machine, all the time."""
    seen: list[str] = []
    stop = threading.Event()
    needle = secret.encode()

    def look() -> None:
        while not stop.is_set():
            seen.extend(line for _, line in command_lines() if secret in line)
            for environment in Path("/proc").glob("[0-9]*/environ"):
                try:
                    if needle in environment.read_bytes():
                        seen.append(str(environment))
                except OSError:
                    continue

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()


def test_without_sudo_the_agent_may_not_read_anothers_gunicorn(
    over_ssh: Transport, gunicorn: Gunicorn, folder: ServerFolder
) -> None:
    with open_session(over_ssh, folder=folder, run_id="r") as session:
        session.find({"pid": gunicorn.pid})
        with pytest.raises(NotPermittedError) as caught:
            session.check()
    assert caught.value.exit_code == 77
    assert "sudo: true" in caught.value.hint


def test_nopasswd_needs_no_question(
    server: ThrowawayServer, over_ssh: Transport, gunicorn: Gunicorn, folder: ServerFolder
) -> None:
    with (
        server.rule(ALL_WITHOUT),
        open_session(over_ssh, folder=folder, run_id="r", sudo=True, password=nobody_asks) as session,
    ):
        assert session.facts["uid"] == 0
        session.find({"pid": gunicorn.pid})
        assert session.check()["views"]["cpu"]["valid"]
        session.record(["wall"], 5.0, 20.0, 1.0)
        until(lambda: session.chunks.get("wall"), "a chunk")
        session.stop()
    assert session.sample_count > 0


def test_the_password_is_asked_for_once_and_shows_up_nowhere(
    server: ThrowawayServer,
    over_ssh: Transport,
    gunicorn: Gunicorn,
    folder: ServerFolder,
    events: Events,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    questions: list[str] = []
    lines: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        return PASSWORD

    with server.rule(ALL_WITH_PASSWORD), watching_for(PASSWORD) as seen:
        with open_session(
            over_ssh, folder=folder, run_id="r", sudo=True, password=answer, log=lines.append, on_event=events
        ) as session:
            assert session.facts["uid"] == 0
            session.find({"pid": gunicorn.pid})
            session.record(["wall"], 5.0, 20.0, 1.0)
            session.stop()
            assert PASSWORD not in repr(vars(session)) + repr(session._elevation)
        # Whatever the agent wrote down of what it was told would lie here.
        assert server.left_over() == []
    assert len(questions) == 1
    assert over_ssh.address in questions[0]
    assert seen == []
    written = b"".join(path.read_bytes() for path in folder.path.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in written
    assert PASSWORD not in "\n".join(lines) + json.dumps(events, ensure_ascii=False) + caplog.text
    assert "not of the protocol" not in folder.agent_log.read_text()


def test_the_watcher_would_see_it() -> None:
    with watching_for(PASSWORD) as seen, subprocess.Popen(["sh", "-c", "sleep 60 #", PASSWORD]) as leaky:
        until(lambda: seen, "the watcher to see a leak", 5)
        leaky.kill()


def test_a_wrong_password_is_refused_and_not_repeated(
    server: ThrowawayServer, over_ssh: Transport, folder: ServerFolder
) -> None:
    asked: list[str] = []

    def wrong(question: str) -> str:
        asked.append(question)
        return "wrong-Password-1"

    with server.rule(ALL_WITH_PASSWORD), pytest.raises(NotPermittedError) as caught:
        open_session(over_ssh, folder=folder, run_id="r", sudo=True, password=wrong)
    assert "did not take the password" in caught.value.message
    assert len(asked) == 1
    assert "wrong-Password-1" not in str(caught.value) + folder.agent_log.read_text()


@pytest.mark.parametrize("password", ["", "two\nlines", "nul\0"])
def test_a_password_that_would_become_protocol_is_refused(
    server: ThrowawayServer, over_ssh: Transport, folder: ServerFolder, password: str
) -> None:
    with server.rule(ALL_WITH_PASSWORD), pytest.raises(NotPermittedError, match="No usable sudo password"):
        open_session(over_ssh, folder=folder, run_id="r", sudo=True, password=lambda _: password)


def test_nobody_to_ask_names_both_cures(
    server: ThrowawayServer, over_ssh: Transport, folder: ServerFolder
) -> None:
    with server.rule(ALL_WITH_PASSWORD), pytest.raises(NotPermittedError) as caught:
        open_session(over_ssh, folder=folder, run_id="r", sudo=True)
    assert caught.value.exit_code == 77
    assert "terminal" in caught.value.hint
    assert "prepare-server.sh" in caught.value.hint


@pytest.mark.parametrize(
    "rule",
    [
        "# no rule for deploy at all",
        "deploy ALL=(root) /usr/bin/true",
        "deploy ALL=(root) NOPASSWD: /usr/bin/true",
    ],
    ids=["not in sudoers", "another command", "another command without password"],
)
def test_no_rule_for_the_agent_is_not_permitted(
    server: ThrowawayServer, over_ssh: Transport, folder: ServerFolder, rule: str
) -> None:
    with server.rule(rule), pytest.raises(NotPermittedError) as caught:
        open_session(over_ssh, folder=folder, run_id="r", sudo=True, password=lambda _: PASSWORD)
    assert "does not let this user" in caught.value.message
    assert "sudoers.example" in caught.value.hint


def test_requiretty_is_named(server: ThrowawayServer, over_ssh: Transport, folder: ServerFolder) -> None:
    with (
        server.rule(f"Defaults:deploy requiretty\n{ALL_WITHOUT}"),
        pytest.raises(NotPermittedError) as caught,
    ):
        open_session(over_ssh, folder=folder, run_id="r", sudo=True)
    assert "requiretty" in caught.value.message


def test_with_use_pty_the_session_works_all_the_same(
    server: ThrowawayServer, over_ssh: Transport, gunicorn: Gunicorn, folder: ServerFolder
) -> None:
    with (
        server.rule(f"Defaults:deploy use_pty\n{ALL_WITH_PASSWORD}"),
        open_session(over_ssh, folder=folder, run_id="r", sudo=True, password=lambda _: PASSWORD) as session,
    ):
        assert session.find({"pid": gunicorn.pid})["arbiter"]["pid"] == gunicorn.pid


def test_roots_own_login_uses_no_sudo(local: Transport, folder: ServerFolder) -> None:
    with open_session(local, folder=folder, run_id="r", sudo=True, password=nobody_asks) as session:
        assert session.facts["uid"] == os.geteuid() == 0
        assert "sudo" not in " ".join(
            line for _, line in command_lines() if session.facts["directory"] in line
        )


def test_a_lost_agent_of_roots_is_cleaned_with_the_same_rights(
    server: ThrowawayServer, over_ssh: Transport, folder: ServerFolder, events: Events
) -> None:
    with server.rule(ALL_WITH_PASSWORD):
        session = open_session(
            over_ssh, folder=folder, run_id="r", sudo=True, password=lambda _: PASSWORD, on_event=events
        )
        left: Any = server.left_over()
        agents = [
            pid for pid in server.processes() if Path(f"/proc/{pid}/comm").read_text().startswith("python")
        ]
        assert len(agents) == 1
        os.kill(agents[0], 9)
        until(lambda: session.lost, "the loss to be noticed", 10)
        session.close()
    assert len(left) == 2  # the user's, and root's own
    assert {event["folder"] for event in events.of("cleaned")} == set(left)
