"""Python tracebacks out of lines: chained ones, exception groups, syntax errors, and what is left of those cut short."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto

from toolkit.analysis.logs.events import LONGEST_MESSAGE, LONGEST_NAME

START = "Traceback (most recent call last):"
_GROUP_START = re.compile(r"( *)\+ Exception Group Traceback \(most recent call last\):$")
_FRAME = re.compile(r'  File "(.*?)", line (\d{1,9})(?:, in (.*))?$', re.ASCII)
_REPEATED = re.compile(r"  \[Previous line repeated (\d{1,9}) more times?\]$", re.ASCII)
_MARKS = re.compile(r"[ ~^]*$")
_EXCEPTION = re.compile(
    r"((?:[^\W\d]\w{0,300}|<locals>)(?:\.(?:[^\W\d]\w{0,300}|<locals>)){0,30})(?::(?: (.*))?)?$", re.DOTALL
)
_MEMBER = re.compile(r" *\+(?:-\+)?-{3,}(?: (?:\d+|\.\.\.) -{3,})?$", re.ASCII)
_LINKS = {
    "The above exception was the direct cause of the following exception:": "cause",
    "During handling of the above exception, another exception occurred:": "context",
}
_NO_EXCEPTIONS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "FATAL", "NOTICE", "WARN"})
_FIRST_LINKS, _LAST_LINKS = 5, 15
_FIRST_FRAMES, _LAST_FRAMES = 20, 40
_MESSAGE_LINES = 20
_LONGEST_CODE = 200


@dataclass(slots=True)
class Frame:
    """One frame, as printed."""

    file: str
    line: int
    function: str
    """Empty in a SyntaxError's last one."""
    code: str = ""


@dataclass(slots=True)
class Link:
    """One exception of a chain."""

    link: str | None = None
    """What joins it to the one before: cause, context; member: it is one of a group's; None for the first."""
    exception: str | None = None
    """None: cut short before its name."""
    message: str = ""
    frames: list[Frame] = field(default_factory=list)
    """From outermost; of a long one the middle is left out."""
    frames_left_out: int = 0
    recurses: bool = False

    def add(self, frame: Frame) -> None:
        """Append a frame."""
        self.frames.append(frame)
        if len(self.frames) > _FIRST_FRAMES + _LAST_FRAMES:
            del self.frames[_FIRST_FRAMES]
            self.frames_left_out += 1


class _State(Enum):
    FRAMES = auto()
    """Frames come, then an exception's name."""
    MESSAGE = auto()
    """The exception was named; its message may go on."""
    GAP = auto()
    """A blank line after it: the sentence that links it to another may follow."""
    LINKED = auto()
    """That sentence has come."""


class Traceback:
    """One traceback, read line by line.

    Args:
        alone: nothing else can follow it, so that a blank line is one of the message's.
    """

    def __init__(self, *, alone: bool = False) -> None:
        self._alone = alone
        self.links: list[Link] = []
        self.links_left_out = 0
        self.members: list[Link] = []
        """Of an exception group, nested ones in one row."""
        self._state = _State.LINKED
        self._next_link: str | None = None
        self._group: int | None = None
        self._message_lines = 0

    @property
    def could_end(self) -> bool:
        """Whether it may be whole: an exception was named, and nothing announces another."""
        return self._state in (_State.MESSAGE, _State.GAP)

    def is_of_group(self, text: str) -> bool:
        """Whether this is a line of the group that is being read: a member, or the end of the members, by its margin."""
        return self._group is not None and text.lstrip(" ")[:1] in ("|", "+") and not _GROUP_START.match(text)

    def take(self, text: str) -> bool:
        """Read the next line; False where it does not belong here."""
        if self._state is _State.LINKED:
            return self._begin(text)
        if self._group is not None and (body := self._in_group(text)) is not None:
            return body
        if self._state is _State.FRAMES:
            return self._body(self.links[-1], text)
        if self._follows(text):
            return True
        return (self._state is _State.MESSAGE or self._alone) and self._goes_on(text)

    def _begin(self, text: str) -> bool:
        if not text.strip(" |"):
            return True
        found = _GROUP_START.match(text)
        if found is None and text != START:
            # An exception that was never raised has no frames: its name follows the sentence at once.
            return self._next_link is not None and self._append() and self._body(self.links[-1], text)
        self._group = len(found[1]) if found else None
        return self._append()

    def _append(self) -> bool:
        self.links.append(Link(self._next_link))
        if len(self.links) > _FIRST_LINKS + _LAST_LINKS:
            del self.links[_FIRST_LINKS]
            self.links_left_out += 1
        self._state = _State.FRAMES
        return True

    def _body(self, link: Link, text: str) -> bool:
        """A frame, its code, or the exception."""
        if text[:1] == " ":
            return _frame_line(link, text)
        found = _EXCEPTION.match(text)
        if found is None or not _is_exception(found[1], found[2]):
            return False
        link.exception = found[1][:LONGEST_NAME]
        link.message = (found[2] or "")[:LONGEST_MESSAGE]
        self._state, self._message_lines = _State.MESSAGE, 0
        return True

    def _follows(self, text: str) -> bool:
        """After an exception: a blank line, or the sentence that links it to the next."""
        if not text.strip():
            known = self._state is _State.MESSAGE
            self._state = _State.GAP
            return known
        link = _LINKS.get(text)
        if link is None:
            return False
        self._next_link, self._state = link, _State.LINKED
        return True

    def _goes_on(self, text: str) -> bool:
        """Further lines of a message; anything may stand in them."""
        self._message_lines += 1
        if (text == START and not self._alone) or self._message_lines > _MESSAGE_LINES:
            return False
        if self._state is _State.GAP:
            text, self._state = f"\n{text}", _State.MESSAGE
        link = self.links[-1]
        if text != link.message:  # gunicorn says it once more where a worker cannot boot
            link.message = f"{link.message}\n{text}"[:LONGEST_MESSAGE]
        return True

    def _in_group(self, text: str) -> bool | None:
        """A line of a group, without its margin; None where it has none."""
        stripped = text.lstrip(" ")
        indent = len(text) - len(stripped)
        if stripped[:1] == "+" and _MEMBER.match(text):
            if " " in stripped:
                self.members.append(Link("member"))
                del self.members[50:]
            self._state = _State.MESSAGE
            return True
        if stripped[:1] != "|":
            return None
        body = stripped[2:]
        if self._group == indent:
            return self._body(self.links[-1], body) or self._group_link(body)
        if self.members and not self.members[-1].exception:
            state = self._state
            self._body(self.members[-1], body)
            self._state = state
        return True

    def _group_link(self, body: str) -> bool:
        # "| During handling of …" inside a margin: what follows is the next link, in the same margin.
        if (link := _LINKS.get(body)) is not None:
            self._next_link = link
        elif body == START or body.startswith("Exception Group Traceback"):
            self._append()
        return True


def _frame_line(link: Link, text: str) -> bool:
    found = _FRAME.match(text)
    if found is not None:
        file, line, function = found.groups()
        link.add(Frame(file[:LONGEST_NAME], int(line), (function or "")[:LONGEST_NAME]))
        return True
    if text.startswith("    "):
        if link.frames and not link.frames[-1].code and not _MARKS.match(text):
            link.frames[-1].code = text.strip()[:_LONGEST_CODE]
        return bool(link.frames)
    if _REPEATED.match(text):
        link.recurses = True
        return True
    return False


def _is_exception(name: str, message: str | None) -> bool:
    """Whether a word at a line's start may be an exception's name: `Killed` may, `done` and `INFO: …` may not."""
    if name in _NO_EXCEPTIONS:
        return False
    return message is not None or "." in name or name[:1].isupper()
