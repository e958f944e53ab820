"""Of the run's own records."""

from __future__ import annotations

from toolkit.checks.quantity import NUMBER, Quantity
from toolkit.checks.units import COUNT

QUANTITIES = (
    Quantity(
        "records.invalid",
        "request records that cannot be read or believed, and record files that are cut short",
        COUNT,
        NUMBER,
        "records",
        "invalid",
    ),
)
