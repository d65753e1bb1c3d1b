"""Survival: durations of which some are still running when last seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipelines.statistics.estimate import Estimate, Floats, Z

#: A product of many survival steps rounds; shares of real spans lie further apart than this.
_ROUNDING = 1e-9


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


def _first_reaching(seconds: Floats, shares: Floats, share: float) -> float | None:
    reached = np.flatnonzero(shares >= share - _ROUNDING)
    return float(seconds[reached[0]]) if len(reached) else None
