"""What a traceback comes to: its exception, where it happened, and which others are the same."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from toolkit.analysis.frames import Owner, owner_of
from toolkit.analysis.logs.events import LONGEST_NAME, Event, without_queries

if TYPE_CHECKING:
    from toolkit.analysis.logs.tracebacks import Frame, Link, Traceback

_SERVER_CHECKOUT = re.compile(
    r"[/\\]gunicorn[/\\](?:app|workers|http|dirty|arbiter\.py|util\.py|glogging\.py)"
)
_NO_FILE = re.compile(r"<(?:frozen|string|stdin|console|template)\b")
_LONGEST_CHAIN = 64 << 10
_FEWER_FRAMES = (60, 12, 3)
_LONGEST_LINK_MESSAGE = 500


def traceback_event(traceback: Traceback) -> Event:
    """`exception`, `message`, `place`, `fingerprint` and `chain`, as far as the traceback came."""
    if not traceback.links:
        return {}
    last = traceback.links[-1]
    event: Event = {"chain": _chain(traceback)}
    if last.exception is not None:
        event |= {"exception": last.exception, "message": without_queries(last.message)}
    found = _innermost(traceback)
    if found is not None:
        frame, link = found
        event["place"] = f"{_where(frame)}:{frame.line} {frame.function}".strip()[: 2 * LONGEST_NAME]
        line = "" if link.recurses else f":{frame.line}"  # where a recursion ends is chance
        place = f"{_where(frame)}{line} {frame.function}".strip()
        event["fingerprint"] = f"{last.exception or '(cut short)'} at {place}"[: 3 * LONGEST_NAME]
    else:
        event["fingerprint"] = last.exception or "(cut short)"
    return event


def is_application(frame: Frame) -> bool:
    """Whether the frame's code belongs to the application, told by its path."""
    return (
        owner_of(frame.file) is Owner.APPLICATION
        and not _SERVER_CHECKOUT.search(frame.file)
        and not _NO_FILE.match(frame.file)
    )


def _innermost(traceback: Traceback) -> tuple[Frame, Link] | None:
    """The innermost application frame of the last exception that has one; else one of any package, else any."""
    links = [traceback.links[-1], *traceback.members, *reversed(traceback.links[:-1])]
    for fits in (is_application, _is_installed, _is_any):
        for link in links:
            for frame in reversed(link.frames):
                if fits(frame):
                    return frame, link
    return None


def _is_installed(frame: Frame) -> bool:
    return owner_of(frame.file) in (Owner.LIBRARY, Owner.SERVER) and not _NO_FILE.match(frame.file)


def _is_any(_: Frame) -> bool:
    return True


def _where(frame: Frame) -> str:
    """`/srv/shop/orders/models.py` → `orders/models.py`."""
    return "/".join(re.split(r"[/\\]", frame.file)[-2:]).lstrip("/")


def _chain(traceback: Traceback) -> str:
    links = list(traceback.links)
    # Members of a group stand before it: what they are comes to it.
    links[-1:] = [*traceback.members, links[-1]]
    text = ""
    for most in _FEWER_FRAMES:
        said = [_link(link, most) for link in links]
        if traceback.links_left_out:
            left_out = f"{traceback.links_left_out} exceptions of the chain are left out here"
            said.insert(5, {"exception": None, "message": left_out, "frames": [], "link": None})
        text = json.dumps(said, ensure_ascii=False)
        if len(text) <= _LONGEST_CHAIN:
            break
    return text


def _link(link: Link, most: int) -> Event:
    frames = link.frames if len(link.frames) <= most else link.frames[-most:]
    said: Event = {
        "exception": link.exception,
        "message": without_queries(link.message[:_LONGEST_LINK_MESSAGE]),
        "frames": [[frame.file, frame.line, frame.function, frame.code] for frame in frames],
        "link": link.link,
    }
    left_out = link.frames_left_out + len(link.frames) - len(frames)
    return said | {"frames_left_out": left_out} if left_out else said
