"""The statistics behind the numbers: intervals, trends and response times, from counts to values.

Confidence levels are 95 % throughout; an undefined value is NaN in arrays and None in single numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

#: Standard normal quantile of a two-sided 95 % interval.
Z = NormalDist().inv_cdf(0.975)
#: Two-sided level below which a trend is called one.
TREND_LEVEL = 0.05
#: Weeks in which a trend is sought.
TREND_WEEKS = 12
#: Values a trend test needs: with fewer, the normal approximation means nothing.
FEWEST_TREND_VALUES = 6
#: A product of many survival steps rounds; shares of real spans lie further apart than this.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; None where not defined."""

    value: float | None
    lower: float | None = None
    upper: float | None = None


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


@dataclass(frozen=True)
class ProcessedCurve:
    """Kaplan-Meier steps: after each observed duration (seconds, ascending) the share processed and its interval.

    `at_risk` counts the spans neither processed nor censored before the step, `processed` those processed at it.
    """

    seconds: Floats
    share_processed: Floats
    lower: Floats
    upper: Floats
    at_risk: NDArray[np.int64]
    processed: NDArray[np.int64]


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
    return Estimate(float(fit.slope), _number(fit.low_slope), _number(fit.high_slope))


def trend_of_weeks(values: Mapping[date, float], last_week: date) -> Trend:
    """The trend of the twelve weeks that end with the week of `last_week`; `values` are by their weeks' Mondays.

    A week without a value is left out; the slope knows the distance it leaves.
    """
    weeks = sorted(week for week in values if timedelta(0) <= last_week - week < timedelta(weeks=TREND_WEEKS))
    chosen = [values[week] for week in weeks]
    positions = [(week - last_week).days // 7 for week in weeks]
    return Trend(trend_direction(chosen), theil_sen(positions, chosen), len(weeks), last_week)


def kaplan_meier(durations: ArrayLike, is_observed: ArrayLike) -> ProcessedCurve:
    """The share processed after each observed duration, those still open being right-censored at theirs.

    A span censored at the moment of a step counts as at risk of it. The interval is Greenwood's, on the log-log scale;
    it is NaN where the share is 1. Source: E. L. Kaplan and P. Meier (1958), Nonparametric estimation from incomplete
    observations, JASA 53; J. D. Kalbfleisch and R. L. Prentice (2002), The statistical analysis of failure time data,
    section 1.4, for the log-log interval.
    """
    times = np.asarray(durations, dtype=np.float64)
    observed = np.asarray(is_observed, dtype=bool)
    seconds, events = np.unique(times[observed], return_counts=True)
    at_risk = len(times) - np.searchsorted(np.sort(times), seconds, side="left")
    survivors = at_risk - events
    still_open = np.cumprod(survivors / at_risk, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (at_risk * survivors.astype(np.float64)))
        reach = Z * np.sqrt(greenwood) / np.abs(np.log(still_open))
        lower = np.where(still_open > 0, 1 - still_open ** np.exp(-reach), np.nan)
        upper = np.where(still_open > 0, 1 - still_open ** np.exp(reach), np.nan)
    return ProcessedCurve(seconds, 1 - still_open, lower, upper, at_risk.astype(np.int64), events.astype(np.int64))


def processed_quantile(curve: ProcessedCurve, share: float) -> Estimate:
    """The smallest observed duration by which `share` was processed, in seconds, with its 95 % interval.

    The interval holds the durations at which the curve's own interval holds `share`; a bound that the record does not
    reach is None, and so is the value. Source: R. Brookmeyer and J. Crowley (1982), A confidence interval for the
    median survival time, Biometrics 38, with the log-log interval of the curve.
    """
    return Estimate(
        _first_reaching(curve.seconds, curve.share_processed, share),
        _first_reaching(curve.seconds, curve.upper, share),
        _first_reaching(curve.seconds, curve.lower, share),
    )


def restricted_mean(durations: ArrayLike, is_observed: ArrayLike) -> Estimate:
    """The mean duration in seconds up to the largest one in the record, open ones counted in, with its 95 % interval.

    It is the area under the Kaplan-Meier curve of the spans still open; where nothing is open, the plain mean. The
    interval is normal, from Greenwood's variance of the area, and not below 0; spans that do not vary, or of which none
    was processed, tell no interval. Source: J. P. Klein and M. L. Moeschberger (2003), Survival analysis, section 4.5.
    """
    times = np.asarray(durations, dtype=np.float64)
    if len(times) == 0:
        return Estimate(None)
    curve = kaplan_meier(times, is_observed)
    starts = np.concatenate(([0.0], curve.seconds))
    ends = np.append(curve.seconds, times.max())
    areas = (ends - starts) * np.concatenate(([1.0], 1 - curve.share_processed))
    value = float(areas.sum())
    beyond = areas[::-1].cumsum()[::-1][1:]
    survivors = (curve.at_risk - curve.processed).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(survivors > 0, beyond**2 * curve.processed / (curve.at_risk * survivors), 0.0)
    half_width = Z * math.sqrt(float(terms.sum()))
    if not half_width:
        return Estimate(value)
    return Estimate(value, max(0.0, value - half_width), value + half_width)


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


def _first_reaching(seconds: Floats, shares: Floats, share: float) -> float | None:
    reached = np.flatnonzero(shares >= share - _ROUNDING)
    return float(seconds[reached[0]]) if len(reached) else None


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
