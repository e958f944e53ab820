"""Networks that fall silent, break, stall, and SSH servers that hang up; the load goes on meanwhile."""

from __future__ import annotations

import gzip
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.far_server import FarServer
from tests.faults.run_under_way import INT, RunUnderWay
from tests.gunicorns import until
from tests.integration.commands.calling import HTTP, phases
from tests.wire import Wire
from toolkit.demo.ssh_files import SshFiles
from toolkit.demo.ssh_programs import ServerOptions, embedded_available, prepare_embedded
from toolkit.demo.sshd import read_ssh_server
from toolkit.demo.state import StartedProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.table import FaultTable
    from tests.integration.commands.calling import Done, Toolkit

pytestmark = [
    pytest.mark.needs_artillery,
    pytest.mark.needs_sshd,
    pytest.mark.slow_fault,
    pytest.mark.timeout(240),
]

GRACE_S = 15.0


@pytest.fixture
def far(toolkit: Toolkit) -> Iterator[FarServer]:
    server = FarServer(toolkit.demo.folder)
    try:
        serve_by(toolkit, server.pid)
        yield server
    finally:
        server.stop()


@pytest.fixture
def wire(toolkit: Toolkit) -> Iterator[Wire]:
    """Between the toolkit and the demo's sshd."""
    assert toolkit.demo.ssh
    with Wire(toolkit.demo.ssh.port) as between:
        files = SshFiles(toolkit.demo.folder)
        for path in (files.known_hosts, files.client_config):
            path.write_text(path.read_text().replace(str(toolkit.demo.ssh.port), str(between.port)))
        yield between


def serve_by(toolkit: Toolkit, pid: int) -> None:
    """Another process is the demo's SSH server now: what runs below it is ours."""
    assert toolkit.demo.ssh
    ssh = toolkit.demo.ssh.model_copy(update={"process": StartedProcess(pid=pid, create_time=0.0)})
    toolkit.demo = toolkit.demo.model_copy(update={"ssh": ssh})


def _lasting(seconds: float) -> tuple[str, ...]:
    return ("--scenario", HTTP, *phases(seconds))


def breaks_of(run: RunUnderWay) -> list[dict[str, Any]]:
    """As run.json tells them."""
    (server,) = run.toolkit.manifest()["servers"]
    breaks: list[dict[str, Any]] = server["breaks"]
    return breaks


def assert_nothing_is_missing(run: RunUnderWay, done: Done) -> None:
    """Metrics, chunks and requests of every second, the break's too."""
    assert done.code == 0, done.err
    manifest = run.toolkit.manifest()
    assert manifest["missing"] == []
    server = run.run / "servers" / "web"
    lines = gzip.decompress((server / "metrics.jsonl.gz").read_bytes()).splitlines()
    times = [json.loads(line)["t_ns"] for line in lines]
    gaps = [(later - earlier) / 1e9 for earlier, later in itertools.pairwise(times)]
    assert max(gaps) < 3, "a sample each second"
    rows = [json.loads(line) for line in (server / "stacks" / "chunks.jsonl").read_text().splitlines()]
    for view in ("wall", "cpu"):
        numbers = sorted(row["seq"] for row in rows if row["view"] == view)
        assert numbers == list(range(len(numbers))), "each chunk once"
        assert all((server / "stacks" / f"{view}-{number:06d}.raw.gz").exists() for number in numbers)
    (log,) = (server / "logs").glob("*access*")
    assert sum(1 for line in log.read_text().splitlines() if '"/healthz"' not in line) == len(
        run.toolkit.asked
    )


def told(run: RunUnderWay) -> str:
    """What the report says of the connection."""
    rows = json.loads((run.run / "summary.json").read_text())["trust"]["rows"]
    (row,) = [row for row in rows if row["key"] == "connection:web"]
    return f"{row['name']} {row['value']}, {row['words']}"


@pytest.mark.needs_root
def test_silent_for_less_than_the_grace(toolkit: Toolkit, far: FarServer, table: FaultTable) -> None:
    run = RunUnderWay(toolkit, _lasting(25), "--yes")
    far.go_silent()
    time.sleep(9)
    assert run.recorders, "it records on"
    far.come_back()
    run.started.wait_for("connected again", 30)
    done = run.finish()
    assert_nothing_is_missing(run, done)
    (one,) = breaks_of(run)
    assert 9 <= one["silent_s"] < GRACE_S
    table.rows.append(run.row("network silent for 9 s (grace 15 s)", done.code, told(run)))


@pytest.mark.needs_root
def test_silent_for_longer_than_the_grace(toolkit: Toolkit, far: FarServer, table: FaultTable) -> None:
    run = RunUnderWay(toolkit, _lasting(35), "--yes")
    before = len(run.chunks)
    run.break_by(far.go_silent)
    run.await_clean(GRACE_S)
    far.come_back()
    done = run.finish()
    assert done.code == 1, done.err
    assert "The agent on web was lost: no sign of life" in done.err
    assert len(run.chunks) >= before + 2 * 5, "what it recorded in its grace was fetched at the end"
    table.rows.append(run.row("network silent for longer than the grace (15 s)", done.code, _said(done)))


@pytest.mark.needs_root
def test_ctrl_c_while_it_is_silent(toolkit: Toolkit, far: FarServer, table: FaultTable) -> None:
    run = RunUnderWay(toolkit, _lasting(60), "--yes")
    run.break_by(far.go_silent)
    run.started.wait_for("the connection broke", 20)
    run.started.send(INT)
    run.await_clean(GRACE_S)
    done = run.finish()
    assert done.code == 130, done.err
    assert done.seconds < 40
    assert (run.run / "report.html").exists(), done.err
    missing = json.loads((run.run / "summary.json").read_text())["missing"]
    assert any(f"toolkit stop --run {run.run.name}" in sentence for sentence in missing), missing
    left = Path(json.loads((run.run / "servers" / "web" / "facts.json").read_text())["directory"])
    assert [path.name for path in left.iterdir()] == ["recordings"], "there is no way back to it yet"
    far.come_back()
    stop = toolkit.call("stop", _plan(), "--reports", str(toolkit.reports))
    assert stop.code == 0, stop.err
    assert not left.exists()
    table.rows.append(run.row("Ctrl-C while the network is silent", done.code, _said(done)))


def test_slow_and_stalling(toolkit: Toolkit, wire: Wire, table: FaultTable) -> None:
    wire.latency_s = 0.1  # each way
    run = RunUnderWay(toolkit, _lasting(20))
    for _ in range(3):
        wire.silent = True
        time.sleep(2.5)
        wire.silent = False
        time.sleep(2)
    done = run.finish()
    assert_nothing_is_missing(run, done)
    assert breaks_of(run) == [], "that is no break"
    entry = toolkit.manifest()["servers"][0]
    assert 50e6 < entry["offset_error_ns"] < 5e9, "and its clock is known so well only"
    table.rows.append(
        run.row("200 ms latency, with three stalls of 2.5 s", done.code, "(nothing: it ran to its end)")
    )


def test_connections_are_reset_twice(toolkit: Toolkit, wire: Wire, table: FaultTable) -> None:
    run = RunUnderWay(toolkit, _lasting(20))
    for number in (1, 2):
        wire.cut()
        until(lambda: len(toolkit.events("line-mended")) == number, "the way back", 10)  # noqa: B023
        time.sleep(2)
    done = run.finish()
    assert_nothing_is_missing(run, done)
    assert len(breaks_of(run)) == 2
    table.rows.append(run.row("connection reset, twice", done.code, told(run)))


def test_sshd_is_restarted(toolkit: Toolkit, table: FaultTable) -> None:
    server = read_ssh_server(toolkit.demo.folder)
    assert server
    argv = Path(f"/proc/{server.pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
    if argv[0].startswith("sshd:"):
        files = SshFiles(toolkit.demo.folder)
        argv = ["/usr/sbin/sshd", "-D", "-f", str(files.openssh_config), "-E", str(files.log)]
    run = RunUnderWay(toolkit, _lasting(15))
    server.stop()
    time.sleep(1)
    again = subprocess.Popen(argv)
    try:
        serve_by(toolkit, again.pid)
        until(lambda: toolkit.events("line-mended"), "the way back", 10)
        done = run.finish()
        assert_nothing_is_missing(run, done)
        table.rows.append(run.row("sshd restarted, its sessions ended", done.code, told(run)))
    finally:
        again.terminate()
        again.wait()


def test_sshd_closes_each_channel_after_some_seconds(toolkit: Toolkit, table: FaultTable) -> None:
    if not embedded_available():
        pytest.skip("asyncssh is not installed")
    server = read_ssh_server(toolkit.demo.folder)
    assert server
    server.stop()
    files = SshFiles(toolkit.demo.folder)
    prepare_embedded(files, server.port, ServerOptions(server.host_alias, server.user, "", False, True))
    program = Path(__file__).with_name("closing_sshd.py")
    closing = subprocess.Popen([sys.executable, "-P", str(program), str(files.embedded_config), "7"], cwd="/")
    try:
        serve_by(toolkit, closing.pid)
        until(lambda: files.pid_file.exists(), "the server's port", 10)
        run = RunUnderWay(toolkit, _lasting(20))
        done = run.finish()
        assert_nothing_is_missing(run, done)
        assert len(breaks_of(run)) >= 2
        table.rows.append(run.row("sshd closes each channel after 7 s", done.code, told(run)))
    finally:
        closing.terminate()
        closing.wait()


def _said(done: Done) -> str:
    return [line for line in done.err.splitlines() if line.startswith("toolkit: ")][-1].removeprefix("toolkit: ")  # fmt: skip


def _plan() -> str:
    from tests.integration.commands.calling import PLAN

    return PLAN
