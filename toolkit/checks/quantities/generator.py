"""Of the load generator."""

from __future__ import annotations

from toolkit.checks.quantity import NUMBER, Quantity
from toolkit.checks.units import COUNT

QUANTITIES = (
    Quantity(
        "generator.limited",
        "signs that the generator, and not the service, was the limit (decision 008: those that make a run invalid)",
        COUNT,
        NUMBER,
        "generator",
        "limited",
    ),
)
