"""A Python function as the client: one thread for each client."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capacity_clients.repetitions import short

if TYPE_CHECKING:
    from capacity_clients.repetitions import Repetitions
    from capacity_clients.settings import Settings

Once = Callable[[], None]


class CannotCallError(Exception):
    """The file cannot be imported, or has no such function."""


def load(settings: Settings) -> Once:
    """The function, ready to be called; it raises where a repetition fails.

    Raises:
        CannotCallError: says why.
    """
    path = Path(settings.file)
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise CannotCallError("it is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise CannotCallError(f"it cannot be imported: {short(error)}") from error
    function = getattr(module, settings.call, None)
    if not callable(function):
        names = sorted(
            name for name, what in vars(module).items() if inspect.isfunction(what) and name[0] != "_"
        )
        raise CannotCallError(f"it has no function {settings.call}; there are: {', '.join(names) or 'none'}")
    return _once(function, settings)


def _once(function: Callable[..., Any], settings: Settings) -> Once:
    """With the target where it takes something, without where it takes nothing."""
    try:
        wanted = [one for one in inspect.signature(function).parameters.values() if one.default is one.empty]
    except ValueError:
        wanted = []
    needed = [one for one in wanted if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    if len(needed) > 1 or any(one.kind is one.KEYWORD_ONLY for one in wanted):
        raise CannotCallError(f"{settings.call} takes more than the target")
    given = (settings.target,) if needed else ()

    def once() -> None:
        result = function(*given)
        if inspect.isawaitable(result):
            result = asyncio.run(_awaited(result))
        if result is False:
            raise AssertionError("it returned False")

    return once


async def _awaited(result: Any) -> Any:  # noqa: ANN401 - whatever it returns
    return await result


def repeat(once: Once, clients: list[int], repetitions: int, record: Repetitions) -> None:
    """Until each client has done all of its repetitions, or none is to begin any more."""

    def client(number: int) -> None:
        for _ in range(repetitions):
            if not record.begin(number):
                return
            record.end(number, _failure(once))

    threads = [threading.Thread(target=client, args=(number,), daemon=True) for number in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _failure(once: Once) -> str | None:
    try:
        once()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's code raises is its failure
        return short(error)
    return None
