"""Two shares beside each other: their difference, and whether it is more than chance."""

from __future__ import annotations

import math

from pipelines.statistics.estimate import Estimate
from pipelines.statistics.intervals import wilson_interval


def score_test(now: tuple[int, int], before: tuple[int, int]) -> float | None:
    """The two-sided p value of two shares (count, of how many) being equal; None where one has no whole.

    Pearson's chi-square of the two by two counts, without continuity correction; 1 where both shares are 0, or both 1.
    Source: K. Pearson (1900), On the criterion that a given system of deviations is such that it can be reasonably
    supposed to have arisen from random sampling, Philosophical Magazine 50.
    """
    if not now[1] or not before[1]:
        return None
    pooled = (now[0] + before[0]) / (now[1] + before[1])
    variance = pooled * (1 - pooled) * (1 / now[1] + 1 / before[1])
    if variance == 0:
        return 1.0
    return math.erfc(abs(now[0] / now[1] - before[0] / before[1]) / math.sqrt(2 * variance))


def difference_of_shares(now: tuple[int, int], before: tuple[int, int]) -> Estimate:
    """The difference of two shares (count, of how many) with its 95 % interval; None where one has no whole.

    Source: R. G. Newcombe (1998), Interval estimation for the difference between independent proportions, Statistics in
    Medicine 17, method 10 (from the two Wilson intervals).
    """
    if not now[1] or not before[1]:
        return Estimate(None)
    lower, upper = wilson_interval([now[0], before[0]], [now[1], before[1]])
    first, second = now[0] / now[1], before[0] / before[1]
    down = math.hypot(first - lower[0], upper[1] - second)
    up = math.hypot(upper[0] - first, second - lower[1])
    return Estimate(first - second, first - second - down, first - second + up)
