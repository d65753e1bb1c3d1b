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


#: A correlation of neighbours beyond this leaves too little to judge by; and one week is not wholly the next.
_HIGHEST_CORRELATION = 0.9
#: Residuals smaller than this share of the values are rounding, and no residuals.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class MannKendall:
    """S statistic, its variance under no trend, the continuity-corrected z, the two-sided p value, and Kendall's tau-b.

    tau is None where all values are equal.
    """

    s: int
    variance: float
    z: float
    p_value: float
    tau: float | None = None


@dataclass(frozen=True)
class Likeness:
    """How alike neighbouring values are once their trend is taken out, and the trend's p value that allows for it.

    `autocorrelation` is the plain lag-one estimate, which short series bias downwards; `corrected` is it without the
    bias, from 0 to 0.9. Both are None where no residual is left or no two values are neighbours.
    """

    autocorrelation: float | None
    corrected: float | None
    p_value: float


@dataclass(frozen=True)
class Trend:
    """Direction (1, -1, 0, None) and slope a week of the weeks up to the one of `last_week` (a Monday).

    `test` and `likeness` are None where there are too few weeks, and so is the direction.
    """

    direction: int | None
    slope: Estimate
    weeks_used: int
    last_week: date
    test: MannKendall | None = None
    likeness: Likeness | None = None


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
    pairs = n * (n - 1) / 2
    untied = pairs - float((ties * (ties - 1) / 2).sum())
    tau = s / math.sqrt(pairs * untied) if untied > 0 else None
    return MannKendall(s, variance, z, math.erfc(abs(z) / math.sqrt(2)), tau)


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


def lag_one_autocorrelation(positions: ArrayLike, values: ArrayLike) -> float | None:
    """How alike values one position apart are once the Theil-Sen slope is taken out, from -1 to 1.

    Without gaps it is the usual estimate of the residuals, their mean taken out: the sum of the products of neighbours
    over the sum of squares. With gaps the neighbours that are left stand for all. None where there are no neighbours,
    or no residuals.
    """
    x = np.asarray(positions, dtype=np.float64)
    y = np.asarray(values, dtype=np.float64)
    slope = theil_sen(x, y).value
    if slope is None:
        return None
    residuals = y - slope * x
    residuals = residuals - residuals.mean()
    neighbours = np.diff(x) == 1
    if not neighbours.any() or np.abs(residuals).max() <= _ROUNDING * np.abs(y).max():
        return None
    products = (residuals[1:] * residuals[:-1])[neighbours].mean() * (len(y) - 1)
    return float(products / (residuals**2).sum())


def variance_under_likeness(positions: ArrayLike, correlation: float) -> float:
    """The variance of Mann-Kendall's S without a trend, if values d positions apart correlate by correlation ** d.

    Exact for a normal AR(1) series. Source: K. H. Hamed and A. R. Rao (1998), A modified Mann-Kendall trend test for
    autocorrelated data, Journal of Hydrology 204, from the covariance of the signs of two differences, which is
    2 / pi times the arc sine of their correlation.
    """
    x = np.asarray(positions, dtype=np.float64)
    distance = np.abs(x[:, np.newaxis] - x[np.newaxis, :])
    # 0 to the power 0 is 1: a value correlates with itself.
    alike = np.power(correlation, distance)
    early, late = np.triu_indices(len(x), 1)
    both = alike[np.ix_(late, late)] - alike[np.ix_(late, early)]
    both = both - alike[np.ix_(early, late)] + alike[np.ix_(early, early)]
    spread = np.sqrt(2 - 2 * alike[early, late])
    correlations = both / np.outer(spread, spread)
    # The arc sine is steep at 1: a difference correlates with itself by 1, and not by what rounding leaves of it.
    correlations = np.where(np.abs(correlations) > 1 - _ROUNDING, np.sign(correlations), correlations)
    return float((2 / math.pi * np.arcsin(correlations)).sum())


def likeness(positions: ArrayLike, values: ArrayLike, test: MannKendall) -> Likeness:
    """The p value of a Mann-Kendall test of these values that allows for neighbours being alike.

    The variance of S grows by as much as it would in a normal AR(1) series of the lag-one autocorrelation, freed of its
    bias. That bias is -(2 + 4 rho) / n for the residuals of a line (D. Tjostheim and J. Paulsen (1983), Bias of some
    commonly-used time series estimates, Biometrika 70). Hamed and Rao's own estimate from all significant lags finds
    more trends in noise of 12 values than the plain test does, so it is not used: docs/definitions.md has the rates.
    A negative correlation counts as none.
    """
    x = np.asarray(positions, dtype=np.float64)
    n, plain = len(x), lag_one_autocorrelation(x, values)
    if plain is None:
        return Likeness(None, None, test.p_value)
    corrected = min(max((n * plain + 2) / (n - 4), 0.0), _HIGHEST_CORRELATION)
    growth = variance_under_likeness(x, corrected) / variance_under_likeness(x, 0.0)
    z = test.z / math.sqrt(growth)
    return Likeness(plain, corrected, math.erfc(abs(z) / math.sqrt(2)))


def trend_of_weeks(values: Mapping[date, float], last_week: date) -> Trend:
    """The trend of the twelve weeks that end with the week of `last_week`; `values` are by their weeks' Mondays.

    A week without a value is left out; the slope knows the distance it leaves.
    """
    weeks = sorted(week for week in values if timedelta(0) <= last_week - week < timedelta(weeks=TREND_WEEKS))
    chosen = [values[week] for week in weeks]
    positions = [(week - last_week).days // 7 for week in weeks]
    if len(weeks) < FEWEST_TREND_VALUES:
        return Trend(None, Estimate(None), len(weeks), last_week)
    test = mann_kendall(chosen)
    alike = likeness(positions, chosen, test)
    return Trend(trend_direction(chosen), theil_sen(positions, chosen), len(weeks), last_week, test, alike)
