"""Whether a difference could be chance: a Poisson bootstrap whose random numbers are the same in Python and TypeScript."""

from __future__ import annotations

from operator import mul
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROUNDS = 200
FEWEST_SLICES = 4
SMALLEST_SHARE = 0.002
_CUT = 5  # of 200 on either side: the middle 95 %
_E_TO_MINUS_1 = 0.36787944117144233


def mulberry32(seed: int) -> Callable[[], float]:
    """Numbers in [0, 1) by Tommy Ettinger's generator of 32 bits."""
    state = seed & 0xFFFFFFFF

    def draw() -> float:
        nonlocal state
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        mixed = ((state ^ (state >> 15)) * (state | 1)) & 0xFFFFFFFF
        mixed ^= (mixed + ((mixed ^ (mixed >> 7)) * (mixed | 61) & 0xFFFFFFFF)) & 0xFFFFFFFF
        return ((mixed ^ (mixed >> 14)) & 0xFFFFFFFF) / 4294967296

    return draw


def poisson_weights(blocks_of_a: int, blocks_of_b: int) -> list[tuple[list[int], list[int]]]:
    """The weights of A's and of B's blocks in each round."""
    draw = mulberry32(1)

    def weight() -> int:
        count, product = 0, draw()
        while product > _E_TO_MINUS_1:
            count += 1
            product *= draw()
        return count

    return [
        ([weight() for _ in range(blocks_of_a)], [weight() for _ in range(blocks_of_b)])
        for _ in range(ROUNDS)
    ]


class Noise:
    """The rounds of one comparison.

    Args:
        divisors_of_a: of each of A's blocks what its times are divided by: its length, or all of its time.
        divisors_of_b: the same of B.
        factor_of_a: constant of A's normalisation.
        factor_of_b: the same of B.
    """

    def __init__(
        self,
        divisors_of_a: Sequence[float],
        divisors_of_b: Sequence[float],
        factor_of_a: float = 1.0,
        factor_of_b: float = 1.0,
    ) -> None:
        self._rounds = [
            (a, _dot(a, divisors_of_a), b, _dot(b, divisors_of_b))
            for a, b in poisson_weights(len(divisors_of_a), len(divisors_of_b))
        ]
        self._factors = factor_of_a, factor_of_b

    def holds(self, times_in_a: Sequence[int], times_in_b: Sequence[int]) -> bool:
        """Whether the difference of a frame, told its time in each block, is within the noise."""
        of_a, of_b = self._factors
        differences = sorted(
            _value(_dot(b, times_in_b), by_b, of_b) - _value(_dot(a, times_in_a), by_a, of_a)
            for a, by_a, b, by_b in self._rounds
        )
        return differences[_CUT] <= 0 <= differences[ROUNDS - 1 - _CUT]


def _dot(weights: Sequence[int], values: Sequence[float]) -> float:
    return float(sum(map(mul, weights, values)))


def _value(time: float, divisor: float, factor: float) -> float:
    return time / divisor * factor if divisor else 0.0
