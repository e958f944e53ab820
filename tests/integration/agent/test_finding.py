"""Real gunicorns, started in every way people start them, are found; what only looks like one is not."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import site
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.gunicorns import Gunicorn, children_of, running, until, without_setproctitle
from tests.integration.agent.driver import Agent

if TYPE_CHECKING:
    from collections.abc import Iterator

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start processes as other users")
NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
SCRIPT = str(Path(sys.executable).parent / "gunicorn")


def environment(folder: Path, titles: bool) -> dict[str, str]:
    return {} if titles else without_setproctitle(folder)


@pytest.mark.parametrize("titles", [True, False], ids=["setproctitle", "no-setproctitle"])
@pytest.mark.parametrize("command", [[SCRIPT], [sys.executable, "-m", "gunicorn"]], ids=["script", "module"])
def test_however_it_was_started(agent: Agent, folder: Path, command: list[str], titles: bool) -> None:
    with Gunicorn(
        folder / "a", "sync", 2, ["--name", "my shop"], command, environment(folder, titles)
    ) as gunicorn:
        found = agent.find(port=gunicorn.port)

        arbiter = found["arbiter"]
        assert arbiter["pid"] == gunicorn.pid
        assert arbiter["name"] == "my shop"
        assert arbiter["listen"] == [f"127.0.0.1:{gunicorn.port}"]
        assert sorted(arbiter["workers"]) == gunicorn.worker_pids
        assert sorted(worker["pid"] for worker in found["workers"]) == gunicorn.worker_pids
        assert arbiter["upgrading"] is False
        agent.say(op="check")
        assert agent.wait("checked")["gunicorn"]["version"].startswith("2")


def test_in_a_virtual_environment(agent: Agent, folder: Path) -> None:
    made = folder / "venv"
    venv.create(made, symlinks=True)
    packages = next(made.glob("lib/python*/site-packages"))
    (packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()))
    shutil.copy(SCRIPT, made / "bin" / "gunicorn")
    with Gunicorn(
        folder / "v", command=[str(made / "bin" / "python"), str(made / "bin" / "gunicorn")]
    ) as gunicorn:
        assert agent.find(port=gunicorn.port)["arbiter"]["pid"] == gunicorn.pid


def test_several_are_listed_and_one_can_be_chosen(agent: Agent, service: Gunicorn, folder: Path) -> None:
    pidfile = folder / "second.pid"
    with Gunicorn(folder / "b", arguments=["--name", "second", "--pid", str(pidfile)]) as second:
        error = agent.find()
        assert error["code"] == "ambiguous"
        listed = {item["pid"]: item for item in error["all"]}
        assert {service.pid, second.pid} <= set(listed)
        assert listed[second.pid]["listen"] == [f"127.0.0.1:{second.port}"]

        worker = second.worker_pids[0]
        for choice in (
            {"name": "second"},
            {"pid": second.pid},
            {"pid": worker},
            {"pidfile": str(pidfile)},
            {"port": second.port},
        ):
            assert agent.find(**choice)["arbiter"]["pid"] == second.pid, choice
        assert f"PID {worker} is a worker" in agent.find(pid=worker)["note"]
        assert agent.find(port=1)["code"] == "no-gunicorn"


def test_reuse_port_leaves_the_arbiter_without_a_socket(agent: Agent, folder: Path) -> None:
    with Gunicorn(folder / "r", arguments=["--reuse-port"]) as gunicorn:
        assert agent.find(port=gunicorn.port)["arbiter"]["pid"] == gunicorn.pid


@pytest.mark.parametrize("titles", [True, False], ids=["setproctitle", "no-setproctitle"])
def test_a_wrapper_is_not_gunicorn_but_leads_to_it(agent: Agent, folder: Path, titles: bool) -> None:
    shell = ["sh", "-c", '"$0" -m gunicorn "$@"; true', sys.executable]
    with Gunicorn(folder / "w", command=shell, environment=environment(folder, titles)) as gunicorn:
        assert gunicorn.process.pid != gunicorn.pid
        found = agent.find(pid=gunicorn.process.pid)

        assert found["arbiter"]["pid"] == gunicorn.pid
        assert "has started the arbiter" in found["note"]
        assert gunicorn.process.pid not in [item["pid"] for item in found["all"]]


@contextlib.contextmanager
def started(*argv: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_what_only_mentions_gunicorn_is_none(agent: Agent, folder: Path, service: Gunicorn) -> None:
    editor = folder / "editor.py"
    editor.write_text("import time; time.sleep(60)")
    with (
        started(sys.executable, str(editor), "gunicorn.conf.py", "gunicorn") as first,
        started("sh", "-c", "sleep 60; true gunicorn -w 4 shop:app") as second,
    ):
        found = agent.find(pid=service.pid)
        assert not {first.pid, second.pid} & {item["pid"] for item in found["all"]}
        refused = agent.find(pid=first.pid)
        assert refused["code"] == "not-gunicorn"
        assert "editor.py" in refused["message"]


@pytest.mark.parametrize("titles", [True, False], ids=["setproctitle", "no-setproctitle"])
def test_in_the_middle_of_an_upgrade(agent: Agent, folder: Path, titles: bool) -> None:
    with Gunicorn(folder / "u", environment=environment(folder, titles)) as gunicorn:
        before = gunicorn.worker_pids
        gunicorn.signal(signal.SIGUSR2)
        new = until(lambda: set(gunicorn.worker_pids) - set(before), "the new arbiter").pop()
        until(lambda: len(children_of(new)) == 2, "its workers")

        def found_whole() -> bool:
            answer = agent.find(port=gunicorn.port)
            assert answer["type"] == "found", answer
            return bool(len(answer["arbiter"]["workers"]) == 4)

        until(found_whole, "both generations")
        for pid in (gunicorn.pid, new):
            arbiter = agent.find(pid=pid)["arbiter"]
            assert arbiter["pid"] == gunicorn.pid, "the old one, whose tree holds both"
            assert arbiter["upgrading"] is True
            assert sorted(arbiter["workers"]) == sorted([*before, *children_of(new)])


@pytest.mark.parametrize("titles", [True, False], ids=["setproctitle", "no-setproctitle"])
def test_orphans_are_not_taken_for_arbiters(agent: Agent, folder: Path, titles: bool) -> None:
    with Gunicorn(folder / "o", environment=environment(folder, titles)) as gunicorn:
        workers = gunicorn.worker_pids
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)  # or they would see that they are orphans and go
        try:
            gunicorn.signal(signal.SIGKILL)
            gunicorn.process.wait()
            for pid in workers:
                answer = agent.find(pid=pid)
                assert answer["code"] == "not-gunicorn", answer
                assert not set(workers) & {item["pid"] for item in answer["all"]}
        finally:
            for pid in workers:
                if running(pid):
                    os.kill(pid, signal.SIGKILL)


@needs_root
@pytest.mark.needs_root
def test_under_another_user(folder: Path) -> None:
    home = folder / "nobody"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    python, environment = _for_everybody()
    with (
        Gunicorn(home, user=NOBODY, python=python, environment=environment) as gunicorn,
        Agent(hello={}) as agent,
    ):
        arbiter = agent.find(port=gunicorn.port)["arbiter"]
        assert arbiter["pid"] == gunicorn.pid
        assert arbiter["user"] == "nobody"
        assert agent.record(gunicorn.pid)["views"]["wall"]["valid"]
        agent.stop()
        assert agent.bye() == 0


def _for_everybody() -> tuple[str, dict[str, str]]:
    """A Python with gunicorn that another user may execute: this one, or the system's with this one's packages."""
    system = f"/usr/bin/python3.{sys.version_info.minor}"
    packages = {"PYTHONPATH": ":".join(site.getsitepackages())}
    for python, environment in ((sys.executable, {}), (system, packages)):
        with contextlib.suppress(OSError):
            done = subprocess.run(
                [python, "-c", "import gunicorn.app.wsgiapp"],
                user=NOBODY,
                group=NOBODY,
                extra_groups=[],
                env=environment,
                cwd="/",
                check=False,
                capture_output=True,
            )
            if done.returncode == 0:
                return python, environment
    pytest.skip("no Python with gunicorn that another user may execute")


@needs_root
@pytest.mark.needs_root
def test_without_the_right_to_read_it_the_cause_is_told(service: Gunicorn) -> None:
    """Another user sees that there is a gunicorn, and learns why it cannot be profiled and what to do."""
    with Agent(before=AS_NOBODY, python=_for_everybody()[0], owner=NOBODY, hello={}) as agent:
        assert agent.find(pid=service.pid)["arbiter"]["name"] == "service"
        refused = agent.find(port=service.port)
        assert "sudo" in refused["hint"]
        assert re.search(
            r"the sockets of \d+ gunicorns? of [\w, -]*\broot cannot be read", refused["message"]
        )
        agent.find(pid=service.pid)
        agent.say(op="check")
        error = agent.wait("error")
        assert error["code"] == "not-permitted"
        assert "sudo: true" in error["hint"]
        assert agent.bye() == 0


@needs_root
@pytest.mark.needs_root
def test_the_only_one_there_is_needs_no_choice(folder: Path, service: Gunicorn) -> None:
    """In a PID namespace of its own, because other gunicorns run on the machine of whoever runs this test."""
    alone = [*["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"], "sh", "-c"]
    if subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("PID namespaces cannot be made here")
    serve = f'"{sys.executable}" -m gunicorn -b unix:{folder}/alone.sock --chdir "{service.folder}" service_wsgi:application'
    command = [*alone, f'{serve} 2>/dev/null & exec "$0" "$@"']
    with Agent(before=command, hello={}) as agent:

        def found() -> bool:
            answer = agent.find()
            assert answer.get("code", "no-gunicorn") == "no-gunicorn", answer
            return bool(answer["type"] == "found" and answer["arbiter"]["workers"])

        until(found, "the only gunicorn")
        agent.say(op="check")
        assert agent.wait("checked")["views"]["cpu"]["valid"], "it is in the agent's own namespace"
        assert agent.bye() == 0
