"""Whose code a frame is, and what it is called: `handle (/srv/app/views.py:12)`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache


class Owner(StrEnum):
    """Whose code a frame is."""

    APPLICATION = "application"
    LIBRARY = "library"
    STANDARD = "standard"
    SERVER = "server"
    """The server, its threads and the web framework: outer frames that every request goes through."""


@dataclass(frozen=True, eq=False)
class Function:
    """A frame without its line: what times are added up by. There is one object for each (compared by identity: fast)."""

    name: str
    file: str
    """As recorded; empty where the frame names none."""
    owner: Owner

    @property
    def short_file(self) -> str:
        """The file below site-packages or the standard library's folder; an application's as recorded."""
        return _PREFIX.sub("", self.file)


# Of these, what a request passes on its way in and what a worker waits in; not what an application calls for its answer.
_SERVER_PACKAGES = {
    "gunicorn",
    "uvicorn",
    "uvicorn_worker",
    "gevent",
    "greenlet",
    "flask",
    "werkzeug",
    "flask_socketio",
    "flask_sock",
    "socketio",
    "engineio",
    "simple_websocket",
    "starlette",
    "asgiref",
    "h11",
    "httptools",
}
_SERVER_MODULES = {
    "threading",
    "concurrent",
    "asyncio",
    "selectors",
    "socketserver",
    "socket",
    "ssl",
    "queue",
    "runpy",
    "importlib",
    "multiprocessing",
}
_PREFIX = re.compile(
    r"^.*[/\\](?:site|dist)-packages[/\\]|^.*[/\\][Ll]ib(?:64)?[/\\]python\d[\d.]*t?[/\\](?!(?:site|dist)-packages)"
)
_PACKAGES = re.compile(r"[/\\](?:site|dist)-packages[/\\]([^/\\]+)")
_STANDARD = re.compile(r"[/\\][Ll]ib(?:64)?[/\\]python\d[\d.]*t?[/\\]([^/\\]+)")
_LAUNCHER = re.compile(r"[/\\]bin[/\\](?:gunicorn|uvicorn)$")
_LABEL = re.compile(r"(.*?) \((.*?)(?::(\d+))?\)", re.DOTALL)


@lru_cache(maxsize=65536)
def function_of(label: str) -> Function:
    """The function that a frame label names; a label of another form is a function without a file."""
    found = _LABEL.fullmatch(label)
    if found is None:
        return _function(label, "")
    return _function(found[1], found[2])


@cache
def _function(name: str, file: str) -> Function:
    return Function(name, file, owner_of(file))


def line_of(label: str) -> int | None:
    """The line that a frame label names."""
    found = _LABEL.fullmatch(label)
    return int(found[3]) if found and found[3] and len(found[3]) < 10 else None


def owner_of(file: str) -> Owner:
    """Whose code `file` is, told by its path alone."""
    if package := _PACKAGES.search(file):
        name = package[1].removesuffix(".py")
        return Owner.SERVER if name in _SERVER_PACKAGES else Owner.LIBRARY
    if module := _STANDARD.search(file):
        name = module[1].removesuffix(".py")
        return Owner.SERVER if name in _SERVER_MODULES else Owner.STANDARD
    if _LAUNCHER.search(file) or file.startswith(("<frozen importlib", "<frozen runpy")):
        return Owner.SERVER
    return Owner.STANDARD if file.startswith("<frozen ") else Owner.APPLICATION


_WAITS = {
    ("concurrent/futures/thread.py", "_worker"),  # in work_queue.get, which has no frame
    ("gunicorn/workers/sync.py", "wait"),
    ("gevent/hub.py", "run"),
}
_SELECTING = ("gunicorn/workers/gthread.py", "asyncio/base_events.py")  # who waits in selectors.py's `select`


def waits_for_work(frames: tuple[str, ...]) -> bool:
    """Whether a thread waits in its pool or its server's loop for something to do.

    py-spy takes such a thread for active when it was just woken: all sync workers are for each connection that one of them
    takes. Measured against the kernel's accounts: a main thread of 2.25 s of CPU had 4.64 s of samples, 2.27 s of them here.
    What these functions themselves compute is too short to be seen.
    """
    if not frames:
        return False
    file, name = _place(frames[-1])
    if name == "select" and file == "selectors.py":
        return len(frames) > 1 and _place(frames[-2])[0] in _SELECTING
    return (file, name) in _WAITS


def _place(label: str) -> tuple[str, str]:
    """File and name of a frame. Before Python 3.11 a method's name comes without its class."""
    function = function_of(label)
    return function.short_file.replace("\\", "/"), function.name.rpartition(".")[2]
