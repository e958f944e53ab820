"""A table that a function of the plan's owner returns."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.engines.barrier.settings import BarrierSettings


async def read(settings: BarrierSettings, table: dict[str, Any]) -> object:
    """What the function returns; it is called with the target.

    Raises:
        ToolkitError: it cannot be loaded, or raised something.
    """
    function = _loaded(table["python"])
    try:
        return await asyncio.to_thread(function, settings.target)
    except Exception as error:  # noqa: BLE001 - code of others may raise anything
        words = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise ToolkitError(f"{table['python']} raised {words}") from None


def check(table: dict[str, Any]) -> None:
    """Load the file.

    Raises:
        UsageError: it cannot be loaded, or has no such function.
    """
    _loaded(table["python"])


def _loaded(named: str) -> Callable[[str], object]:
    file, _, name = named.rpartition(":")
    path = Path(file)
    spec = importlib.util.spec_from_file_location(f"consistency_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001 - code of others may raise anything
        words = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise UsageError(f"{path} cannot be loaded: {words}.") from None
    function: Callable[[str], object] | None = getattr(module, name, None)
    if not callable(function):
        raise UsageError(f"{path} has no function {name}.")
    return function
