"""What is asked for once, and never again while a run goes on."""

from __future__ import annotations

import pytest

from toolkit.run.redial import _Remembered


@pytest.mark.parametrize("secret", ["a", None])
def test_a_secret_is_remembered_and_nobody_is_asked_again(secret: str | None) -> None:
    asked: list[str] = []

    def ask(question: str) -> str | None:
        asked.append(question)
        return secret

    remembered = _Remembered(ask)
    assert remembered("Passphrase") == secret
    again = remembered.again()
    assert again("Passphrase") == secret
    assert again("Passphrase") is None, "it was wrong: it is not tried for ever"
    assert again("Another") is None
    assert asked == ["Passphrase"]
