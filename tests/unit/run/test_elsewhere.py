"""A load that goes past the gunicorn that is profiled."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.run.elsewhere import loads_another


@pytest.mark.parametrize(
    ("target", "address", "listen", "said"),
    [
        ("http://127.0.0.1:22002", "local:", ["127.0.0.1:22001"], True),
        ("http://localhost:22002", "ssh://ada@127.0.0.1:2222", ["0.0.0.0:22001", "[::]:22001"], True),
        ("http://web:80", "ssh://ada@web", ["127.0.0.1:8000"], True),  # or nginx: the sentence says so
        ("http://127.0.0.1:22001/x", "local:", ["127.0.0.1:22001"], False),
        ("http://shop.example", "ssh://ada@web", ["127.0.0.1:8000"], False),
        ("http://127.0.0.1:22002", "local:", ["unix:/run/web.sock"], False),
        ("http://127.0.0.1:22002", "local:", [], False),
        ("", "local:", ["127.0.0.1:22001"], False),
    ],
)
def test_another_port_of_the_same_machine_is_worth_a_word(
    target: str, address: str, listen: list[str], *, said: bool
) -> None:
    plan: Any = SimpleNamespace(target=target)
    server: Any = SimpleNamespace(name="web", address=address)

    words = loads_another(plan, server, {"listen": listen})

    assert bool(words) is said
    assert not said or "another service is loaded than is profiled" in words
