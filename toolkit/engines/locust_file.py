"""What is in a locustfile: its syntax by Python's parser, its users by Locust itself, its addresses by its text."""

from __future__ import annotations

import ast
import json
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from toolkit.engines.locust_python import find_locust
from toolkit.recording.places import carried

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMPORT_TIMEOUT_S = 30.0
_SCHEMES = ("http://", "https://")
_LARGEST_DATA = 1 << 20
"""Bytes of a file that may hold addresses; larger ones hold traffic."""


@dataclass(frozen=True)
class LocustFile:
    """A locustfile that can be run."""

    path: Path
    tree: ast.Module
    users: tuple[dict[str, Any], ...]
    """`{"name", "host", "tasks"}`."""
    shape: str | None
    """Its LoadTestShape, which then says how many users there are; None where it has none."""


def read_locustfile(path: Path) -> tuple[LocustFile | None, str]:
    """The file, or None and what is wrong with it, with the place.

    Raises:
        UsageError: Locust is missing.
    """
    if path.suffix != ".py":
        return None, f"{path}: a locustfile is a Python file (.py)."
    try:
        source = path.read_bytes()
    except OSError as error:
        return None, f"{path} cannot be read: {error.strerror or error}."
    try:
        tree = ast.parse(source, str(path))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        return None, f"{_place(path, line)}: it is no Python: {getattr(error, 'msg', error)}."
    said = _asked(find_locust()[0], str(path.resolve()), path.stat().st_mtime_ns)
    if said.get("problem"):
        return None, f"{_place(path, said.get('line'))}: it cannot be imported: {said['problem']}."
    users = tuple(said.get("users") or ())
    if not users:
        return (
            None,
            f"{path}: there is no User class in it; a class with `HttpUser` as its base is the least.",
        )
    return LocustFile(path, tree, users, said.get("shape")), ""


def check_argv() -> list[str]:
    """The program that imports a locustfile, to be followed by the file.

    Raises:
        UsageError: Locust is missing.
    """
    return [find_locust()[0], str(carried("loadtesting") / "lib" / "locust_check.py")]


@lru_cache(maxsize=16)
def _asked(python: str, path: str, _changed_ns: int) -> dict[str, Any]:
    argv = [python, str(carried("loadtesting") / "lib" / "locust_check.py"), path]
    complaint = ""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=IMPORT_TIMEOUT_S,
            check=False,
        )
        complaint = (done.stderr.strip().splitlines() or [""])[-1]
        said = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"problem": f"that took more than {IMPORT_TIMEOUT_S:.0f} s"}
    except (OSError, ValueError, IndexError) as error:
        return {"problem": complaint or f"Locust's Python could not be asked ({error})"}
    return said if isinstance(said, dict) else {"problem": "Locust's Python said nothing that can be read"}


def _place(path: Path, line: int | None) -> str:
    return f"{path}:{line}" if line else str(path)


def addresses(file: LocustFile) -> list[str]:
    """Absolute URLs in the file's code, and in JSON files beside it that it names; each once. Its documentation is none of it."""
    words = {
        id(node.value)
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    texts = [
        node.value
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in words
    ]
    found = [text for text in texts if text.lower().startswith(_SCHEMES)]
    for name in dict.fromkeys(text for text in texts if text.endswith(".json")):
        found += addresses_in(_read_beside(file.path, name))
    return list(dict.fromkeys(found))


def addresses_in(data: object) -> list[str]:
    """Absolute URLs among the values of JSON."""
    if isinstance(data, str):
        return [data] if data.lower().startswith(_SCHEMES) else []
    values = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return [address for value in values for address in addresses_in(value)]


def _read_beside(path: Path, name: str) -> object:
    """What is in it; None where it cannot be read, which the locustfile will find out itself."""
    try:
        beside = path.parent / name
        return None if beside.stat().st_size > _LARGEST_DATA else json.loads(beside.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def plain_gets(file: LocustFile) -> Iterator[str]:
    """Paths and URLs that the file GETs as they stand: nothing but a name is given beside them."""
    for node in ast.walk(file.tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "get"
            and isinstance(node.func.value, ast.Attribute)
            and node.func.value.attr == "client"
            and len(node.args) == 1
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
            and all(keyword.arg in {"name", "catch_response"} for keyword in node.keywords)
        ):
            yield node.args[0].value
