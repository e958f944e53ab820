"""Everything from a server is untrusted: what a lying agent can do to this side is nothing."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.gunicorns import until
from tests.integration.agent_session.hostile import STACKS, chunk, install, part
from toolkit.errors import ToolkitError, UnreachableError
from toolkit.recording.jsonl import read_lines
from toolkit.run.agent_opening import open_session

if TYPE_CHECKING:
    from tests.integration.agent_session.conftest import Events
    from toolkit.recording.layout import ServerFolder
    from toolkit.run.agent_session import AgentSession
    from toolkit.transports.base import Transport

GOOD = "wall-000000.raw.gz"


def run(local: Transport, folder: ServerFolder, events: Any = None) -> AgentSession:
    with open_session(local, folder=folder, run_id="r", on_event=events) as session:
        session.find({})
        session.record(["wall"], 5.0, None, 5.0)
        session.stop()
    return session


def says(*messages: Any) -> str:
    return "def on_record():\n" + "\n".join(f"    say(json.loads({json.dumps(m)!r}))" for m in messages)


def files(folder: ServerFolder) -> list[str]:
    return sorted(str(path.relative_to(folder.path)) for path in folder.path.rglob("*") if path.is_file())


ALWAYS = ["agent.log", "facts.json", "stacks/chunks.jsonl"]


def test_an_honest_agent_of_this_kind_is_believed(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = len(STACKS) // 2
    install(
        monkeypatch,
        says(part(GOOD, STACKS[:half], last=False), part(GOOD, STACKS[half:], 1), chunk()),
    )
    session = run(local, folder)
    assert folder.chunk("wall", 0).read_bytes() == STACKS
    (row,) = read_lines(folder.chunks)
    assert row == {key: value for key, value in chunk().items() if key != "type"}
    assert session.missing == []
    assert f"ACK {GOOD}" in folder.agent_log.read_text()


def test_a_path_for_a_name_is_refused(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch, events: Events
) -> None:
    install(monkeypatch, says(part("../../../evil", STACKS), part("/tmp/evil", STACKS)))
    session = run(local, folder, events)
    assert files(folder) == ALWAYS
    assert folder.chunks.read_bytes() == b""
    assert len(events.of("refused")) == 2
    assert "refused" in session.missing[0]


def test_no_link_in_the_stacks_folder_is_followed(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder.stacks.mkdir(parents=True)
    folder.chunk("wall", 0).symlink_to(victim)
    install(monkeypatch, says(part(GOOD, STACKS), chunk()))
    run(local, folder)
    assert victim.read_text() == "mine"
    assert folder.chunk("wall", 0).read_bytes() == STACKS


def test_what_is_half_at_the_end_is_dropped(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, says(part(GOOD, b"never ended", last=False)))
    run(local, folder)
    assert files(folder) == ALWAYS


def test_a_second_file_of_a_name_does_not_replace_the_first(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch, events: Events
) -> None:
    install(monkeypatch, says(part(GOOD, STACKS), part(GOOD, b"other"), chunk(), chunk(samples=99)))
    session = run(local, folder, events)
    assert folder.chunk("wall", 0).read_bytes() == STACKS
    assert [row["samples"] for row in read_lines(folder.chunks)] == [3]
    assert session.sample_count == 3
    assert len(events.of("refused")) == 2


def test_no_server_fills_the_disk(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch, events: Events
) -> None:
    monkeypatch.setattr("toolkit.run.agent_files.CHUNK_BYTES", 600_000)
    monkeypatch.setattr("toolkit.run.agent_files.SERVER_BYTES", 1_000_000)
    lies = """
import base64
DATA = base64.b64encode(bytes(200_000)).decode()
def on_record():
    for seq in range(3):
        for number in range(8 if seq == 0 else 2):
            name = "wall-%06d.raw.gz" % seq
            say({"type": "file", "name": name, "part": number, "last": number == 1 and seq > 0, "data": DATA})
"""
    install(monkeypatch, lies)
    run(local, folder, events)
    kept = sum(path.stat().st_size for path in folder.stacks.iterdir())
    assert kept <= 1_000_000
    assert any("too large" in event["message"] for event in events.of("refused"))


def test_a_row_says_what_really_came(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, says(chunk(bytes=500, exit_code=-9, note="odd\x1b[31m\u202e\r\n", extra="x")))
    run(local, folder)
    (row,) = read_lines(folder.chunks)
    assert row["bytes"] == 0
    assert row["exit_code"] == -9
    assert "extra" not in row
    assert "500 bytes were announced, 0 came" in row["note"]
    assert row["note"].isprintable()


NOISE = r"""
def on_record():
    say("a shell profile, too late")
    say("{not json")
    say("[1, 2]")
    say('{"type": 7}')
    say('{"no": "type"}')
    say('{"type": "chunk", "rate_hz": NaN}')
    say('{"type": "what", "seq": 1e999}')
    say("[" * 100000)
    say('{"type": "log", "message": ' + "[" * 50000)
    sys.stdout.buffer.write(b'{"type": "log", "message": "\xff\xfe"}\n\n\n\x00\x00\n')
    sys.stdout.buffer.flush()
    say("x" * 3_000_000)
    say({"type": "file", "name": "wall-000009.raw.gz", "part": 0, "last": True, "data": "A" * 2_000_000})
    say({"type": "recording "})
    say({"type": "pong", "t0": 1, "t": 2})
    say({"type": "pong", "t0": "x", "t": None})
    say({"type": "workers", "born": "all", "died": [{"pid": "1"}, -4, None, True], "t": "now"})
    say({"type": "rate", "views": ["wall"], "budget": 7})
    say({"type": "error"})
    say({"type": "hello", "protocol": 99})
"""


def test_noise_is_passed_over(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An `error` while recording was asked for is its answer: here it must come as such, and nothing else may.
    install(monkeypatch, NOISE.replace('    say({"type": "error"})\n', ""))
    session = run(local, folder)
    assert not session.lost
    assert session.workers == []
    assert files(folder) == ALWAYS
    assert folder.agent_log.stat().st_size < 30_000


def test_an_empty_error_is_an_error(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, NOISE)
    with pytest.raises(ToolkitError, match="the agent failed"):
        run(local, folder)


def test_words_cannot_move_a_terminals_cursor(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch, events: Events
) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\r\u202egnp.exe\x9b31m\n"
    row = {"pid": 4, "name": evil, "user": evil, "listen": [evil], "unit": evil}
    install(
        monkeypatch,
        says(
            {"type": "log", "message": evil},
            {"type": "error", "code": evil, "message": evil, "fatal": True},
        ).replace("def on_record", "def on_stop")
        + "\n"
        + says({"type": "error", "code": "ambiguous", "message": evil, "hint": evil, "all": [row] * 500}),
    )
    lines: list[str] = []
    with open_session(local, folder=folder, run_id="r", log=lines.append, on_event=events) as session:
        with pytest.raises(ToolkitError) as caught:
            session.record(["wall"], 5.0, None, 5.0)
        session.stop()
    assert str(caught.value).isprintable()
    assert "and 480 more" in caught.value.message
    assert all(line.isprintable() for line in lines)
    assert all(line.isprintable() for line in folder.agent_log.read_text().splitlines())
    assert all(event["message"].isprintable() for event in events.of("fault"))
    assert all(sentence.isprintable() for sentence in session.missing)


def test_a_chatterbox_fills_no_log(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.run.agent_files.LOG_BYTES", 20_000)
    install(
        monkeypatch, "def on_record():\n    for _ in range(300): say({'type': 'log', 'message': 'x' * 900})"
    )
    run(local, folder)
    assert folder.agent_log.stat().st_size < 21_000
    assert "the log is full" in folder.agent_log.read_text()


@pytest.mark.parametrize("hours", [-30, 5])
def test_a_clock_that_is_hours_off_is_measured_and_disturbs_nothing(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    install(monkeypatch, f"CLOCK_NS = {hours * 3600 * 10**9}")
    session = run(local, folder)
    assert session.offset_ns == pytest.approx(-hours * 3600 * 10**9, abs=session.offset_error_ns + 10**6)
    assert session.offset_error_ns < 10**8


def test_silence_is_noticed(local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.run.agent_start._SHORTEST_SILENCE_S", 0.6)
    monkeypatch.setattr("toolkit.run.agent_line.HEARTBEAT_S", 0.2)
    install(monkeypatch, "def on_record():\n    say({'type': 'recording', 'views': {}})\n    time.sleep(60)")
    session = open_session(local, folder=folder, run_id="r", grace_s=0.5)
    began = time.monotonic()
    session.record(["wall"], 5.0, None, 5.0)
    until(lambda: session.lost, "the silence to be noticed", 5)
    assert 0.5 < time.monotonic() - began < 3
    assert "no sign of life" in session.lost
    with pytest.raises(UnreachableError, match="no sign of life"):
        session.stop()
    directory = session.facts["directory"]
    session.close()
    assert not Path(directory).exists()


def test_an_agent_that_never_answers_is_given_up(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.run.agent_session.RECORD_S", 0.5)
    install(
        monkeypatch, "def on_record():\n    print('thinking', file=sys.stderr, flush=True); time.sleep(1.5)"
    )
    with open_session(local, folder=folder, run_id="r", grace_s=0.5) as session:
        with pytest.raises(UnreachableError, match=r"did not answer 'record'.*thinking"):
            session.record(["wall"], 5.0, None, 5.0)
        directory = session.facts["directory"]
    assert not Path(directory).exists()


def test_what_does_not_come_is_not_waited_for_once_somebody_is_impatient(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, "def on_stop():\n    time.sleep(3)")
    asked = 0

    def give_up() -> str:
        nonlocal asked
        asked += 1
        return "The rest was not fetched." if asked > 3 else ""

    with open_session(local, folder=folder, run_id="r", grace_s=1) as session:
        session.record(["wall"], 5.0, None, 1.0)
        with pytest.raises(ToolkitError, match="The rest was not fetched"):
            session.stop(give_up)
    assert asked == 4


def test_one_that_dies_before_its_greeting_is_quoted(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, "def on_start():\n    sys.exit('ImportError: \\x1b[1mno module')")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with pytest.raises(
        UnreachableError, match="did not start: it ended with exit code 1 and said: ImportError"
    ):
        open_session(local, folder=folder, run_id="r")
    assert not list(tmp_path.glob("toolkit.*"))


def test_a_folder_that_is_not_ours_is_never_removed(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    lies = f"""
import os
def on_start():
    global directory
    directory = {str(precious)!r}
def on_stop():
    os._exit(3)
"""
    install(monkeypatch, lies)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    session = open_session(local, folder=folder, run_id="r")
    assert session.facts["directory"] == str(precious)
    session.record(["wall"], 5.0, None, 5.0)
    with pytest.raises(UnreachableError, match="exit code 3"):
        session.stop()
    session.close()
    assert precious.is_dir()
    assert not list(tmp_path.glob("toolkit.*"))


def test_what_a_dying_agent_left_behind_is_fetched_by_the_same_rules(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [chunk(), chunk(seq=1, bytes=7), chunk(seq=2, view="../x"), chunk(seq=3, bytes=5)]
    lies = f"""
import base64
STACKS = base64.b64decode({base64.b64encode(STACKS).decode()!r})
def on_stop():
    os.mkdir(directory + "/recordings")
    for seq, data in enumerate((STACKS, b"not 7 bytes", STACKS)):
        with open(directory + "/recordings/wall-%06d.raw.gz" % seq, "wb") as file:
            file.write(data)
    with open(directory + "/recordings/chunks.jsonl", "w") as file:
        file.write("\\n".join({[json.dumps(row) for row in rows]!r}) + "\\n{{torn")
    os._exit(4)
"""
    install(monkeypatch, lies)
    session = open_session(local, folder=folder, run_id="r")
    session.record(["wall"], 5.0, None, 5.0)
    with pytest.raises(UnreachableError, match="exit code 4"):
        session.stop()
    session.close()
    assert folder.chunk("wall", 0).read_bytes() == STACKS
    assert [(row["seq"], row["bytes"]) for row in read_lines(folder.chunks)] == [
        (0, len(STACKS)),
        (1, 0),
        (3, 0),
    ]
    assert files(folder) == [*ALWAYS, "stacks/wall-000000.raw.gz"]
    assert session.samples == {"wall": 9}
    assert not Path(session.facts["directory"]).exists()
