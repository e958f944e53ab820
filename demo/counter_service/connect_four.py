"""The rules of connect four: a game is the columns that were played, in turn, as digits."""

from __future__ import annotations

COLUMNS, ROWS = 7, 6
CLIENT, SERVICE, DRAW = "client", "service", "draw"
_LINES = ((1, 0), (0, 1), (1, 1), (1, -1))
_FROM_THE_CENTRE = sorted(range(COLUMNS), key=lambda column: abs(column - COLUMNS // 2))

Board = dict[tuple[int, int], str]
"""(column, row from the bottom) → whose disc lies there."""


def board_of(moves: str) -> Board:
    """The board after these moves; the client begins."""
    board: Board = {}
    for number, digit in enumerate(moves):
        column = int(digit)
        board[column, height(board, column)] = (CLIENT, SERVICE)[number % 2]
    return board


def height(board: Board, column: int) -> int:
    """How many discs lie in a column."""
    return sum((column, row) in board for row in range(ROWS))


def is_free(board: Board, column: int) -> bool:
    """Whether a disc may be dropped there."""
    return 0 <= column < COLUMNS and height(board, column) < ROWS


def outcome(moves: str) -> str | None:
    """Who has won after the last move, or draw; None while the game goes on."""
    board = board_of(moves)
    if moves:
        column = int(moves[-1])
        if _wins(board, column, height(board, column) - 1):
            return board[column, height(board, column) - 1]
    return DRAW if len(moves) == COLUMNS * ROWS else None


def answer(moves: str) -> int:
    """The service's move: it wins where it can, prevents where it must, and else plays near the centre."""
    board = board_of(moves)
    free = [column for column in _FROM_THE_CENTRE if is_free(board, column)]
    for who in (SERVICE, CLIENT):
        for column in free:
            row = height(board, column)
            if _wins({**board, (column, row): who}, column, row):
                return column
    return free[0]


def _wins(board: Board, column: int, row: int) -> bool:
    who = board[column, row]

    def run(right: int, up: int) -> int:
        length, at = 0, (column + right, row + up)
        while board.get(at) == who:
            length, at = length + 1, (at[0] + right, at[1] + up)
        return length

    return any(1 + run(right, up) + run(-right, -up) >= 4 for right, up in _LINES)
