"""Log lines as they may be shown: what looks like a secret is left out. The recorded logs are as the server wrote them."""

from __future__ import annotations

import re

_QUERY = re.compile(r"([?&][^=&#\s\"'?]{1,200}=)[^&#\s\"']+")
_USER_INFO = re.compile(r"(://)[^/@\s\"']{1,500}@")
_NAMED = re.compile(
    r"((?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|authorization|cookie|credentials?)[\"']?\s{0,3}[=:]\s{0,3}"
    r"(?:(?:bearer|basic)\s)?[\"']?)[^\s\"',;&]+",
    re.IGNORECASE,
)

_LONGEST = 16 << 10


def masked(text: str, longest: int) -> str:
    """`text` without query values, user-info and what follows names of secrets; of a longer one its beginning and its end."""
    text = text[:_LONGEST]
    for pattern, shown in ((_QUERY, r"\1***"), (_USER_INFO, r"\1***@"), (_NAMED, r"\1***")):
        text = pattern.sub(shown, text)
    if len(text) <= longest:
        return text
    head = longest // 4
    return f"{text[:head]} … {text[head + 3 - longest :]}"
