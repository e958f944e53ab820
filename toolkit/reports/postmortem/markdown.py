"""Text of the run as Markdown that reads as that text: nothing in it becomes a heading, a link, a tag or the end of a cell."""

from __future__ import annotations

import re

from toolkit.reports.flamegraph_text import visible

_LONGEST = 1000
# All that CommonMark and the tables of GitHub and GitLab give a meaning in the middle of a line. Bare addresses, and mentions
# by `@`, are links without any bracket.
_MEANS = re.compile(r"[\\`*_{}\[\]()<>#|!~$&]")
_LINK = re.compile(r"(?i)\b(https?|ftp|mailto|www)(?=[:.])")
_BEGINS = re.compile(r"^([-+](?=\s|$)|[-=]{2,}$)")
_PLAIN_PARENS = re.compile(r"\\([()])")


class Written(str):
    """Markdown that this program wrote: it stands as it is."""

    __slots__ = ()


def plain(value: object) -> Written:
    """Any value as text on one line, its marks escaped. Parentheses stand as they are: after no bracket they mean nothing."""
    if isinstance(value, Written):
        return value
    text = "" if value is None else str(value)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    text = visible(re.sub(r"\s+", " ", text).strip())
    text = _MEANS.sub(lambda found: "\\" + found[0], text)
    text = _PLAIN_PARENS.sub(r"\1", text)
    text = _LINK.sub(
        lambda found: f"{found[0]}\u2060", text
    )  # a word joiner: no renderer takes it for a link
    text = text.replace("@", "@\u2060")
    return Written(_number(_BEGINS.sub(r"\\\1", text)))


def _number(text: str) -> str:
    """`1. this` is a list; `1.5 s` is none."""
    return re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", text)


def code(value: object) -> Written:
    """Text in a code span, on one line, whatever backticks it holds; in a table, too, as `|` is written as a look-alike."""
    text = visible(re.sub(r"\s+", " ", str(value)).strip())[:_LONGEST].replace("|", "\u2502")
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    marks = "`" * (longest + 1)
    pad = " " if text[:1] == "`" or text[-1:] == "`" or not text else ""
    return Written(f"{marks}{pad}{text}{pad}{marks}")


def block(value: object) -> Written:
    """Text as an indented block of code."""
    lines = str(value).splitlines() or [""]
    return Written("\n".join(f"    {visible(line)}" for line in lines))


def link(words: object, target: str) -> Written:
    """A link to a part of this run's folder; the target is ours, its name need not be."""
    safe = re.sub(
        r"[^A-Za-z0-9./#=&%_~:+-]",
        lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()),
        target,
    )
    return Written(f"[{plain(words)}]({safe})")
