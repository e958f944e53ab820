"""What is shown of a server's text: no secrets, and not too much."""

from __future__ import annotations

import pytest

from toolkit.analysis.joins.masking import masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /a?token=abc&b=c HTTP/1.1", "GET /a?token=***&b=*** HTTP/1.1"),
        ("postgres://shop:hush@db:5432/x", "postgres://***@db:5432/x"),
        ('{"password": "hush", "n": 1}', '{"password": "***", "n": 1}'),
        ("Authorization: Bearer hush", "Authorization: Bearer ***"),
        ("api_key=hush;", "api_key=***;"),
        ("nothing to hide: 1 = 1", "nothing to hide: 1 = 1"),
    ],
)
def test_what_looks_like_a_secret_is_not_shown(text: str, shown: str) -> None:
    assert masked(text, 200) == shown


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    short = masked("a" * 500 + "z" * 500, 100)

    assert len(short) == 100
    assert short.startswith("aaa")
    assert short.endswith("zzz")
