"""Reads every table of the service's state, and sees that the invariants' fields are in them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from toolkit.engines.barrier.sources.registry import read_table
from toolkit.errors import ToolkitError, UsageError
from toolkit.recording.consistency import ConsistencyFolder

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.engines.barrier.settings import BarrierSettings

Tables = dict[str, list[dict[str, Any]]]


async def read_state(settings: BarrierSettings, path: Path) -> Tables:
    """All tables, one after another, written to `path`.

    Raises:
        ToolkitError: one of them cannot be read.
    """
    began_ns = time.time_ns()
    tables: Tables = {}
    limit_s = settings.verify["timeout"]
    for name in settings.verify["read"]:
        try:
            tables[name] = await asyncio.wait_for(read_table(settings, name), limit_s)
        except TimeoutError:
            raise ToolkitError(f"The table {name} was not read within {limit_s:g} s.") from None
    ConsistencyFolder.write_state(path, began_ns, tables)
    return tables


def require_fields(settings: BarrierSettings, tables: Tables) -> None:
    """See that every row has the fields that the invariants name.

    Raises:
        UsageError: one has not; says which, and what there is.
    """
    for name, fields in settings.verify["fields"].items():
        for row in tables[name]:
            lacking = [field for field in fields if field not in row]
            if lacking:
                raise UsageError(
                    f"The table {name} has no field {lacking[0]!r}, which its key or an invariant names; it has "
                    f"{', '.join(map(str, row)) or 'none'}."
                )
