"""The rules of the game that the bundled service plays."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from toolkit.recording.places import carried

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(carried("demo")))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the folder goes into the wheel as it lies there
    return import_module("counter_service.connect_four")


@pytest.mark.parametrize(
    ("moves", "outcome"),
    [
        ("", None),
        ("0101010", "client"),
        ("01010", None),
        ("00112233"[:-1], "client"),
        ("01122323363", "client"),
        ("60112232343", None),
        ("001122553", "client"),
    ],
)
def test_four_in_a_line_win(rules: ModuleType, moves: str, outcome: str | None) -> None:
    assert rules.outcome(moves) == outcome


def test_the_service_wins_where_it_can_and_prevents_where_it_must(rules: ModuleType) -> None:
    assert rules.answer("0101016") == 1, "three of its own lie there"
    assert rules.answer("01010") == 0, "the client would have four"
    assert rules.answer("6") == 3


def test_a_full_column_takes_no_disc(rules: ModuleType) -> None:
    assert not rules.is_free(rules.board_of("000000"), 0)
    assert not rules.is_free({}, 7)
    assert rules.is_free(rules.board_of("000000"), 1)
