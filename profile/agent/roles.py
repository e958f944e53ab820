"""What a command line says about a process: gunicorn's arbiter, its worker, or the gunicorn program itself.

With setproctitle the title says it. Without, arbiter and workers carry the same arguments and only the family tree can tell
them apart (see trees.py). A program that merely mentions gunicorn (a shell, su, an editor) is none.
"""

from __future__ import annotations

import re
from typing import Any, Iterator, NamedTuple, Optional

MASTER, WORKER, DIRTY_ARBITER, DIRTY_WORKER = "master", "worker", "dirty-arbiter", "dirty-worker"
PROGRAM = "program"  # gunicorn by its arguments: arbiter or worker, not known yet

_TITLE = re.compile(r"^gunicorn: (master|worker|dirty-arbiter|dirty-worker)(?: \[(.*?)\]?)?\s*$", re.DOTALL)
_PYTHON = re.compile(r"^(?:python|pypy|platform-python)[\d.]*[td]*$")
_GUNICORN = re.compile(
    r"^\.?gunicorn(?:3|_paster|_django)?(?:-wrapped)?(?:-?\d[\d.]*)?(?:\.py|\.pyz|\.pex)?$"
)
_SCRIPTS = (
    "/gunicorn/__main__.py",
    "/gunicorn/app/wsgiapp.py",
)  # what `-m gunicorn` becomes when USR2 executes it anew
_MODULES = ("gunicorn", "gunicorn.__main__", "gunicorn.app.wsgiapp")

# Options of gunicorn without a value; every other one takes the next argument.
_FLAGS = frozenset(
    [
        "--reload",
        "--spew",
        "--check-config",
        "--print-config",
        "--preload",
        "--no-sendfile",
        "--reuse-port",
        "-D",
        "--daemon",
        "--initgroups",
        "-R",
        "--enable-stdio-inheritance",
        "--capture-output",
        "--log-syslog",
        "--disable-redirect-access-to-syslog",
        "--suppress-ragged-eofs",
        "--do-handshake-on-connect",
        "-v",
        "--version",
        "-h",
        "--help",
        "--permit-obsolete-folding",
        "--strip-header-spaces",
        "--permit-unconventional-http-method",
        "--permit-unconventional-http-version",
        "--casefold-http-method",
        "--no-control-socket",
        "--proxy-protocol",
    ]
)
_KNOWN = {
    "-n": "name",
    "--name": "name",
    "-b": "bind",
    "--bind": "bind",
    "-w": "workers",
    "--workers": "workers",
    "-k": "worker_class",
    "--worker-class": "worker_class",
    "--threads": "threads",
    "-p": "pidfile",
    "--pid": "pidfile",
    "--chdir": "chdir",
    "--max-requests": "max_requests",
}


class Role(NamedTuple):
    """`kind` is one of the constants above; `name` is gunicorn's process name; `arguments` follow the program."""

    kind: str
    name: str
    arguments: tuple[str, ...]


def role_of(argv: list[str]) -> Optional[Role]:
    """The role that a command line shows; None where it is not gunicorn's."""
    if not argv:
        return None
    title = _TITLE.match(argv[0])
    if title:
        return Role(title.group(1), title.group(2) or "", ())
    arguments = _program_arguments(argv)
    if arguments is None:
        return None
    settings = settings_of(arguments)
    return Role(PROGRAM, settings.get("name") or settings.get("app") or "", tuple(arguments))


def _base(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _program_arguments(argv: list[str]) -> Optional[list[str]]:
    """What follows `gunicorn`, `python …/gunicorn` or `python -m gunicorn`; None where it is neither."""
    if _GUNICORN.match(_base(argv[0])):
        return argv[1:]
    if not _PYTHON.match(_base(argv[0]).lstrip("-")):
        return None
    position = 1
    while position < len(argv) and argv[position].startswith("-") and argv[position] != "-":
        letter, value, step = _interpreter_option(argv, position)
        if letter == "m":
            return argv[position + step :] if value in _MODULES else None
        if letter == "c":
            return None
        position += step
    if position < len(argv) and (_GUNICORN.match(_base(argv[position])) or argv[position].endswith(_SCRIPTS)):
        return argv[position + 1 :]
    return None


def _interpreter_option(argv: list[str], position: int) -> tuple[str, str, int]:
    """(letter that takes a value, the value, arguments used) of one of Python's own options, such as `-uIm gunicorn`."""
    option = argv[position]
    following = argv[position + 1] if position + 1 < len(argv) else ""
    if option.startswith("--"):
        return "", "", 2 if option == "--check-hash-based-pycs" else 1
    for index, letter in enumerate(option[1:], start=2):
        if letter in "cmWX":
            rest = option[index:]
            return (letter, rest, 1) if rest else (letter, following, 2)
    return "", "", 1


def settings_of(arguments: list[str]) -> dict[str, Any]:
    """What gunicorn's arguments say: `name, bind (list), workers, worker_class, threads, max_requests, pidfile,
    chdir, app`."""
    found: dict[str, Any] = {"bind": []}
    for option, value in options(arguments):
        key = _KNOWN.get(option)
        if key == "bind":
            found["bind"].append(value)
        elif key:
            found[key] = value
        elif not option and "app" not in found:
            found["app"] = value
    return found


def options(arguments: list[str]) -> Iterator[tuple[str, str]]:
    """(option, value) one by one; a positional argument has an empty option, a flag an empty value."""
    position = 0
    while position < len(arguments):
        option, value, step = _gunicorn_option(arguments, position)
        position += step
        yield option, value


def _gunicorn_option(arguments: list[str], position: int) -> tuple[str, str, int]:
    """(option, value, arguments used); a positional argument has an empty option."""
    item = arguments[position]
    if not item.startswith("-") or item == "-":
        return "", item, 1
    if item in _FLAGS:
        return item, "", 1
    if item.startswith("--"):
        option, equals, value = item.partition("=")
    else:
        option, equals, value = item[:2], item[2:], item[2:]
    if equals:
        return option, value, 1
    return option, arguments[position + 1] if position + 1 < len(arguments) else "", 2
