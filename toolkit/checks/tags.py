"""What the value of a tag means."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Pattern = re.Pattern[str]


@cache
def pattern_of(tag: str, value: str) -> Pattern:
    """`*` and `?` stand for parts of names; of codes `5xx` for all from 500 to 599."""
    if tag == "code":
        value = re.sub(r"(?<=^[1-9])xx$", "??", value.lower())
    return re.compile("".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in value), re.DOTALL)


def matching(tag: str, value: str, known: Iterable[str]) -> list[str]:
    """Those that the tag means."""
    return [one for one in known if pattern_of(tag, value).fullmatch(one)]


def fits(tag: str, value: str, known: Iterable[str]) -> bool:
    """Whether it means one of them."""
    return any(pattern_of(tag, value).fullmatch(one) for one in known)
