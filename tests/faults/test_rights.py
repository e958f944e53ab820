"""What lies about during a run is ours alone, and a secret stands nowhere: files, command lines, environments, the bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from tests.faults.odd_server import as_deploy, start
from tests.gunicorns import Gunicorn, until
from tests.integration.agent_session.throwaway import PASSWORD
from tests.integration.commands.calling import engines_of, loading

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.agent_session.throwaway import ThrowawayServer
    from tests.integration.commands.calling import Toolkit

pytestmark = [
    pytest.mark.needs_artillery,
    pytest.mark.needs_sshd,
    pytest.mark.needs_root,
    pytest.mark.slow_fault,
]

VARIABLE = "SUDO_WORD"


def weak(folder: Path) -> list[str]:
    """Folders that others may enter, files that others may read, and links."""
    found = []
    for path in [folder, *folder.rglob("*")]:
        wanted = 0o700 if path.is_dir() else 0o600
        if path.is_symlink() or path.stat().st_mode & 0o777 & ~wanted:
            found.append(f"{path.stat().st_mode & 0o777:o} {path}")
    return found


def told_by(process: psutil.Process) -> str:
    """Its command line and environment, as `ps` shows them; empty where it is gone."""
    try:
        return " ".join([*process.cmdline(), *process.environ().values()])
    except psutil.Error:
        return ""


def test_rights_and_secrets(lasting: Toolkit, throwaway: ThrowawayServer) -> None:
    rule = "deploy ALL=(ALL:ALL) ALL"
    with Gunicorn(lasting.folder / "service") as service, throwaway.rule(rule):
        entry = as_deploy(throwaway, {"pid": service.pid}, sudo=True, sudo_password=f"env:{VARIABLE}")
        lasting.environ[VARIABLE] = PASSWORD
        started = start(lasting, entry, service.port, 12)
        started.wait_for("] drive load")
        until(lambda: loading(lasting.reports), "the first requests", 40)
        until(lambda: throwaway.processes("py-spy\0record"), "recorders")
        assert engines_of(started.process.pid)
        who = {
            process.pid
            for process in psutil.process_iter()
            if process.pid != started.process.pid and PASSWORD in told_by(process)
        }
        own = "ls -ld /tmp/toolkit* | cut -c1-10; find /tmp/toolkit* -type l; find /tmp/toolkit* -type f -perm /077"
        there = throwaway.sh(own).split()
        done = started.finish(90)
    assert done.code == 0, done.err
    assert who == set(), "only the controller, whose environment is the operator's doing"
    assert there, "the agent's folders were looked at"
    assert set(there) == {"drwx------"}, there
    assert weak(lasting.run) == []
    assert PASSWORD not in done.err + done.out
    for path in lasting.run.rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes(), path
    assert throwaway.left_over() == []
