"""One HTTP request outside of the load: to populate, or to read a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.engines.sender.connection import NoAnswerError, connect
from toolkit.engines.sender.requests import Requests
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from toolkit.engines.sender.connection import Answer
    from toolkit.engines.sender.settings import SendSettings

LARGEST = 256 << 20
"""Bytes of a table."""


async def asked(settings: SendSettings, record: dict[str, Any], request_id: str) -> Answer:
    """The whole answer, with a status of 200 to 299.

    Raises:
        ToolkitError: there is none; says what came instead.
    """
    try:
        data = Requests(settings).prepare(record, request_id).data
        connection = await connect(settings.target, settings.method, settings.timeout, keep=LARGEST)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ToolkitError(f"{settings.request} could not be sent: {reason}.") from None
    try:
        answer = await connection.ask(data, settings.timeout)
    except NoAnswerError as error:
        raise ToolkitError(f"{settings.request} got no answer: {error}.") from None
    finally:
        connection.close()
    if not 200 <= answer.status <= 299:
        said = " ".join(answer.body[:200].decode("utf-8", "replace").split())
        raise ToolkitError(
            f"{settings.request} was answered with {answer.status}{f': {said}' if said else ''}."
        )
    if answer.bytes_in > LARGEST:
        raise ToolkitError(f"{settings.request} was answered with more than {LARGEST >> 20} MiB.")
    return answer
