"""Connect four against the service: whole games are what a capacity test repeats (loadtesting/connect_four.py)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from flask import Blueprint, jsonify, request

from counter_service.accounts import database
from counter_service.connect_four import answer, board_of, is_free, outcome

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

games = Blueprint("games", __name__)


@games.post("/api/games")
def begin() -> ResponseReturnValue:
    """201 `{"game", "moves": "", "outcome": null}`; the client moves first."""
    game = secrets.token_hex(8)
    database().change("INSERT INTO games (id, moves) VALUES (?, '')", game)
    return jsonify(game=game, moves="", outcome=None), 201


@games.get("/api/games/<game>")
def look(game: str) -> ResponseReturnValue:
    """The game as it stands."""
    moves = _moves_of(game)
    if moves is None:
        return jsonify(error="there is no such game"), 404
    return jsonify(game=game, moves=moves, outcome=outcome(moves))


@games.post("/api/games/<game>/moves")
def move(game: str) -> ResponseReturnValue:
    """`{"column"}` → 201 with the service's own move behind it; 409 where the game is over or the column full."""
    body = request.get_json(silent=True)
    column = body.get("column") if isinstance(body, dict) else None
    if not isinstance(column, int) or isinstance(column, bool):
        return jsonify(error="column must be a whole number from 0 to 6"), 400
    before = _moves_of(game)
    if before is None:
        return jsonify(error="there is no such game"), 404
    if outcome(before) is not None or not is_free(board_of(before), column):
        return jsonify(error="the game is over, or the column is full", moves=before), 409
    moves = f"{before}{column}"
    if outcome(moves) is None:
        moves += str(answer(moves))
    statement = "UPDATE games SET moves = ? WHERE id = ? AND moves = ?"
    if database().change(statement, moves, game, before).rowcount == 0:
        return jsonify(error="another move came first", moves=_moves_of(game)), 409
    return jsonify(game=game, moves=moves, outcome=outcome(moves)), 201


def _moves_of(game: str) -> str | None:
    found = database().rows("SELECT moves FROM games WHERE id = ?", game)
    return str(found[0]["moves"]) if found else None
