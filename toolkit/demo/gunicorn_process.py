"""Starts the bundled service's gunicorn on loopback, and waits until it answers."""

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
}
_LISTENING = re.compile(r"Listening, one of (\d+) workers$", re.MULTILINE)
_READY_S = 30.0
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


def _free(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((LOOPBACK, port))
        probe.listen()  # binding alone succeeds beside another socket that is about to listen
        chosen: int = probe.getsockname()[1]
        return chosen


def spawn(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start gunicorn in a session of its own: no Ctrl-C in this terminal reaches it, and it outlives this process."""
    argv = [
        *(sys.executable, "-P", "-m", "gunicorn"),
        *("--config", str(carried("demo") / "gunicorn.conf.py")),
        *("--name", HOST_ALIAS),
        *("--pid", str(folder / PIDFILE)),
        *("--bind", f"{LOOPBACK}:{port}"),
    ]
    with (folder / ERROR_LOG).open("ab") as log:
        return subprocess.Popen(
            argv,
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def await_ready(gunicorn: subprocess.Popen[bytes], folder: Path, port: int) -> None:
    """Wait until all of its workers listen and the service answers.

    Raises:
        ToolkitError: it ended, or did not answer in time; with the end of its error log.
    """
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        if gunicorn.poll() is not None:
            raise _did_not_start(f"gunicorn ended with exit code {gunicorn.returncode}", folder)
        if _all_listen(folder) and _answers(port):
            return
        time.sleep(0.05)
    raise _did_not_start(f"nothing answered on port {port} within {_READY_S:.0f} s", folder)


def _environment(folder: Path) -> dict[str, str]:
    # The operator's options for gunicorn and for the toolkit are not meant for this service; the latter may hold a password.
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("GUNICORN_", "TOOLKIT_"))
    }
    own = {"DEMO_FOLDER": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    # -P once more, for an upgrade by USR2: gunicorn starts itself anew by the path of its own __main__.py, without the
    # options of Python. That puts gunicorn's folder on the path, whose http hides the standard library's.
    return {**inherited, **own, "PYTHONSAFEPATH": "1"}


def _all_listen(folder: Path) -> bool:
    """Whether each worker has said so in the error log, which is a new one (see demo/gunicorn.conf.py)."""
    said = _LISTENING.findall((folder / ERROR_LOG).read_text(encoding="utf-8", errors="replace"))
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


def _did_not_start(what: str, folder: Path) -> ToolkitError:
    lines = (folder / ERROR_LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    said = "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])
    return ToolkitError(f"The bundled service did not start: {what}. The end of its error log:\n{said}")
