"""The score test of two shares, the counterpart of Wilson's and Newcombe's intervals."""

from __future__ import annotations

import math


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
