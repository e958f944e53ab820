"""Pairs of figures → the median ratio with its quartiles and extremes, as one line."""

from __future__ import annotations

import statistics
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Pair = tuple[float, float]


def line(label: str, pairs: Sequence[Pair], unit: str, goal: str) -> None:
    """Print `label: with/without median [min … max]`, the medians themselves, and the goal."""
    ratios = sorted(second / first for first, second in pairs if first > 0)
    first = statistics.median(pair[0] for pair in pairs)
    second = statistics.median(pair[1] for pair in pairs)
    middle = statistics.median(ratios)
    sys.stdout.write(
        f"  {label:<46} {middle:6.3f}  [{ratios[0]:.3f} … {ratios[-1]:.3f}]  "
        f"{first:10.2f} → {second:10.2f} {unit:<6} n={len(ratios)}  goal {goal}\n"
    )
    sys.stdout.flush()
