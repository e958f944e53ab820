"""Connections that break in the middle of a session, and are mended."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.gunicorns import until
from tests.integration.agent_session.throwaway import PASSWORD
from tests.wire import Wire
from toolkit.run.agent_opening import open_session
from toolkit.run.redial import open_lasting, redial_of
from toolkit.transports.base import ConnectOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gunicorns import Gunicorn
    from tests.integration.agent_session.conftest import Events
    from tests.integration.agent_session.throwaway import ThrowawayServer
    from toolkit.recording.layout import ServerFolder
    from toolkit.transports.base import Transport

pytestmark = [pytest.mark.needs_root, pytest.mark.needs_sshd]

RULES = {
    "password": "deploy ALL=(ALL:ALL) ALL",
    "pty": "Defaults use_pty\ndeploy ALL=(ALL:ALL) NOPASSWD: ALL",
}


@pytest.fixture
def wire(server: ThrowawayServer) -> Iterator[Wire]:
    with Wire(server.port) as between:
        yield between
    assert server.left_over() == []
    assert server.processes() == []


@pytest.fixture
def lasting(server: ThrowawayServer, wire: Wire) -> Iterator[Transport]:
    """A connection over the wire that can be made anew."""
    known_hosts = server.folder / f"known_hosts_{wire.port}"
    known_hosts.write_text(server.known_hosts.read_text().replace(str(server.port), str(wire.port)))
    options = ConnectOptions(
        config_path=server.client_config, known_hosts=(known_hosts,), identity_files=(server.identity,)
    )
    transport = open_lasting(f"ssh://deploy@127.0.0.1:{wire.port}", options)
    yield transport
    transport.close()


def chunk_numbers(folder: ServerFolder) -> list[int]:
    rows = [json.loads(line) for line in folder.chunks.read_text().splitlines()]
    return sorted(row["seq"] for row in rows)


@pytest.mark.parametrize("rule", RULES)
def test_the_agent_of_root_is_handed_new_streams_each_time(
    server: ThrowawayServer,
    wire: Wire,
    lasting: Transport,
    gunicorn: Gunicorn,
    folder: ServerFolder,
    events: Events,
    rule: str,
) -> None:
    asked: list[str] = []

    def password(question: str) -> str:
        asked.append(question)
        return PASSWORD

    how: dict[str, Any] = {"redial": redial_of(lasting), "sudo": True, "password": password}
    with (
        server.rule(RULES[rule]),
        open_session(lasting, folder=folder, run_id="r", on_event=events, **how) as session,
    ):
        session.find({"pid": gunicorn.pid})
        session.record(["wall"], 5.0, 50.0, 1.0)
        for number in (1, 2, 3):
            wire.cut()
            until(lambda: len(events.of("line-mended")) == number, "the way back", 12)  # noqa: B023
            seen = session.chunks.get("wall", 0)
            until(lambda: session.chunks.get("wall", 0) > seen, "another chunk")  # noqa: B023
        session.stop()
    assert session.lost == ""
    assert session.missing == []
    assert len(asked) == (1 if rule == "password" else 0), "it is asked for once"
    assert chunk_numbers(folder) == list(range(len(chunk_numbers(folder))))
    assert [one["left_by_agent"] for one in events.of("cleaned")] == [False, False]


def test_a_question_that_is_on_its_way_when_it_breaks_is_answered(
    wire: Wire, lasting: Transport, folder: ServerFolder, events: Events
) -> None:
    with open_session(
        lasting, folder=folder, run_id="r", on_event=events, redial=redial_of(lasting)
    ) as session:
        wire.silent = True
        answers: list[Any] = []
        asking = threading.Thread(
            target=lambda: answers.append(session.ask({"op": "others"}, "others", 30)), daemon=True
        )
        asking.start()
        wire.cut()
        wire.silent = False
        asking.join(20)
        assert [answer["type"] for answer in answers] == ["others"]
    assert events.of("line-mended")


def test_where_the_agent_has_ended_that_is_said_at_once(
    server: ThrowawayServer, lasting: Transport, folder: ServerFolder, events: Events
) -> None:
    with open_session(
        lasting, folder=folder, run_id="r", on_event=events, redial=redial_of(lasting)
    ) as session:
        for pid in server.processes("agent.pyz"):
            server.sh(f"kill -9 {pid}")
        until(lambda: session.lost, "the loss to be seen", 8)
        assert "the agent had ended" in session.lost
        assert session.breaks == [], "no break of the connection"
