"""Trends: is a rate rising or falling, and how fast?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import ArrayLike

from pipelines.statistics.estimate import Estimate, number

#: Two-sided level below which a trend is called one.
TREND_LEVEL = 0.05
#: Weeks in which a trend is sought.
TREND_WEEKS = 12
#: Values a trend test needs: with fewer, the normal approximation means nothing.
FEWEST_TREND_VALUES = 6


@dataclass(frozen=True)
class MannKendall:
    """S statistic, its variance under no trend, the continuity-corrected z and the two-sided p value."""

    s: int
    variance: float
    z: float
    p_value: float


@dataclass(frozen=True)
class Trend:
    """Direction (1, -1, 0, None) and slope a week of the weeks up to the one of `last_week` (a Monday)."""

    direction: int | None
    slope: Estimate
    weeks_used: int
    last_week: date


def mann_kendall(values: ArrayLike) -> MannKendall:
    """The Mann-Kendall test for a monotonic trend, by the normal approximation with ties and continuity corrected.

    Source: H. B. Mann (1945), Nonparametric tests against trend, Econometrica 13; M. G. Kendall (1975), Rank
    correlation methods, for the variance under ties.
    """
    y = np.asarray(values, dtype=np.float64)
    n = len(y)
    s = int(np.sign(y[np.newaxis, :] - y[:, np.newaxis])[np.triu_indices(n, 1)].sum())
    ties = np.unique(y, return_counts=True)[1].astype(np.float64)
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    z = (s - math.copysign(1, s)) / math.sqrt(variance) if s and variance > 0 else 0.0
    return MannKendall(s, variance, z, math.erfc(abs(z) / math.sqrt(2)))


def trend_direction(values: ArrayLike) -> int | None:
    """1 for an increasing, -1 for a decreasing, 0 for no clear trend; None with fewer than six values."""
    y = np.asarray(values, dtype=np.float64)
    if len(y) < FEWEST_TREND_VALUES:
        return None
    test = mann_kendall(y)
    return (1 if test.s > 0 else -1) if test.p_value < TREND_LEVEL else 0


def trend_label(direction: int | None) -> str:
    """The words for a direction: Increasing, Decreasing, No clear trend or Not enough data."""
    return {1: "Increasing", -1: "Decreasing", 0: "No clear trend", None: "Not enough data"}[direction]


def theil_sen(positions: ArrayLike, values: ArrayLike) -> Estimate:
    """The median of all pairwise slopes, in units of values per unit of positions, with its 95 % interval.

    Undefined with fewer than six values. Source: H. Theil (1950), A rank-invariant method of linear and polynomial
    regression analysis; P. K. Sen (1968), Estimates of the regression coefficient based on Kendall's tau, JASA 63.
    """
    y = np.asarray(values, dtype=np.float64)
    if len(y) < FEWEST_TREND_VALUES:
        return Estimate(None)
    from scipy.stats import theilslopes

    fit = theilslopes(y, np.asarray(positions, dtype=np.float64), 0.95)
    return Estimate(float(fit.slope), number(fit.low_slope), number(fit.high_slope))


def trend_of_weeks(values: Mapping[date, float], last_week: date) -> Trend:
    """The trend of the twelve weeks that end with the week of `last_week`; `values` are by their weeks' Mondays.

    A week without a value is left out; the slope knows the distance it leaves.
    """
    weeks = sorted(week for week in values if timedelta(0) <= last_week - week < timedelta(weeks=TREND_WEEKS))
    chosen = [values[week] for week in weeks]
    positions = [(week - last_week).days // 7 for week in weeks]
    return Trend(trend_direction(chosen), theil_sen(positions, chosen), len(weeks), last_week)
