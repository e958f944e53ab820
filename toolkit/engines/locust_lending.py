"""What a worker on another host is lent: our recorder, the locustfile, modules beside it that it imports, the plan's `files`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from toolkit.recording.places import carried

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

OWN, GIVEN = "lib", "files"
"""Folders there: what is ours, and what is the user's."""
_LEFT_OUT = ("__pycache__", ".git")


def recorder_files() -> list[Path]:
    """What starts Locust with our recorder in it."""
    own = carried("loadtesting") / "lib"
    return [own / "locust_start.py", *sorted((own / "locust_recorder").glob("*.py"))]


def lent_files(locustfile: Path, more: Sequence[Path]) -> tuple[tuple[str, Path], ...]:
    """(name in the folder there, file here), each once; what is the user's lies as it lies beside the locustfile."""
    own = carried("loadtesting") / "lib"
    ours = [*(own / name for name in ("lent_growing.py", "lent_worker.py")), *recorder_files()]
    named = [(f"{OWN}/{path.relative_to(own).as_posix()}", path) for path in ours]
    named += [(f"{GIVEN}/{name}", path) for name, path in users_files(locustfile, more)]
    return tuple(named)


def users_files(locustfile: Path, more: Sequence[Path]) -> tuple[tuple[str, Path], ...]:
    """(name as seen from the locustfile's folder, file here): the locustfile first, what it imports, the plan's `files`."""
    base = locustfile.resolve().parent
    theirs = [locustfile.resolve(), *_imported(locustfile.resolve(), base), *_files(more)]
    return tuple(
        {path.relative_to(base).as_posix(): path for path in theirs if path.is_relative_to(base)}.items()
    )


def not_lendable(locustfile: Path, more: Sequence[Path]) -> list[str]:
    """What is wrong with `files` of the plan, each in a sentence."""
    base = locustfile.resolve().parent
    mistakes = []
    for path in more:
        if not path.exists():
            mistakes.append(f"{locustfile}: there is no file {path} to lend to its workers.")
        elif not path.resolve().is_relative_to(base):
            mistakes.append(
                f"{locustfile}: {path} cannot be lent to its workers: it lies neither beside the locustfile nor below."
            )
    return mistakes


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path.resolve()
            continue
        for found in sorted(path.resolve().rglob("*")):
            if found.is_file() and not any(part in _LEFT_OUT for part in found.parts):
                yield found


def _imported(locustfile: Path, base: Path) -> list[Path]:
    """Modules and packages beside a file that it imports, and those that they import; whatever else it imports is installed."""
    found: dict[Path, None] = {}
    todo = [locustfile]
    while todo:
        for name in _imports(todo.pop()):
            for path in _module(base, name.split(".")[0]):
                if path not in found and path != locustfile:
                    found[path] = None
                    todo.append(path)
    return list(found)


def _module(base: Path, name: str) -> list[Path]:
    if (base / f"{name}.py").is_file():
        return [base / f"{name}.py"]
    if (base / name).is_dir() and any((base / name).glob("*.py")):
        return list(_files([base / name]))
    return []


def _imports(path: Path) -> Iterator[str]:
    if path.suffix != ".py":
        return
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # Locust will say so
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
