"""The logs of real gunicorns are found by their settings and by what their processes hold open."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.gunicorns import Gunicorn, shared_folder, until, without_setproctitle
from tests.integration.agent.following import Following, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = """
import logging, os, sqlite3

accesslog = "../logs/requests"
access_log_format = ('%(t)s %(m)s '
                     '%(U)s %(s)s %(M)s')
proc_name = "s" + "hop"

def post_worker_init(worker):
    worker.kept = [
        sqlite3.connect("orders.sqlite3"),
        open("service.lock", "w"),
        open("results", "wb"),
        open("blobs.log", "ab"),
        open("/dev/shm/toolkit-test-heartbeat-%d.log" % os.getpid(), "a"),
    ]
    worker.kept[0].execute("create table if not exists orders (id)")
    worker.kept[3].write(bytes(1000))
    worker.kept[3].flush()
    os.unlink(worker.kept[4].name)

def pre_request(worker, request):
    log = logging.getLogger("orders")
    if request.path == "/log":
        if not log.handlers:
            log.addHandler(logging.FileHandler("orders.log"))
        log.warning("order 17 taken")
"""


class Service(Gunicorn):
    """A gunicorn whose error log is not what it prints."""

    def _listening_pid(self) -> int:
        return self.process.pid


@pytest.fixture
def place() -> Iterator[Path]:
    with shared_folder() as folder:
        (folder / "logs").mkdir()
        (folder / "service").mkdir()
        (folder / "service" / "gunicorn.conf.py").write_text(CONFIG)
        yield folder


def written(folder: Path) -> int:
    """Lines of requests for more than `/`, which is how the service's start was awaited."""
    return sum(line != "/" for path in folder.glob("access.log*") for line in path.read_text().splitlines())


def titleless(place: Path, **more: str) -> dict[str, str]:
    return {**without_setproctitle(place), **more}


def test_settings_and_open_files_are_found_and_other_files_passed_over(place: Path) -> None:
    environment = titleless(place, GUNICORN_CMD_ARGS="--error-logf=../logs/problems")
    with Service(place / "service", environment=environment) as service:
        service.get("/")
        with Following(tree=tree_of(service.pid), find=True) as following:
            found = {
                os.path.relpath(row["path"], place): (
                    row["role"],
                    row["found"].split(" of PID")[0],
                    row["note"],
                )
                for row in following.sources
            }
            console = os.path.relpath(service.log, place)
            assert found == {
                "logs/problems": ("error", "GUNICORN_CMD_ARGS", None),
                "logs/requests": ("access", f"accesslog in {place}/service/gunicorn.conf.py", None),
                console: ("application", "standard error", None),
            }
            assert following.source("requests")["format"] == "%(t)s %(m)s %(U)s %(s)s %(M)s"
            (passed,) = (note for note in following.logs.notes if note.startswith("Passed over"))
            assert "orders.sqlite3 (by its name it is no log)" in passed
            assert "service.lock (by its name it is no log)" in passed
            assert "results (it is not appended to, and its name is no log's)" in passed
            assert "blobs.log (it holds no text)" in passed
            assert "heartbeat" not in passed

            service.get("/log")
            until_said(following, "log_source")
            row = following.source("orders.log")
            assert (row["role"], row["source"]) == ("application", 3)
            following.until(lambda: following.text("orders.log") == "order 17 taken\n", "its first line")

            service.signal(signal.SIGHUP)
            following.until(lambda: "Hang up" in following.text("problems"), "gunicorn's own line")
            following.logs.follow(tree_of(service.pid))
            following.run(1.5)
            assert len(following.sources) == 4


def until_said(following: Following, kind: str) -> None:
    following.until(lambda: any(item["type"] == kind for item in following.said), kind, 14)


def test_behind_a_process_title_open_files_tell(place: Path) -> None:
    (place / "service" / "gunicorn.conf.py").unlink()
    arguments = ["--access-logfile", str(place / "logs" / "access.log")]
    with (
        Gunicorn(place / "service", arguments=arguments) as service,
        Following(tree=tree_of(service.pid), find=True) as following,
    ):
        assert following.source("access.log")["role"] == "access"
        assert following.source("access.log")["found"].startswith("descriptor ")
        assert any("hidden behind its process title" in note for note in following.logs.notes)
        service.get("/answer")
        following.until(lambda: "GET /answer" in following.text("access.log"), "the line")


def test_one_file_for_both_logs_is_one_source_without_a_role(place: Path) -> None:
    (place / "service" / "gunicorn.conf.py").unlink()
    arguments = ["--access-logfile", "-"]  # both streams are one file
    with (
        Gunicorn(place / "service", arguments=arguments, environment=titleless(place)) as service,
        Following(tree=tree_of(service.pid), find=True) as following,
    ):
        (row,) = following.sources
        assert (row["path"], row["role"]) == (str(service.log), None)
        assert row["format"].startswith("%(h)s %(l)s")
        service.get("/answer")
        following.until(lambda: "GET /answer" in following.text(row["path"]), "the line")


def test_a_log_rotated_as_logrotate_does_it(place: Path) -> None:
    (place / "service" / "gunicorn.conf.py").unlink()
    log = place / "logs" / "access.log"
    arguments = ["--access-logfile", str(log), "--access-logformat", "%(U)s"]
    with (
        Gunicorn(place / "service", "gthread", arguments=arguments, environment=titleless(place)) as service,
        Following(tree=tree_of(service.pid), find=True) as following,
    ):
        asked = []
        for number in range(60):
            if number in (20, 40):
                log.rename(f"{log}.{number}")
                log.touch()
                service.signal(signal.SIGUSR1)
            service.get(f"/{number}")
            asked.append(f"/{number}")
            following.run(0.01)
        # gunicorn writes a line after it has answered.
        until(lambda: written(log.parent) == len(asked), "the last line")
        following.finish()
        assert sorted(line for line in following.text("access.log").splitlines() if line != "/") == sorted(
            asked
        )
        assert len(following.events("rotated")) == 2


def test_streams_that_nobody_can_follow_are_named(place: Path) -> None:
    (place / "service" / "gunicorn.conf.py").unlink()
    command = ["sh", "-c", 'exec "$@" 2>&1 | tee piped.log', "sh", sys.executable, "-m", "gunicorn"]
    with (
        Gunicorn(place / "service", command=command, environment=titleless(place)) as service,
        Following(tree=tree_of(service.pid), find=True) as following,
    ):
        assert following.sources == []
        assert any(
            "error log goes to its standard error: a pipe" in note and "cannot be followed" in note
            for note in following.logs.notes
        ), following.logs.notes
        assert "gunicorn writes no access log: --access-logfile is not set." in following.logs.notes


@pytest.mark.needs_root
@pytest.mark.skipif(os.getuid() != 0, reason="needs root for a mount namespace")
def test_the_logs_of_a_container_are_read_through_its_root(place: Path) -> None:
    """/mnt is another one inside; the link there means the container's path, not ours."""
    (place / "service" / "gunicorn.conf.py").unlink()
    inside = 'mount -t tmpfs none /mnt && mkdir /mnt/real && ln -s /mnt/real /mnt/log && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", inside, "sh", sys.executable, "-m", "gunicorn"]
    if subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("no mount namespaces here")
    arguments = ["--access-logfile", "/mnt/log/access.log"]
    with (
        Gunicorn(
            place / "service", arguments=arguments, command=command, environment=titleless(place)
        ) as service,
        Following(tree=tree_of(service.pid), find=True) as following,
    ):
        assert following.source("access.log")["found"] == "--access-logfile"
        service.get("/inside")
        following.until(lambda: "GET /inside" in following.text("access.log"), "the line")
        log = Path(f"/proc/{service.pid}/root/mnt/real/access.log")
        log.rename(f"{log}.1")
        service.signal(signal.SIGUSR1)
        until(log.exists, "the new file")
        service.get("/after")
        following.until(lambda: "GET /after" in following.text("access.log"), "the line after the rotation")


def test_without_finding_only_what_was_named_is_followed(place: Path) -> None:
    (place / "service" / "gunicorn.conf.py").unlink()
    log = place / "logs" / "access.log"
    arguments = ["--access-logfile", str(log), "--access-logformat", "%(U)s"]
    with (
        Gunicorn(place / "service", arguments=arguments, environment=titleless(place)) as service,
        Following([log], tree=tree_of(service.pid)) as following,
    ):
        (row,) = following.sources
        assert (row["found"], row["role"], row["format"]) == ("named in the plan", "access", "%(U)s")
        assert following.logs.notes == []
