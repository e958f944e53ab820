"""Bodies of known sizes: for what a load generator, a proxy or a network makes of large answers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flask import Blueprint, jsonify

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

SMALLEST = 1024
LARGEST_NUMBER = 6

bodies = Blueprint("bodies", __name__)


@bodies.get("/test-get/<int:number>")
def test_get(number: int) -> ResponseReturnValue:
    """1 KiB of random bytes for number 0, four times as many for each further one up to 6 (4 MiB); 404."""
    if number > LARGEST_NUMBER:
        return jsonify(error=f"there are the numbers 0 to {LARGEST_NUMBER}"), 404
    # Random, so that nothing on the way makes them smaller, and no two answers are the same.
    headers = {"Content-Type": "application/octet-stream", "Cache-Control": "no-store"}
    return os.urandom(SMALLEST * 4**number), headers
