"""What gunicorn's configuration file says by itself: names given a literal at the top level. Nothing of it is ever run.

Tokens, not a syntax tree: a parser of a hostile file can be made to overflow the C stack of old Pythons, and the file may be
written for a newer Python than the agent's.
"""

from __future__ import annotations

import ast
import io
import tokenize
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

LIMIT = 64 * 1024  # bytes of a file that are looked at
_LONGEST_LINE = 2000  # Python 3.12 needs a time that grows with its square
_MOST_TEXT = 16 * 1024  # characters of one value
_LAYOUT = (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
_WORDS = {"None": None, "True": True, "False": False}

Values = Tuple[Dict[str, Any], Set[str]]


def literals(data: bytes, wanted: Tuple[str, ...]) -> Values:
    """(values, unknown): the `wanted` names that are given a literal, and those given something only running it would tell.

    The last assignment counts. One inside a block (`if`, `def`, …) makes a name unknown. A file that is no Python any more
    is read up to there.
    """
    values: Dict[str, Any] = {}
    unknown: Set[str] = set()
    for indented, line in _logical_lines(_readable(data)):
        name = line[0].string
        if name not in wanted or len(line) < 2 or line[1].string not in ("=", ":", "+="):
            continue
        known, value = (False, None) if indented or line[1].string == "+=" else _value(_right_side(line))
        values.pop(name, None)
        unknown.discard(name)
        if known:
            values[name] = value
        else:
            unknown.add(name)
    return values, unknown


def _readable(data: bytes) -> bytes:
    """What comes before a line that is longer than any that is meant for people."""
    kept = []
    for line in data[:LIMIT].splitlines(True):
        if len(line) > _LONGEST_LINE:
            break
        kept.append(line)
    return b"".join(kept)


def _logical_lines(data: bytes) -> Iterator[Tuple[bool, List[tokenize.TokenInfo]]]:
    """(inside a block, tokens) of each statement."""
    line: List[tokenize.TokenInfo] = []
    depth = 0
    try:
        for token in tokenize.tokenize(io.BytesIO(data).readline):
            if token.type == tokenize.INDENT:
                depth += 1
            elif token.type == tokenize.DEDENT:
                depth -= 1
            if token.type == tokenize.NEWLINE or token.string == ";":
                if line:
                    yield depth > 0, line
                line = []
            elif token.type not in _LAYOUT:
                line.append(token)
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError, MemoryError):
        return


def _right_side(line: List[tokenize.TokenInfo]) -> List[tokenize.TokenInfo]:
    """What stands behind the first `=` (`name: str = …` too)."""
    for position, token in enumerate(line):
        if token.string == "=":
            return line[position + 1 :]
    return []


def _value(tokens: List[tokenize.TokenInfo]) -> Tuple[bool, Any]:
    """(known, value) of strings side by side or joined by +, in parentheses or not, of a number, or of None, True, False."""
    bare = [token for token in tokens if token.string not in ("(", ")", "+")]
    if not bare or sum(len(token.string) for token in bare) > _MOST_TEXT:
        return False, None
    if all(token.type == tokenize.STRING for token in bare):
        parts = [_text(token.string) for token in bare]
        return (False, None) if None in parts else (True, "".join(str(part) for part in parts))
    if len(bare) == 1 and len(tokens) == 1:
        word = bare[0].string
        if word in _WORDS:
            return True, _WORDS[word]
        if bare[0].type == tokenize.NUMBER and word.isdigit() and len(word) < 12:
            return True, int(word)
    return False, None


def _text(source: str) -> Optional[str]:
    """The string that one string token means; None for bytes and f-strings."""
    prefix = source[: min(source.find(quote) for quote in "\"'" if quote in source)].lower()
    if "f" in prefix or "b" in prefix or "t" in prefix:
        return None
    try:
        value = ast.literal_eval(source)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, str) else None
