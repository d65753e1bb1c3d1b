"""Survival: durations of which some are still running when last seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipelines.statistics.estimate import Estimate, Floats, Z
from pipelines.statistics.intervals import wilson_interval

#: A product of many survival steps rounds; shares of real spans lie further apart than this.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Curve:
    """Kaplan-Meier steps: after each observed duration (seconds, ascending) the share done and its interval.

    `at_risk` counts those neither done nor censored before the step, `events` those done at it. `durations` are all
    durations, observed or censored, ascending.
    """

    seconds: Floats
    share: Floats
    lower: Floats
    upper: Floats
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    durations: Floats

    @property
    def longest(self) -> float:
        """The longest duration, observed or censored, in seconds: how far the curve is known. NaN for no durations."""
        return float(self.durations[-1]) if len(self.durations) else math.nan

    @property
    def is_finished(self) -> bool:
        """Whether the curve ends at 1: nothing was running on after the last step."""
        return len(self.events) > 0 and bool(self.events[-1] == self.at_risk[-1])


def kaplan_meier(durations: ArrayLike, is_observed: ArrayLike) -> Curve:
    """The share done after each observed duration, those still running being right-censored at theirs.

    What is censored at the moment of a step counts as at risk of it. The interval is Greenwood's, on the log-log scale;
    it is NaN where the share is 1. Source: E. L. Kaplan and P. Meier (1958), Nonparametric estimation from incomplete
    observations, JASA 53; J. D. Kalbfleisch and R. L. Prentice (2002), The statistical analysis of failure time data,
    section 1.4, for the log-log interval.
    """
    times = np.asarray(durations, dtype=np.float64)
    observed = np.asarray(is_observed, dtype=bool)
    order = survival_order(times, observed)
    return kaplan_meier_of_ordered(times[order], observed[order])


def survival_order(durations: Floats, is_observed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The positions of durations in ascending order; of equal ones those observed come first."""
    observed_first = np.concatenate((np.flatnonzero(is_observed), np.flatnonzero(~is_observed)))
    return observed_first[np.argsort(durations[observed_first], kind="stable")]


def kaplan_meier_of_ordered(durations: Floats, is_observed: NDArray[np.bool_]) -> Curve:
    """As `kaplan_meier`, of durations already in `survival_order`: one pass, however many there are."""
    places = np.flatnonzero(is_observed)
    times = durations[places]
    is_first = np.ones(len(times), dtype=bool)
    is_first[1:] = times[1:] != times[:-1]
    firsts = np.flatnonzero(is_first)
    events = np.diff(np.append(firsts, len(times)))
    # Observed ones come first among equals, so all at or after the place of a step's first event are at risk of it.
    at_risk = len(durations) - places[firsts]
    survivors = at_risk - events
    running = np.cumprod(survivors / at_risk, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (at_risk * survivors.astype(np.float64)))
        reach = Z * np.sqrt(greenwood) / np.abs(np.log(running))
        lower = np.where(running > 0, 1 - running ** np.exp(-reach), np.nan)
        upper = np.where(running > 0, 1 - running ** np.exp(reach), np.nan)
    return Curve(times[firsts], 1 - running, lower, upper, at_risk.astype(np.int64), events.astype(np.int64), durations)


def quantile(curve: Curve, share: float) -> Estimate:
    """The smallest observed duration by which `share` was done, in seconds, with its 95 % interval.

    The interval holds the durations at which the curve's own interval holds `share`; a bound that the record does not
    reach is None, and so is the value. Source: R. Brookmeyer and J. Crowley (1982), A confidence interval for the
    median survival time, Biometrics 38, with the log-log interval of the curve.
    """
    return Estimate(
        _first_reaching(curve.seconds, curve.share, share),
        _first_reaching(curve.seconds, curve.upper, share),
        _first_reaching(curve.seconds, curve.lower, share),
    )


def share_within(curve: Curve, seconds: float) -> Estimate:
    """The share done within a time, those censored before it counted in, with its 95 % interval.

    None where the record does not reach: everything was censored sooner. The interval is the curve's (Greenwood,
    log-log). Where nothing or everything is done it has none; then it is Wilson's, of those whose outcome at that time
    is known: all still running, or all done.
    """
    if not len(curve.durations) or (seconds > curve.longest and not curve.is_finished):
        return Estimate(None)
    step = int(np.searchsorted(curve.seconds, seconds, side="right")) - 1
    if step >= 0 and curve.events[step] < curve.at_risk[step]:
        return Estimate(float(curve.share[step]), float(curve.lower[step]), float(curve.upper[step]))
    if step < 0:
        done, known = 0, len(curve.durations) - int(np.searchsorted(curve.durations, seconds, side="left"))
    else:
        done = known = int(curve.events[: step + 1].sum())
    lower, upper = wilson_interval(done, known)
    return Estimate(float(done > 0), float(lower[0]), float(upper[0]))


def restricted_mean(curve: Curve, until: float | None = None) -> Estimate:
    """The mean duration in seconds, those still running counted in, with its 95 % interval.

    A duration counts up to `until`; without it, up to the longest one in the record. It is the area under the
    Kaplan-Meier curve of those still running; where nothing is censored, the plain mean. None where the record does not
    reach `until`. The interval is normal for the logarithm, from Greenwood's variance of the area; durations that do
    not vary, or of which none was observed, tell no interval. Source: J. P. Klein and M. L. Moeschberger (2003),
    Survival analysis, section 4.5.
    """
    if not len(curve.durations):
        return Estimate(None)
    end = curve.longest if until is None else until
    if end > curve.longest and not curve.is_finished:
        return Estimate(None)
    steps = int(np.searchsorted(curve.seconds, end, side="right"))
    bounds = np.concatenate(([0.0], curve.seconds[:steps], [end]))
    areas = np.diff(bounds) * np.concatenate(([1.0], 1 - curve.share[:steps]))
    value = float(areas.sum())
    beyond = areas[::-1].cumsum()[::-1][1:]
    at_risk, events = curve.at_risk[:steps], curve.events[:steps]
    survivors = (at_risk - events).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(survivors > 0, beyond**2 * events / (at_risk * survivors), 0.0)
    deviation = math.sqrt(float(terms.sum()))
    if not deviation:
        return Estimate(value)
    reach = math.exp(Z * deviation / value)
    return Estimate(value, value / reach, value * reach)


def thinned(curve: Curve, most: int = 200) -> NDArray[np.int64]:
    """Positions of at most `most` steps to draw the curve by: real steps, the first and the last among them.

    Between two of them the share grows by less than the whole growth / (most - 2), jumps of a single step apart.
    """
    count = len(curve.seconds)
    if count <= most:
        return np.arange(count, dtype=np.int64)
    growth = curve.share[-1] - curve.share[0]
    level = np.floor((curve.share - curve.share[0]) / growth * (most - 2))
    kept = np.flatnonzero(np.diff(level, prepend=-1.0))
    return np.union1d(kept, [count - 1]).astype(np.int64)


def _first_reaching(seconds: Floats, shares: Floats, share: float) -> float | None:
    reached = np.flatnonzero(shares >= share - _ROUNDING)
    return float(seconds[reached[0]]) if len(reached) else None
