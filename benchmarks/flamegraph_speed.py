"""CPU seconds to draw one flamegraph of 10,000 stacks of 30 frames. Goal: < 0.3 s."""

from __future__ import annotations

import statistics
import sys
import time

from toolkit.reports.flamegraph_svg import render_svg

_STACKS = 10_000
_DEPTH = 30


def main(pairs: int) -> None:
    """Print the median and the size."""
    stacks = [(tuple(_frame(level, number) for level in range(_DEPTH)), 3) for number in range(_STACKS)]
    took, svg = [], ""
    for _ in range(pairs):
        began = time.process_time()
        svg = render_svg(stacks, title="speed", seconds_per_count=0.001)
        took.append(time.process_time() - began)
    sys.stdout.write(
        f"  median {statistics.median(took):.3f} s  [{min(took):.3f} … {max(took):.3f}]  n={pairs}  "
        f"{len(svg) / 1000:.0f} kB  goal < 0.3 s\n"
    )


def _frame(level: int, number: int) -> str:
    return f"f{level}_{(number * 7919 + level * number) % (level + 2)} (app/m{level}.py:{level})"
