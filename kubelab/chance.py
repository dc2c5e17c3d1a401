"""How far a share may be from its chance, by nothing but chance."""

from __future__ import annotations

import math

# One right answer in a million is refused.
RARE = 1e-6


def band(count: int, share: float) -> tuple[int, int]:
    """The fewest and the most of `count` draws, outside of which RARE of all series end.

    Each side of the binomial distribution has half of that.
    """
    if not 0 < share < 1:
        return round(count * share), round(count * share)
    chances = [chance(count, number, share) for number in range(count + 1)]
    return edge(chances, RARE / 2), count - edge(chances[::-1], RARE / 2)


def chance(count: int, number: int, share: float) -> float:
    """The chance of exactly `number` in `count` draws."""
    ways = math.lgamma(count + 1) - math.lgamma(number + 1) - math.lgamma(count - number + 1)
    return math.exp(ways + number * math.log(share) + (count - number) * math.log(1 - share))


def edge(chances: list[float], rare: float) -> int:
    """The first number up to which the chances add up to more than `rare`."""
    total = 0.0
    for number, one in enumerate(chances):
        total += one
        if total > rare:
            return number
    return len(chances) - 1
