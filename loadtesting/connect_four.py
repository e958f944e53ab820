"""A whole game of connect four against the bundled service: one repetition of plans/capacity.yml, or one test of pytest.

TOOLKIT_TARGET says where the service is; `play` is given it as well.
"""

from __future__ import annotations

import json
import os
import random
import urllib.request
from typing import Any

COLUMNS, CELLS = 7, 42
_TIMEOUT_S = 10


def play(target: str) -> None:
    """Play to the end; raises where the service breaks a rule."""
    game = _ask("POST", f"{target}/api/games")
    while game["outcome"] is None:
        before = game["moves"]
        free = [column for column in range(COLUMNS) if before.count(str(column)) < 6]
        column = random.choice(free)
        game = _ask("POST", f"{target}/api/games/{game['game']}/moves", {"column": column})
        assert game["moves"].startswith(f"{before}{column}"), f"{before} became {game['moves']}"
        assert len(game["moves"]) <= CELLS, "more discs than the board holds"
    assert _ask("GET", f"{target}/api/games/{game['game']}") == game, "the game was not kept"


def test_a_game_comes_to_its_end() -> None:
    """The same as an acceptance test."""
    play(os.environ.get("TOOLKIT_TARGET", "http://127.0.0.1:18080"))


def _ask(method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
        return dict(json.load(answer))
