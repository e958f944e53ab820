"""Servers that are not as one expects: what they are, and what they say, breaks nothing and is told."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.odd_server import as_deploy, by_the_demos_ssh, row, run, start, summary
from tests.gunicorns import Gunicorn, children_of, free_port, shared_folder, until
from tests.integration.agent.interpreters import interpreter
from tests.integration.commands.calling import loading
from toolkit.recording.jsonl import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.table import FaultTable
    from tests.integration.agent_session.throwaway import ThrowawayServer
    from tests.integration.commands.calling import Toolkit

pytestmark = [pytest.mark.needs_artillery, pytest.mark.needs_sshd, pytest.mark.slow_fault]

EVIL = '\x1b]0;owned\x07\x1b[2J</script><script>alert(1)</script> process 1:"python'
BIG_LINE = 10 * 1000 * 1000
TALKS = """
import sys
def application(environ, start_response):
    if environ["PATH_INFO"] == "/big":
        sys.stderr.write("x" * %d + "\\n")
        sys.stderr.flush()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.fixture(scope="module")
def theirs(throwaway: ThrowawayServer) -> Iterator[Gunicorn]:
    """A gunicorn of the throwaway server's user, on the system's Python."""
    uid = int(throwaway.sh("id -u deploy"))
    packages = {"PYTHONPATH": sysconfig.get_path("purelib")}
    with shared_folder() as folder:
        os.chown(folder, uid, uid)
        with Gunicorn(
            folder, workers=1, python="/usr/bin/python3", environment=packages, user=uid
        ) as running:
            yield running


def test_an_old_python_without_psutil(lasting: Toolkit, table: FaultTable) -> None:
    python = interpreter("3.7")
    probe = [python, "-I", "-c", "import psutil"]
    if subprocess.run(probe, check=False, capture_output=True).returncode == 0:
        pytest.skip("the Python 3.7 of this machine has psutil")
    with Gunicorn(lasting.folder / "service") as service:
        done = run(lasting, by_the_demos_ssh(lasting, {"pid": service.pid}, python=python), service)
    assert done.code == 0, done.err
    facts = lasting.manifest()["servers"][0]["facts"]
    assert facts["python"].startswith("3.7.")
    assert facts["psutil"], "it was brought"
    table.rows.append(
        row(lasting, "a server with Python 3.7 without psutil", done, "nothing: psutil was brought along")
    )


@pytest.mark.needs_root
def test_a_service_in_another_pid_namespace(lasting: Toolkit, table: FaultTable) -> None:
    apart = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if subprocess.run([*apart, "true"], check=False, capture_output=True).returncode:
        pytest.skip("PID namespaces cannot be made here")
    folder = lasting.folder / "service"
    folder.mkdir()
    (folder / "wsgi.py").write_text(TALKS % 1)
    port = free_port()
    words = ["-m", "gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "wsgi:application"]
    service = subprocess.Popen(
        [*apart, sys.executable, *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        arbiter = until(lambda: (children_of(service.pid) or [0])[0], "the arbiter")
        until(lambda: len(children_of(arbiter)) == 2, "its workers")
        done = start(lasting, by_the_demos_ssh(lasting, {"port": port}), port, path="/").finish(90)
        assert done.code == 0, done.err
    finally:
        service.kill()
        service.wait()
    assert lasting.manifest()["servers"][0]["facts"]["arbiter"]["pid"] == arbiter
    cpu = lasting.manifest()["servers"][0]["views"]["cpu"]
    assert cpu["valid"] is False
    assert "another PID namespace" in done.err
    table.rows.append(
        row(lasting, "the service in another PID namespace", done, f"view cpu: {cpu['reason']}")
    )


def test_a_log_line_of_ten_megabytes(lasting: Toolkit, table: FaultTable) -> None:
    folder = lasting.folder / "service"
    log = folder / "error.log"
    words = ["--error-logfile", str(log), "--capture-output", "--log-level", "info"]
    folder.mkdir()
    # A pidfile of its own, as its "Listening at" goes to the log.
    pidfile = folder / "pid"
    with contextlib.ExitStack() as held:
        (folder / "wsgi.py").write_text(TALKS % BIG_LINE)
        port = free_port()
        argv = [sys.executable, "-m", "gunicorn", "-w", "1", "-b", f"127.0.0.1:{port}", "-p", str(pidfile)]
        service = subprocess.Popen([*argv, *words, "wsgi:application"], cwd=folder, stdin=subprocess.DEVNULL)
        held.callback(service.wait)
        held.callback(service.kill)
        until(lambda: pidfile.exists() and len(children_of(service.pid)) == 1, "the service")
        entry = by_the_demos_ssh(lasting, {"pidfile": str(pidfile)})
        started = start(lasting, entry, port, 6, "/")
        started.wait_for("] drive load")
        until(lambda: loading(lasting.reports), "the first requests")
        import urllib.request

        with urllib.request.urlopen(f"http://127.0.0.1:{port}/big", timeout=10) as answer:
            assert answer.status == 200
        done = started.finish(90)
    assert done.code == 0, done.err
    sources = json.loads((lasting.run / "servers/web/logs/sources.json").read_text())
    (source,) = [one for one in sources if one["path"] == str(log)]
    assert (lasting.run / "servers/web/logs" / source["file"]).read_bytes().count(b"x" * BIG_LINE) == 1
    assert (lasting.run / "report.html").stat().st_size < 5_000_000, "it is not carried into the page"
    table.rows.append(row(lasting, "a log line of 10 MB", done, "nothing: the line is in the bundle, whole"))


@pytest.mark.needs_root
def test_the_profile_of_the_remote_shell_talks(
    lasting: Toolkit, throwaway: ThrowawayServer, theirs: Gunicorn, table: FaultTable
) -> None:
    noise = r"""echo "Welcome!"; printf "no newline, \033[2J"; echo "toolkit-0000 python=/bin/false"; echo gone=yes
printf '{"motd":1}\n{"type":"chunk","view":"wall"}\n{"type":"file"}\n'; echo complaint >&2; printf 'and again '
"""
    throwaway.sh(f"cat >~deploy/.bashrc <<'E'\n{noise}E\nusermod -s /bin/bash deploy")
    try:
        done = run(lasting, as_deploy(throwaway, {"pid": theirs.pid}), theirs)
    finally:
        throwaway.sh("rm ~deploy/.bashrc; usermod -s /bin/sh deploy")
    assert done.code == 0, done.err
    assert "Welcome" not in done.err
    assert "\033" not in done.err + (lasting.run / "servers/web/agent.log").read_text()
    assert throwaway.left_over() == []
    table.rows.append(
        row(lasting, "standard output of the remote shell polluted by its profile", done, "nothing")
    )


def test_hostile_titles_of_processes(lasting: Toolkit, table: FaultTable) -> None:
    with Gunicorn(lasting.folder / "service", arguments=["--name", EVIL]) as service:
        assert b"alert(1)" in Path(f"/proc/{service.pid}/cmdline").read_bytes()
        workers = service.worker_pids
        done = run(lasting, by_the_demos_ssh(lasting, {"pid": service.pid}), service)
    assert done.code == 0, done.err
    assert all(line.isprintable() for line in done.err.splitlines())
    for name in ("report.html", "flamegraphs/web-wall.svg", "summary.txt"):
        text = (lasting.run / name).read_text()
        assert "<script>alert(1)" not in text, name
        assert "\x1b" not in text, name
    lanes = summary(lasting)["servers"][0]["watch"]["workers"]
    assert lanes["deaths"] == [], "the same workers all the time"
    told = [one for line in read_lines(lasting.run / "servers/web/workers.jsonl") for one in line["born"]]
    assert {one["pid"] for one in told} >= set(workers)
    table.rows.append(
        row(
            lasting,
            "hostile titles of processes (escape sequences, markup, py-spy's own words)",
            done,
            "nothing",
        )
    )


@pytest.mark.parametrize("hours", [1, -1], ids=["forward", "back"])
def test_the_servers_clock_is_set(lasting: Toolkit, table: FaultTable, hours: int) -> None:
    """The one fake: nobody may set this machine's clock. The agent's Python adds what stands in a file to its time."""
    home, steps = lasting.folder / "stepped", lasting.folder / "steps"
    venv.create(home, with_pip=False, symlinks=True)
    (packages,) = home.glob("lib/python3.*/site-packages")
    (packages / "a_step.py").write_text(
        "import os, time\nreal, real_ns = time.time, time.time_ns\n"
        f"def seconds(): return os.stat({str(steps)!r}).st_size * {hours}\n"
        "time.time = lambda: real() + seconds()\ntime.time_ns = lambda: real_ns() + seconds() * 10**9\n"
    )
    (packages / "a_step.pth").write_text("import a_step\n")
    steps.touch()
    with Gunicorn(lasting.folder / "service") as service:
        entry = by_the_demos_ssh(lasting, {"pid": service.pid}, python=str(home / "bin" / "python"))
        started = start(lasting, entry, service.port, 6)
        started.wait_for("] drive load")
        until(lambda: loading(lasting.reports), "the first requests")
        before = len(list(lasting.run.glob("servers/web/stacks/*.raw.gz")))
        steps.write_bytes(bytes(3600))
        until(
            lambda: len(list(lasting.run.glob("servers/web/stacks/*.raw.gz"))) >= before + 4,
            "more chunks",
            15,
        )
        done = started.finish(90)
    assert done.code == 0, done.err
    (said,) = [sentence for sentence in summary(lasting)["missing"] if "clock was set" in sentence]
    manifest = lasting.manifest()
    for chunk in read_lines(lasting.run / "servers/web/stacks/chunks.jsonl"):
        assert manifest["started_ns"] < chunk["start_ns"] <= chunk["end_ns"] < manifest["ended_ns"]
        assert chunk["end_ns"] - chunk["start_ns"] < 10e9
    assert manifest["servers"][0]["offset_error_ns"] < 1e9
    table.rows.append(
        row(
            lasting,
            f"the server's clock set {'forward' if hours > 0 else 'back'} by an hour (a fake)",
            done,
            said,
        )
    )
