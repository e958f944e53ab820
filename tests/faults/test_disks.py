"""Disks that fill up, and a target that dies: what was recorded until then is kept, and what is missing is said."""

from __future__ import annotations

import json
import os
import shutil
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.odd_server import as_deploy, kept, start, summary
from tests.faults.table import Row
from tests.gunicorns import Gunicorn, shared_folder, until
from tests.integration.agent_session.throwaway import can_be_made
from tests.integration.commands.calling import HTTP, engines_of, loading, phases

if TYPE_CHECKING:
    from tests.faults.table import FaultTable
    from tests.integration.agent_session.throwaway import ThrowawayServer
    from tests.integration.commands.calling import Toolkit

pytestmark = [pytest.mark.needs_artillery, pytest.mark.needs_sshd]


@pytest.mark.needs_root
@pytest.mark.slow_fault
def test_the_servers_temporary_folder_fills_up(
    lasting: Toolkit, throwaway: ThrowawayServer, table: FaultTable
) -> None:
    uid = int(throwaway.sh("id -u deploy"))
    packages = {"PYTHONPATH": sysconfig.get_path("purelib")}
    with shared_folder() as folder, throwaway.mounted("/tmp", "size=150m"):
        os.chown(folder, uid, uid)
        with Gunicorn(
            folder, workers=1, python="/usr/bin/python3", environment=packages, user=uid
        ) as service:
            started = start(lasting, as_deploy(throwaway, {"pid": service.pid}), service.port, 10)
            started.wait_for("] drive load")
            until(lambda: list(lasting.run.glob("servers/web/stacks/wall-000002*")), "some chunks", 20)
            assert throwaway.left_over()[0].startswith("/tmp/toolkit.")
            filled = time.monotonic()
            throwaway.sh("dd if=/dev/zero of=/tmp/fill bs=1M count=148 2>/dev/null || :", user="deploy")
            until(lambda: throwaway.processes("py-spy\0record") == [], "the recorders' end", 10)
            ended_s = time.monotonic() - filled
            done = started.finish(90)
        assert done.code == 1, done.err
        told = done.err.splitlines()
        assert any("recording on web ended early" in line for line in told), done.err
        assert throwaway.left_over() == []
        throwaway.sh("rm -f /tmp/fill")
    (said,) = [line.removeprefix("toolkit: ").strip() for line in told if line.startswith("toolkit: ")]
    assert json.loads((lasting.run / "run.json").read_text())["missing"]
    table.rows.append(
        Row("disk full on the server's temporary directory", ended_s, kept(lasting), done.code, said)
    )


@pytest.mark.needs_root
@pytest.mark.parametrize("to_the_last_byte", [False, True], ids=["nearly", "to the last byte"])
def test_the_disk_fills_up(lasting: Toolkit, table: FaultTable, to_the_last_byte: bool) -> None:
    if not can_be_made():
        pytest.skip("no mount namespace may be made here")
    lasting.reports.mkdir()
    disk = 'mount -t tmpfs -o size=130m tmpfs "$0" && exec "$@"'
    words = [
        "load",
        "--scenario",
        HTTP,
        "--target",
        lasting.demo.url,
        *phases(40),
        "--reports",
        str(lasting.reports),
    ]
    started = lasting.start_argv(
        ["unshare", "-m", "sh", "-c", disk, str(lasting.reports), *lasting.argv(*words)], lasting.folder
    )
    started.wait_for("] drive load")
    seen = Path(f"/proc/{started.process.pid}/root{lasting.reports}")
    until(lambda: loading(seen), "the first requests")
    held = os.open(
        seen, os.O_RDONLY | os.O_DIRECTORY
    )  # the disk is gone with the process, but for those who hold it
    seen = Path(f"/proc/self/fd/{held}")
    (engine,) = engines_of(started.process.pid)
    with (seen / "filler").open("wb", buffering=0) as filler:
        try:
            for _ in range(130 if to_the_last_byte else 118):
                filler.write(bytes(2**20))
            while to_the_last_byte:
                filler.write(bytes(4096))
        except OSError:
            pass
    done = started.finish()
    assert done.code == 1, done.err
    assert done.seconds < 20
    assert "The disk is full" in done.err
    assert "--reports" in done.err
    assert not engine.is_running()
    if not to_the_last_byte:
        assert "Report: " in done.err
        assert done.err.splitlines()[-2].endswith("report.html"), done.err
    (run,) = (path for path in seen.iterdir() if path.is_dir() and not path.is_symlink())
    manifest = lasting.manifest(run)
    assert (manifest["outcome"], manifest["exit_code"]) == ("failed", 1), manifest
    assert "The disk is full" in manifest["reason"]
    assert [path.name for path in run.rglob(".*")] == []
    (seen / "filler").unlink()
    kept_run = shutil.copytree(run, lasting.folder / "kept")
    os.close(held)
    again = lasting.call("report", str(kept_run))
    assert again.code == 0, again.err
    missing = (kept_run / "summary.txt").read_text(encoding="utf-8").partition("What is missing")[2]
    assert "the disk was full" in missing
    left = len(list(kept_run.glob("load/*/parts/*.jsonl"))) + len(
        list(kept_run.glob("load/*/requests.jsonl.gz"))
    )
    assert left
    name = "to its last byte" if to_the_last_byte else "nearly"
    (said,) = [line for line in done.err.splitlines() if line.startswith("toolkit: ")]
    table.rows.append(
        Row(
            f"disk full on the operator's machine, {name}",
            None,
            "the requests until then",
            done.code,
            said.removeprefix("toolkit: ").strip(),
        )
    )


def test_the_target_dies_in_the_middle(lasting: Toolkit, table: FaultTable) -> None:
    script = lasting.folder / "mine.yml"
    script.write_text(
        "config: {phases: [{duration: 4, arrivalRate: 5, rampTo: 5}]}\nscenarios: [{flow: [{get: {url: /}}]}]\n"
    )
    with Gunicorn(lasting.folder / "service") as service:
        started = lasting.start(
            *("load", "--scenario", str(script), "--target", f"http://127.0.0.1:{service.port}"),
            *("--reports", str(lasting.reports), "--json"),
        )
        started.wait_for("] drive load")
        until(lambda: loading(lasting.reports), "the first requests")
    done = started.finish()
    assert done.seconds < 30
    row = json.loads(done.out)["summary"]["requests"][0]
    assert 0 < row["errors"] < row["count"]
    assert "ECONNREFUSED" in (lasting.run / "summary.txt").read_text(encoding="utf-8")
    assert done.code == 99, "the service refused connections: no socket error is checked unasked"
    requests = sum(row["count"] for row in summary(lasting)["requests"])
    table.rows.append(
        Row(
            "target dying in the middle",
            None,
            f"{requests} requests, {row['errors']} of them errors",
            done.code,
            "a check that did not hold: no socket error",
        )
    )
