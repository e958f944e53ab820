"""An agent that lies: never a traceback, never a path outside of the run folder, never memory without a bound."""

from __future__ import annotations

import contextlib
import json
import os
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.lying import HONEST, LINES, UNASKED, LyingProcess, LyingTransport, twisted
from tests.faults.table import Row
from toolkit.errors import ToolkitError
from toolkit.recording.layout import ServerFolder
from toolkit.run.agent_files import AgentLog
from toolkit.run.agent_push import Placed
from toolkit.run.agent_record import AgentRecord
from toolkit.run.agent_session import AgentSession
from toolkit.run.agent_sudo import Elevation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.faults.table import FaultTable

EXAMPLES = 300 if os.environ.get("TOOLKIT_FAULTS_WRITE") else 50
LOGS = {"find": True, "files": [], "units": [], "limit_bytes": 1_000_000}


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not come is waited for a moment only."""
    for name in ("FIND_S", "CHECK_S", "RECORD_S", "STOP_S", "BYE_S", "WATCH_S"):
        monkeypatch.setattr(f"toolkit.run.agent_session.{name}", 0.05)
    monkeypatch.setattr("toolkit.run.agent_start.HELLO_S", 0.05)


@st.composite
def answers(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """An answer to each question; up to two of them are twisted, or do not come."""
    made = dict(HONEST)
    for op in draw(st.lists(st.sampled_from(sorted(HONEST)), max_size=2, unique=True)):
        twist = draw(st.none() | twisted(made[op]))
        if twist is None:
            del made[op]
        else:
            made[op] = twist
    return made


def session_with(
    folder: ServerFolder, process: LyingProcess, told: list[str], events: list[Any]
) -> AgentSession:
    """A session with that agent, to be greeted."""
    transport: Any = LyingTransport(process)
    placed = Placed("/usr/bin/python3", "/tmp/toolkit.12345678/agent.pyz", "/tmp/toolkit.12345678")
    words = AgentLog(folder.agent_log)

    def on_event(kind: str, details: dict[str, Any]) -> None:
        json.dumps(details)  # it is to stand in events.jsonl
        events.append(kind)

    def write_down(text: str) -> None:
        words(text)
        told.append(text)

    elevation = Elevation(transport.address, wanted=False)
    return AgentSession(transport, folder, placed, elevation, words, write_down, on_event)


def talk(session: AgentSession) -> list[ToolkitError]:
    """What a run asks, from the greeting to the goodbye; the errors that an operator would read."""
    errors = []
    steps: list[Callable[[], object]] = [
        lambda: session.greet("r", 1.0, 60.0, None),
        lambda: session.find({}),
        lambda: session.check(["wall"]),
        lambda: session.watch(1.0, LOGS),
        lambda: session.record(["wall"], 5.0, None, 1.0),
        session.end_recording,
        session.stop,
        session.close,
    ]
    for step in steps:
        try:
            step()
        except ToolkitError as error:  # anything else would be a traceback
            errors.append(error)
    return errors


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(said=answers(), lies=st.lists(st.lists(LINES, max_size=4), max_size=6))
def test_whatever_it_says(said: dict[str, dict[str, Any]], lies: list[list[bytes]]) -> None:
    with TemporaryDirectory() as place:
        outside = Path(place) / "outside"
        folder = ServerFolder(outside / "run" / "servers" / "web")
        folder.path.mkdir(parents=True)
        told: list[str] = []
        events: list[Any] = []
        session = session_with(folder, LyingProcess(said, lies), told, events)
        errors = talk(session)

        assert "could not be handled" not in session.lost, (session.lost, told)
        for text in [*told, *map(str, errors), *session.missing]:
            assert "Traceback" not in text
        for text in [*map(str, errors), *session.missing]:
            assert text.isprintable(), text
        assert {
            path for path in outside.rglob("*") if not path.is_dir() and folder.path not in path.parents
        } == set()
        _well_formed(session)
        for found in folder.path.rglob("*"):
            assert not found.is_symlink()
            assert found.resolve().is_relative_to(folder.path.resolve())


def _well_formed(session: AgentSession) -> None:
    """What goes on into run.json and to the display."""
    json.dumps(
        [session.facts, session.views, session.budget, session.workers, session.chunks], allow_nan=False
    )
    assert all(isinstance(state.get("reason", ""), (str, type(None))) for state in session.views.values())
    assert all(isinstance(state.get("rate_hz", 0), (int, float)) for state in session.views.values())
    assert all(not isinstance(value, (dict, list)) for value in session.budget.values())
    texts = ("hostname", "user", "python", "directory")
    assert all(isinstance(session.facts.get(name, ""), str) for name in texts)
    assert isinstance(session.facts.get("disk_free_bytes", 0), int)


@contextlib.contextmanager
def recording(folder: Path) -> Iterator[AgentRecord]:
    record = AgentRecord(ServerFolder(folder), lambda _: None, lambda *_: None, lambda _: None, lambda: 0)
    record.begin_watching(1_000_000)
    record.recording = record.watching = True
    yield record
    record.close()


def _varied(message: dict[str, Any], number: int) -> dict[str, Any]:
    """The same once more, of other things."""
    other = dict(message)
    if message["type"] == "workers":
        other["born"] = [
            {"pid": number * 5 + one + 1, "create_time": 1.0, "title": "x" * 300} for one in range(5)
        ]
    if message["type"] in {"chunk", "log_source"}:
        other["seq" if message["type"] == "chunk" else "source"] = number
    if message["type"] == "file":
        other["name"] = f"wall-{number:06d}.raw.gz"
        other["last"] = False
    if message["type"] in {"error", "log"}:
        other["message"] = f"{number} " + "x" * 900
    return other


@pytest.mark.parametrize("message", UNASKED, ids=[message["type"] for message in UNASKED])
def test_memory_does_not_grow_with_what_it_says(tmp_path: Path, message: dict[str, Any]) -> None:
    """Of the same size after three thousand messages as after one thousand, but for the number of each chunk."""
    sizes = []
    tracemalloc.start()
    try:
        with recording(tmp_path) as record:
            for number in range(3000):
                with contextlib.suppress(ToolkitError):
                    record.hear(_varied(message, number))
                if number in {1000, 2999}:
                    sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[1] - sizes[0] < 800_000, sizes
    assert len(record.workers) <= 2000
    assert len(list(Path("/proc/self/fd").iterdir())) < 200


def test_events_are_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.run.agent_record._EVENT_BYTES", 20_000)
    said: list[str] = []
    record = AgentRecord(
        ServerFolder(tmp_path),
        lambda _: None,
        lambda _, details: said.append(json.dumps(details)),
        lambda _: None,
        lambda: 0,
    )
    for number in range(500):
        record.hear(
            {"type": "rate", "views": {"wall": {"rate_hz": number}}, "budget": {"message": "x" * 500}}
        )
    record.close()
    assert 10_000 < sum(map(len, said)) < 25_000
    assert any("more than anybody could need" in sentence for sentence in record.missing)


def test_the_row(table: FaultTable) -> None:
    table.rows.append(
        Row(
            f"an agent that lies ({EXAMPLES} conversations of hypothesis, without a process)",
            None,
            "what was as agreed",
            1,
            "what was refused is named among what is missing",
        )
    )
