"""Of the run's own records, and of the records of a file that it sends."""

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
    Quantity("records.unsent", "records of a file that were not sent", COUNT, NUMBER, "traffic", "unsent"),
    Quantity(
        "records.unknown",
        "records of a file that were sent and not answered: whether they arrived, only the service knows",
        COUNT,
        NUMBER,
        "traffic",
        "unknown",
    ),
    Quantity(
        "records.unsendable",
        "records of a file that could not be sent as they stand",
        COUNT,
        NUMBER,
        "traffic",
        "invalid",
    ),
)
