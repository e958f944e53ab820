"""Draws what each action is about."""

from __future__ import annotations

import random
from typing import Any


def drawn(act: dict[str, Any], token: str, seed: int) -> list[dict[str, Any]]:
    """`{"id", "values"}` of every action; the same for the same seed but for the ids, which begin with the token."""
    chance = random.Random(seed)  # noqa: S311 - a choice, no secret
    return [
        {
            "id": f"{token}-{number}",
            "values": {name: _one(choice, chance) for name, choice in act["values"].items()},
        }
        for number in range(1, act["actions"] + 1)
    ]


def _one(choice: Any, chance: random.Random) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(choice, list):
        return chance.choice(choice)
    return chance.randint(choice["first"], choice["last"])
