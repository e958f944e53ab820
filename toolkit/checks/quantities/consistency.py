"""Of a service's data after many actions at once."""

from __future__ import annotations

from toolkit.checks.quantity import NUMBER, Quantity
from toolkit.checks.units import COUNT

QUANTITIES = (
    Quantity(
        "consistency.violations",
        "ids that break an invariant, of each invariant; one that holds or not as a whole counts as one",
        COUNT,
        NUMBER,
        "consistency",
        "violations",
    ),
    Quantity(
        "consistency.unclear",
        "ids that may break an invariant and may not, since actions got no answer",
        COUNT,
        NUMBER,
        "consistency",
        "unclear",
    ),
)
