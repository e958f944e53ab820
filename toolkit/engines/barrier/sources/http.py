"""A table that the service answers with: a JSON array of objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from toolkit.engines.barrier.asking import asked
from toolkit.engines.sender.template import MissingFieldError, value_of
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from toolkit.engines.barrier.settings import BarrierSettings


async def read(settings: BarrierSettings, table: dict[str, Any]) -> object:
    """What stands in the answer, at `at`.

    Raises:
        ToolkitError: there is no answer of 2xx, it is no JSON, or has nothing there.
    """
    sending = settings.sending(
        {"request": table["http"], "headers": table["headers"]}, settings.verify["timeout"]
    )
    answer = await asked(sending, {}, f"{settings.token}-read")
    try:
        content = json.loads(answer.body)
        return value_of(content, table["at"]) if table["at"] else content
    except MissingFieldError:
        raise ToolkitError(f"{table['http']} was answered with nothing at {table['at']}.") from None
    except (ValueError, RecursionError, TypeError):
        raise ToolkitError(f"{table['http']} was not answered with JSON.") from None
