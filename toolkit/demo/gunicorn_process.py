"""Starts a gunicorn of the bundled service on loopback, and waits until it answers."""

from __future__ import annotations

import http.client
import importlib.util
import os
import re
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from toolkit.demo.state import HOST_ALIAS
from toolkit.errors import NotPermittedError, ToolkitError, UsageError
from toolkit.recording.places import carried, in_checkout

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 18080
PIDFILE, ACCESS_LOG, ERROR_LOG, DATABASE = "gunicorn.pid", "access.log", "error.log", "counters.sqlite"
FILES = (PIDFILE, ACCESS_LOG, ERROR_LOG, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm")
"""All that the service leaves in its folder."""

_PACKAGES = {
    "gunicorn": "gunicorn",
    "flask": "flask",
    "flask_socketio": "flask-socketio",
    "flask_sock": "flask-sock",
    "urllib3": "urllib3",
}
_LISTENING = re.compile(r"Listening, one of (\d+) workers$", re.MULTILINE)
READY_S = 30.0
_LAST_LINES = 12


def require_packages() -> None:
    """See that what the service is made of is installed.

    Raises:
        ToolkitError: the extra `demo` is not installed.
    """
    missing = [name for module, name in _PACKAGES.items() if importlib.util.find_spec(module) is None]
    if missing:
        source = "-e '.[demo]'" if in_checkout() else "'gunicorn-load-profile-toolkit[demo]'"
        raise ToolkitError(
            f"The bundled service needs {', '.join(missing)}, which this Python ({sys.executable}) does not have.",
            f"Install it: {sys.executable} -m pip install {source}",
        )


def choose_port(port: int | None) -> int:
    """The port that the service can listen on now.

    Args:
        port: the one that is wanted; None takes 18080 where it is free, else any free one.

    Raises:
        UsageError: there is no such port.
        NotPermittedError: the system does not let this user have it.
        ToolkitError: somebody else listens there.
    """
    if port is None:
        try:
            return _free(DEFAULT_PORT)
        except OSError:
            return _free(0)
    if not 0 < port < 65536:
        raise UsageError(
            f"{port} is no port.", "Take one from 1024 to 65535, or none: then a free one is found."
        )
    try:
        return _free(port)
    except PermissionError as error:
        raise NotPermittedError(f"Port {port} is not for this user.", "Take one above 1023.") from error
    except OSError as error:
        raise ToolkitError(
            f"Port {port} of {LOOPBACK} is taken ({error.strerror}).",
            "Choose another one, or none: then a free one is found.",
        ) from error


def is_free(port: int) -> bool:
    """Whether a service can listen on this port now."""
    try:
        return bool(_free(port))
    except OSError:
        return False


def free_ports(count: int) -> list[int]:
    """So many different ones."""
    found: dict[int, None] = {}
    while len(found) < count:
        found[_free(0)] = None
    return list(found)


def _free(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((LOOPBACK, port))
        probe.listen()  # binding alone succeeds beside another socket that is about to listen
        chosen: int = probe.getsockname()[1]
        return chosen


def spawn_service(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the gunicorn of the bundled service itself."""
    flags = ("--pid", str(folder / PIDFILE), "--bind", f"{LOOPBACK}:{port}")
    return spawn(
        "gunicorn.conf.py", folder, folder / ERROR_LOG, {"DEMO_FOLDER": str(folder)}, HOST_ALIAS, *flags
    )


def spawn(
    settings: str, folder: Path, error_log: Path, own: dict[str, str], name: str, *flags: str
) -> subprocess.Popen[bytes]:
    """Start gunicorn in a session of its own: no Ctrl-C in this terminal reaches it, and it outlives this process.

    Args:
        settings: a file of the folder `demo`.
        folder: where it runs.
        error_log: what it writes before it has a log of its own.
        own: its variables of the environment.
        name: among the processes; by it they are found again.
        flags: more of them.
    """
    argv = [
        *(sys.executable, "-P", "-m", "gunicorn"),
        *("--config", str(carried("demo") / settings)),
        *("--name", name),
        *flags,
    ]
    with error_log.open("ab") as log:
        return subprocess.Popen(
            argv,
            cwd=folder,
            env=_environment(own),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def await_ready(
    gunicorn: subprocess.Popen[bytes],
    error_log: Path,
    port: int,
    within_s: float = READY_S,
    *,
    each_worker: bool = True,
) -> None:
    """Wait until it answers, and, where each worker listens on a socket of its own, until all of them do.

    Raises:
        ToolkitError: it ended, or did not answer in time; with the end of its error log.
    """
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if gunicorn.poll() is not None:
            raise _did_not_start(f"gunicorn ended with exit code {gunicorn.returncode}", error_log)
        if (not each_worker or _all_listen(error_log)) and _answers(port):
            return
        time.sleep(0.05)
    raise _did_not_start(f"nothing answered on port {port} within {within_s:.0f} s", error_log)


def _environment(own: dict[str, str]) -> dict[str, str]:
    # The operator's options for gunicorn and for the toolkit are not meant for this service; the latter may hold a password.
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("GUNICORN_", "TOOLKIT_"))
    }
    own = {**own, "PYTHONDONTWRITEBYTECODE": "1"}
    # -P once more, for an upgrade by USR2: gunicorn starts itself anew by the path of its own __main__.py, without the
    # options of Python. That puts gunicorn's folder on the path, whose http hides the standard library's.
    return {**inherited, **own, "PYTHONSAFEPATH": "1"}


def _all_listen(error_log: Path) -> bool:
    """Whether each worker has said so in the error log, which is a new one (see demo/gunicorn.conf.py)."""
    said = _LISTENING.findall(error_log.read_text(encoding="utf-8", errors="replace"))
    return len(said) >= max(map(int, said), default=1)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Connection": "close"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _did_not_start(what: str, error_log: Path) -> ToolkitError:
    lines = error_log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])
    return ToolkitError(f"The bundled service did not start: {what}. The end of its error log:\n{said}")
