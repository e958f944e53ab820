"""What it means for a service when a check does not hold: errors, latency, a queue, or something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.checks.check import Check

ERRORS, LATENCY, QUEUE, OTHER = "errors", "latency", "queue", "other"
_ERRORS = ("errors", "unanswered", "failed_checks")
_LATENCY = ("latency", "first_byte", "ack", "connect")


def family_of(check: Check) -> str:
    """One of the four."""
    if check.quantity.name == "server.accept_queue":
        return QUEUE
    if check.quantity.source != "requests":
        return OTHER
    if check.quantity.measure in _ERRORS:
        return ERRORS
    return LATENCY if check.quantity.measure in _LATENCY else OTHER
