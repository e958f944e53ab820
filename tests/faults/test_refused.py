"""What is refused before anything is recorded: keys, rights, platforms, a target that is down. Each leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.table import Row
from tests.gunicorns import free_port
from tests.integration.agent_session.throwaway import PASSWORD
from tests.integration.commands.calling import HTTP, PLAN
from toolkit.demo.ssh_files import make_key

if TYPE_CHECKING:
    from tests.faults.table import FaultTable
    from tests.integration.agent_session.throwaway import ThrowawayServer
    from tests.integration.commands.calling import Toolkit

pytestmark = [pytest.mark.needs_artillery, pytest.mark.needs_sshd]


def refused(toolkit: Toolkit, table: FaultTable, fault: str, code: int, *words: str, **environ: str) -> str:
    """Call it, see that it is refused with that exit code and leaves no run folder, and add the row; what it said."""
    before = len(toolkit.asked)
    done = toolkit.call(
        "profile-and-load", PLAN, "--scenario", HTTP, "--reports", str(toolkit.reports), *words, **environ
    )
    assert done.code == code, done.err
    assert toolkit.runs == [], "nothing was recorded, so nothing is kept"
    assert len(toolkit.asked) == before, "no load was driven"
    assert toolkit.agents() == []
    said = [line for line in done.err.splitlines() if line.startswith("toolkit: ")]
    assert len(said) == 1, done.err
    table.rows.append(
        Row(fault, 0.0, "there was nothing to keep", code, said[0].removeprefix("toolkit: ").strip())
    )
    return done.err


def known_hosts(toolkit: Toolkit, text: str) -> list[str]:
    """Options that let the demo's server be known by this alone."""
    known = toolkit.folder / "known_hosts"
    known.write_text(text)
    return ["--set", f"servers.0.ssh.known_hosts={known}"]


def test_the_host_key_is_unknown(lasting: Toolkit, table: FaultTable) -> None:
    err = refused(lasting, table, "unknown host key", 77, *known_hosts(lasting, ""))
    assert "ssh-keyscan" in err


def test_the_host_key_has_changed(lasting: Toolkit, table: FaultTable) -> None:
    key = " ".join(make_key(lasting.folder / "another", "x").split()[:2])
    assert lasting.demo.ssh
    line = f"[127.0.0.1]:{lasting.demo.ssh.port} {key}\n"
    err = refused(lasting, table, "changed host key", 77, *known_hosts(lasting, line))
    assert "has changed" in err
    assert "ssh-keygen -R" in err


def test_the_host_key_is_a_wrong_one(lasting: Toolkit, table: FaultTable) -> None:
    assert lasting.demo.ssh
    good = (lasting.demo.folder / "known_hosts").read_text()
    err = refused(
        lasting,
        table,
        "wrong host key (one that is marked as revoked)",
        77,
        *known_hosts(lasting, "".join(f"{good}@revoked {line}\n" for line in good.splitlines())),
    )
    assert "revoked" in err


def as_somebody(server: ThrowawayServer, toolkit: Toolkit, **more: str) -> list[str]:
    """Options that reach the demo's gunicorn through the throwaway server, as its user `deploy`."""
    entry = {
        "name": "web",
        "address": f"ssh://deploy@127.0.0.1:{server.port}",
        "gunicorn": {"pid": toolkit.demo.gunicorn_pid},
        "ssh": {
            "config": str(server.client_config),
            "known_hosts": str(server.known_hosts),
            "identity": str(server.identity),
        },
        **more,
    }
    return ["--set", f"servers={json.dumps([entry])}"]


@pytest.mark.needs_root
def test_no_right_to_trace(lasting: Toolkit, throwaway: ThrowawayServer, table: FaultTable) -> None:
    err = refused(
        lasting,
        table,
        "no right to ptrace (the service is another user's)",
        77,
        *as_somebody(throwaway, lasting),
    )
    assert "sudo: true" in err
    assert throwaway.left_over() == []


def test_yama_forbids_tracing(lasting: Toolkit, table: FaultTable) -> None:
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    if not scope.exists():
        pytest.skip("this kernel has no Yama, so nothing but the user decides who may trace")
    if scope.read_text().strip() not in {"1", "2", "3"}:
        pytest.skip("Yama lets everybody trace here, and a test does not change the machine")
    refused(lasting, table, "no right to ptrace (Yama)", 77)


@pytest.mark.needs_root
@pytest.mark.parametrize(
    ("rule", "password", "fault", "words"),
    [
        ("# no rule", PASSWORD, "sudo refused", "does not let this user"),
        ("deploy ALL=(ALL:ALL) ALL", "Falsches-Passwort-1", "wrong sudo password", "password"),
    ],
    ids=["refused", "wrong password"],
)
def test_sudo_says_no(
    lasting: Toolkit,
    throwaway: ThrowawayServer,
    table: FaultTable,
    rule: str,
    password: str,
    fault: str,
    words: str,
) -> None:
    asked = as_somebody(throwaway, lasting, sudo_password="env:SUDO_WORD")
    with throwaway.rule(rule):
        err = refused(lasting, table, fault, 77, *asked, "--sudo", SUDO_WORD=password)
    assert words in err
    assert password not in err
    assert throwaway.left_over() == []


@pytest.mark.needs_root
def test_no_py_spy_for_the_platform(lasting: Toolkit, throwaway: ThrowawayServer, table: FaultTable) -> None:
    """`uname` is a fake: there is no such machine here."""
    throwaway.sh(
        "printf '#!/bin/sh\\ncase $1 in -m) echo riscv64;; *) echo Linux;; esac\\n' >/home/uname;"
        "chmod 755 /home/uname; mount --bind /home/uname /usr/bin/uname"
    )
    try:
        err = refused(
            lasting,
            table,
            "py-spy missing for the platform (uname says riscv64)",
            2,
            *as_somebody(throwaway, lasting),
        )
    finally:
        throwaway.sh("umount /usr/bin/uname")
    assert "riscv64" in err
    assert throwaway.left_over() == []


def test_the_target_is_down_at_the_start(lasting: Toolkit, table: FaultTable) -> None:
    target = f"http://127.0.0.1:{free_port()}"
    err = refused(lasting, table, "target down at the start", 69, "--target", target)
    assert target.removeprefix("http://") in err
