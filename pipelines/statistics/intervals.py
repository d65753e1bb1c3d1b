"""Intervals of shares and means."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from pipelines.statistics.estimate import Estimate, Floats, Z


def wilson_interval(successes: ArrayLike, trials: ArrayLike) -> tuple[Floats, Floats]:
    """Lower and upper bounds of the 95 % score interval of successes / trials, as arrays; NaN where trials is 0.

    Source: E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
    """
    k = np.atleast_1d(np.asarray(successes, dtype=np.float64))
    n = np.atleast_1d(np.asarray(trials, dtype=np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = k / n
        spread = 1 + Z**2 / n
        centre = (share + Z**2 / (2 * n)) / spread
        half_width = Z * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / spread
        # At 0 and at n the bound is the share itself; rounding must not put it beside.
        lower = np.where(k == 0, 0.0, centre - half_width)
        upper = np.where(k == n, 1.0, centre + half_width)
    return np.where(n > 0, lower, np.nan), np.where(n > 0, upper, np.nan)


def mean(values: ArrayLike) -> Estimate:
    """The arithmetic mean with its 95 % interval by Student's t (1908), not below 0; one value has no interval."""
    numbers = np.asarray(values, dtype=np.float64)
    if len(numbers) == 0:
        return Estimate(None)
    value = float(numbers.mean())
    if len(numbers) == 1:
        return Estimate(value)
    from scipy.special import stdtrit

    half_width = float(stdtrit(len(numbers) - 1, 0.975) * numbers.std(ddof=1) / math.sqrt(len(numbers)))
    return Estimate(value, max(0.0, value - half_width), value + half_width)
