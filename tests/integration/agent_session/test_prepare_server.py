"""profile/prepare-server.sh on a throwaway server, and a session with what it prepared."""

from __future__ import annotations

import subprocess
import tarfile
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from tests.gunicorns import until
from toolkit.run.agent_opening import open_session
from toolkit.run.agent_push import write_server_kit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.gunicorns import Gunicorn
    from tests.integration.agent_session.conftest import Events
    from tests.integration.agent_session.throwaway import ThrowawayServer
    from toolkit.recording.layout import ServerFolder
    from toolkit.transports.base import Transport

pytestmark = [pytest.mark.needs_root, pytest.mark.needs_sshd]

TARGET = "/usr/local/lib/gunicorn-toolkit"
RULE = "/etc/sudoers.d/gunicorn-toolkit"
KIT = "/etc/throwaway/kit"
PREPARE = f"sh {KIT}/prepare-server.sh"
STATE = f"find {TARGET} {RULE} -printf '%p %m %u %s %l\\n' 2>/dev/null | sort; cat {RULE} 2>/dev/null || :"


@pytest.fixture(scope="module")
def kit(server: ThrowawayServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kit, made by us and carried to the server."""
    out = tmp_path_factory.mktemp("server") / "kit"
    write_server_kit(out, "x86_64", "glibc")
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(out, "kit")
    unpack = [*server.inside("tar", "-x", "--no-same-owner", "-C", "/etc/throwaway")]
    subprocess.run(unpack, input=buffer.getvalue(), check=True)
    return out


@pytest.fixture
def bare(server: ThrowawayServer, kit: Path) -> Iterator[ThrowawayServer]:
    """The server with a kit beside it, unprepared, and unprepared again afterwards."""
    yield server
    server.sh(f"{PREPARE} --uninstall")
    assert server.sh(STATE) == ""


def refused(server: ThrowawayServer, command: str, *, user: str = "root") -> str:
    """What a command says that must fail."""
    return server.sh(f"! {{ {command}; }} 2>&1", user=user)


def test_a_prepared_server_needs_no_push_and_no_password(
    bare: ThrowawayServer, over_ssh: Transport, gunicorn: Gunicorn, folder: ServerFolder, events: Events
) -> None:
    told = bare.sh(f"{PREPARE} --user deploy")
    assert "deploy may now run as root" in told
    with open_session(over_ssh, folder=folder, run_id="r", sudo=True, on_event=events) as session:
        assert session.facts["uid"] == 0
        assert session.facts["psutil"] == "7.2.2"
        assert all("toolkit-agent." in left for left in bare.left_over())  # root's own; nothing was pushed
        session.find({"pid": gunicorn.pid})
        session.record(["wall"], 5.0, 20.0, 1.0)
        until(lambda: session.chunks.get("wall"), "a chunk")
        session.stop()
    assert session.sample_count > 0
    assert events.of("agent")[0]["program"] == f"{TARGET}/agent.pyz"
    assert bare.left_over() == []


def test_it_is_used_without_sudo_too(
    bare: ThrowawayServer, over_ssh: Transport, folder: ServerFolder, events: Events
) -> None:
    bare.sh(f"{PREPARE} --user deploy")
    with open_session(over_ssh, folder=folder, run_id="r", on_event=events) as session:
        assert session.facts["user"] == "deploy"
    assert events.of("agent")[0]["program"] == f"{TARGET}/agent.pyz"


def test_the_rule_allows_that_command_and_nothing_else(bare: ThrowawayServer) -> None:
    bare.sh(f"{PREPARE} --user deploy")
    python = f"/usr/bin/python3 -u -I {TARGET}/agent.pyz"
    assert bare.sh(f"sudo -n {python} </dev/null; echo $?", user="deploy").strip() == "1"  # it ran: no input
    for command in (
        f"{python} more",
        f"/usr/bin/python3 -u {TARGET}/agent.pyz",
        f"/usr/bin/python3 -u -I {TARGET}/../gunicorn-toolkit/agent.pyz",
        "/usr/bin/python3 -c 'import os'",
        "/usr/bin/python3 -u -I /tmp/agent.pyz",
        f"{TARGET}/py-spy --version",
        "id",
    ):
        assert "password is required" in refused(bare, f"sudo -n {command} </dev/null", user="deploy")
    assert "password is required" in refused(bare, f"sudo -n -u nobody {python}", user="deploy")
    assert "not allowed to set" in refused(bare, f"sudo -n PYTHONPATH=/tmp {python}", user="deploy")
    for path in (
        TARGET,
        f"{TARGET}/agent.pyz",
        f"{TARGET}/py-spy",
        f"{TARGET}/lib",
        f"{TARGET}/version",
        RULE,
    ):
        bare.sh(f"! test -w {path}", user="deploy")
    owned = bare.sh(f"find {TARGET} {RULE} ! -user root -o ! -group root -o -perm /022 ! -type l")
    assert owned == ""
    assert bare.sh(f"stat -c %a {RULE}").strip() == "440"


def test_again_changes_nothing_and_another_user_is_added(bare: ThrowawayServer) -> None:
    bare.sh(f"{PREPARE} --user deploy")
    before = bare.sh(STATE)
    bare.sh(f"{PREPARE} --user deploy")
    assert bare.sh(STATE) == before
    bare.sh("useradd second.one")
    try:
        bare.sh(f"{PREPARE} --user second.one")
        for user in ("deploy", "second.one"):
            bare.sh(f"sudo -n -l -U {user} /usr/bin/python3 -u -I {TARGET}/agent.pyz")
    finally:
        bare.sh("userdel second.one")
    bare.sh("visudo -cq")


def test_dry_runs_change_nothing(bare: ThrowawayServer) -> None:
    said = bare.sh(f"{PREPARE} --user deploy --dry-run")
    assert "deploy ALL=(root) NOPASSWD: GUNICORN_TOOLKIT" in said
    assert bare.sh(STATE) == ""
    bare.sh(f"{PREPARE} --user deploy")
    before = bare.sh(STATE)
    assert TARGET in bare.sh(f"{PREPARE} --uninstall --dry-run")
    assert bare.sh(STATE) == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("", "usage"),
        ("--user", "usage"),
        ("--what", "usage"),
        ("--user nobody-of-that-name", "there is no user"),
        ("--user '%wheel'", "no user name"),
        ("--user 'deploy ALL=(ALL) NOPASSWD: ALL #'", "no user name"),
        ("--user deploy --python /usr/bin/no-python", "does not exist"),
        ("--user deploy --python python3", "name one with --python"),
        ("--user deploy --python '/usr/bin/python3, /bin/sh'", "must not hold"),
        ("--user deploy --python /home/deploy/python", "not owned by root"),
        ("--user deploy --python /tmp/open/python", "written by everybody"),
        ("--user deploy --python /tmp/group/python", "written by a group"),
    ],
)
def test_what_would_be_unsafe_or_wrong_is_refused_and_changes_nothing(
    bare: ThrowawayServer, arguments: str, reason: str
) -> None:
    bare.sh(
        "cp /usr/bin/python3 /home/deploy/python; chown deploy /home/deploy/python;"
        "for d in open group; do mkdir -p /tmp/$d; cp /usr/bin/python3 /tmp/$d/; mv /tmp/$d/python3 /tmp/$d/python; done;"
        "chmod 777 /tmp/open; chgrp deploy /tmp/group; chmod 775 /tmp/group"
    )
    assert reason in refused(bare, f"{PREPARE} {arguments}")
    assert bare.sh(STATE) == ""


def test_it_needs_root(bare: ThrowawayServer) -> None:
    bare.sh(f"cp -r {KIT} /tmp/kit; chmod -R a+rX /tmp/kit")
    assert "needs root" in refused(bare, "sh /tmp/kit/prepare-server.sh --user deploy", user="deploy")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("rm py-spy", "py-spy is missing"),
        ("sed -i s/^machine=.*/machine=riscv64/ version", "are for riscv64"),
        ("printf '#!/bin/sh\\nexit 1\\n' >py-spy", "does not run"),
        ("echo broken >lib/psutil/__init__.py", "cannot load the psutil"),
    ],
)
def test_a_kit_that_does_not_fit_is_refused(bare: ThrowawayServer, change: str, reason: str) -> None:
    bare.sh(f"rm -rf /tmp/other; cp -r {KIT} /tmp/other; cd /tmp/other; {change}")
    assert reason in refused(bare, "sh /tmp/other/prepare-server.sh --user deploy")
    assert bare.sh(STATE) == ""
    assert bare.sh("ls -d /usr/local/lib/gunicorn-toolkit* 2>/dev/null || :") == ""


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        (f"chmod o+w {TARGET}/py-spy", "can be written by others"),
        (f"chown deploy {TARGET}", "can be written by others"),
        (f"sed -i s/^protocol=.*/protocol=0/ {TARGET}/version", "speaks protocol 0"),
    ],
)
def test_a_copy_that_cannot_be_used_is_passed_over_and_said(
    bare: ThrowawayServer, over_ssh: Transport, folder: ServerFolder, change: str, remark: str
) -> None:
    bare.sh(f"{PREPARE} --user deploy; {change}")
    with open_session(over_ssh, folder=folder, run_id="r") as session:
        assert session.facts["directory"].startswith("/tmp/toolkit.")
    assert remark in folder.agent_log.read_text()


def test_the_example_is_a_rule_that_sudo_takes(bare: ThrowawayServer) -> None:
    bare.sh(f"visudo -cqf {KIT}/sudoers.example")
    wanted = bare.sh(f"grep -v '^#' {KIT}/sudoers.example | grep .")
    bare.sh(f"{PREPARE} --user deploy")
    assert bare.sh(f"grep -v '^#' {RULE} | grep .") == wanted
