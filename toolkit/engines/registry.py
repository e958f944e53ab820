"""Which engines there are: one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.engines.artillery import Artillery
from toolkit.engines.artillery_cloud import ArtilleryCloud
from toolkit.engines.barrier.engine import Barrier
from toolkit.engines.clients.engine import ClientsEngine
from toolkit.engines.k6.engine import K6
from toolkit.engines.locust import Locust
from toolkit.engines.sender.engine import Sender
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.engines.base import Engine

ENGINES: dict[str, Callable[[], Engine]] = {
    "artillery": Artillery,
    "artillery-cloud": ArtilleryCloud,
    "barrier": Barrier,
    "clients": ClientsEngine,
    "k6": K6,
    "locust": Locust,
    "sender": Sender,
}


def engine(name: str) -> Engine:
    """The engine of that name.

    Raises:
        UsageError: there is none; lists those that there are.
    """
    if name not in ENGINES:
        raise UsageError(f"There is no engine {name!r}.", f"Take one of: {', '.join(sorted(ENGINES))}.")
    return ENGINES[name]()
