"""What a misspelt word was meant to be."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 12


def suggestion(word: str, known: Iterable[str]) -> str:
    """`did you mean 'peak'?`, else what there is; never more of it than can be read."""
    words = list(dict.fromkeys(known))
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    if not words:
        return "there is none"
    more = f" and {len(words) - _MOST} more" if len(words) > _MOST else ""
    return f"there is: {', '.join(words[:_MOST])}{more}"
