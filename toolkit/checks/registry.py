"""Every quantity that can be checked, by its name; a new one is a file of `quantities/` and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.checks.quantities import consistency, generator, records, requests, server

if TYPE_CHECKING:
    from toolkit.checks.quantity import Quantity

QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        *requests.QUANTITIES,
        *server.QUANTITIES,
        *records.QUANTITIES,
        *consistency.QUANTITIES,
        *generator.QUANTITIES,
    )
}
