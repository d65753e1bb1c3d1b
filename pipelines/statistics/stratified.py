"""Rates in groups, compared within strata: a week is compared with itself, so that a season makes no difference.

Counts come as arrays of groups (rows) by strata (columns): successes and trials, opt-outs and messages.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipelines.statistics.estimate import Estimate, Floats, Z

#: Strata that are needed to tell how much more than chance the counts vary from one to the next.
FEWEST_STRATA = 4
#: Expected successes of a group below which it is judged together with others; and of all groups for any judgement.
FEWEST_EXPECTED = 5
FEWEST_SUCCESSES = 20
_ROUNDS = 30
#: Successes and trials by stratum.
Counts = tuple[Floats, Floats]


@dataclass(frozen=True)
class GroupTest:
    """Whether the rates of groups differ; `dispersion` is how many times more than chance the counts vary (1 or more).

    `group_p_values` are of each group against the rest, two-sided, NaN for groups of too few; the trend's are None for
    groups without an order. `trend_sign` is 1 where the rate rises with the order, -1 where it falls.
    """

    statistic: float
    degrees: int
    dispersion: float
    p_value: float
    group_p_values: Floats
    trend_p_value: float | None
    trend_sign: int | None


def groups_test(successes: ArrayLike, trials: ArrayLike, *, is_ordered: bool) -> GroupTest | None:
    """The test of equal rates over all strata; None with too few successes, or where no stratum compares two groups.

    The score test of generalised Cochran-Mantel-Haenszel, its statistic divided by the dispersion that the strata show
    (where they show more than chance), then an F test. The trend is Mantel's, with the groups' places as scores.
    Sources: N. Mantel (1963), Chi-square tests with one degree of freedom, JASA 58; J. R. Landis, E. R. Heyman and
    G. G. Koch (1978), Average partial association in three-way contingency tables, International Statistical Review 46;
    P. McCullagh and J. A. Nelder (1989), Generalized linear models, section 4.5, for the dispersion.
    """
    from scipy.special import chdtrc, fdtrc, ndtr, stdtr

    n = np.asarray(trials, dtype=np.float64)
    k = np.minimum(np.asarray(successes, dtype=np.float64), n)
    used = (n.sum(axis=0) > 0) & (k.sum(axis=0) > 0)
    k, n = k[:, used], n[:, used]
    expected = _expected(k, n, np.ones(len(n)))
    joined = _joined(expected.sum(axis=1), is_ordered)
    if k.sum() < FEWEST_SUCCESSES or joined.max(initial=-1) < 1:
        return None
    alone, together = _score(k, n), _score(_sums(k, joined), _sums(n, joined))
    excess, covariance = together
    if not covariance.any():
        # No stratum holds two of the groups, or all of its trials went one way: nothing can be compared.
        return None
    groups, strata = len(excess), k.shape[1]
    dispersion = _dispersion(_sums(k, joined), _sums(n, joined))
    spare = (groups - 1) * (strata - 1)
    statistic = float(excess[:-1] @ np.linalg.pinv(covariance[:-1, :-1]) @ excess[:-1])
    p_value = (
        fdtrc(groups - 1, spare, statistic / dispersion / (groups - 1))
        if dispersion > 1
        else chdtrc(groups - 1, statistic)
    )

    def two_sided(z: Floats) -> Floats:
        tails: Floats = 2 * (stdtr(spare, -np.abs(z)) if dispersion > 1 else ndtr(-np.abs(z)))
        return tails

    with np.errstate(divide="ignore", invalid="ignore"):
        distances = alone[0] / np.sqrt(np.diag(alone[1]) * dispersion)
    group_p_values = np.where(expected.sum(axis=1) >= FEWEST_EXPECTED, two_sided(distances), np.nan)
    if not is_ordered:
        return GroupTest(statistic, groups - 1, dispersion, float(p_value), group_p_values, None, None)
    scores = np.arange(groups, dtype=np.float64)
    rise = float(scores @ excess)
    z = rise / np.sqrt(float(scores @ covariance @ scores) * dispersion)
    trend = float(two_sided(np.array([z]))[0])
    return GroupTest(statistic, groups - 1, dispersion, float(p_value), group_p_values, trend, 1 if rise > 0 else -1)


def common_ratio(one: Counts, other: Counts, dispersion: float = 1.0) -> Estimate:
    """The ratio of two rates that all strata have in common, with its 95 % interval; None where it is not told.

    Each rate comes as its successes and its trials, one element a stratum.

    Source: S. Greenland and J. M. Robins (1985), Estimation of a common effect parameter from sparse follow-up data,
    Biometrics 41; the dispersion multiplies the variance of the logarithm.
    """
    (a, n), (b, m) = one, other
    whole = np.where(n + m > 0, n + m, 1.0)
    above, below = float((a * m / whole).sum()), float((b * n / whole).sum())
    if not below:
        return Estimate(None)
    if not above:
        return Estimate(0.0)
    variance = float(((n * m * (a + b) - a * b * whole) / whole**2).sum()) / (above * below)
    reach = math.exp(Z * math.sqrt(max(variance, 0.0) * dispersion))
    return Estimate(above / below, above / below / reach, above / below * reach)


def _expected(k: Floats, n: Floats, rates: Floats) -> Floats:
    """The successes of each stratum shared out over the groups by their trials, each weighted by its group's rate."""
    weighted = n * rates[:, np.newaxis]
    shared: Floats = weighted / weighted.sum(axis=0) * k.sum(axis=0)
    return shared


def _score(k: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Successes beyond those expected under equal rates, by group, and their covariance: hypergeometric per stratum."""
    whole, all_successes = n.sum(axis=0), k.sum(axis=0)
    excess: Floats = (k - n / whole * all_successes).sum(axis=1)
    per_stratum = all_successes * (whole - all_successes) / np.maximum(whole - 1, 1)
    part = n / whole
    covariance: Floats = np.diag((part * per_stratum).sum(axis=1)) - (part * per_stratum) @ part.T
    return excess, covariance


def _dispersion(k: Floats, n: Floats) -> float:
    """How many times more than chance the counts of the groups vary from stratum to stratum; 1 where they do not."""
    groups, strata = k.shape
    if strata < FEWEST_STRATA:
        return 1.0
    rates = np.ones(groups)
    for _ in range(_ROUNDS):
        # A group without a success keeps the rate 0 that the first round gives it.
        foreseen = _expected(k, n, rates).sum(axis=1)
        rates = np.where(foreseen > 0, rates * k.sum(axis=1) / np.where(foreseen > 0, foreseen, 1), 0.0)
    expected = _expected(k, n, rates)
    chance = (expected * (1 - expected / k.sum(axis=0))).sum() * (strata - 1) / strata
    return max(1.0, float(((k - expected) ** 2).sum() / chance)) if chance > 0 else 1.0


def _joined(expected: Floats, is_ordered: bool) -> NDArray[np.int64]:
    """For each group the number of the one it is judged in: those of too few join the next below, or each other."""
    numbers = np.zeros(len(expected), dtype=np.int64)
    if is_ordered:
        number, gathered = 0, 0.0
        for place, count in enumerate(expected):
            if gathered >= FEWEST_EXPECTED and expected[place:].sum() >= FEWEST_EXPECTED:
                number, gathered = number + 1, 0.0
            numbers[place] = number
            gathered += count
        return numbers
    is_small = expected < FEWEST_EXPECTED
    numbers[~is_small] = np.arange(np.count_nonzero(~is_small))
    if is_small.any():
        rest = int(np.count_nonzero(~is_small))
        if expected[is_small].sum() < FEWEST_EXPECTED and rest:
            rest = int(numbers[np.where(is_small, np.inf, expected).argmin()])
        numbers[is_small] = rest
    return numbers


def _sums(counts: Floats, numbers: NDArray[np.int64]) -> Floats:
    summed = np.zeros((int(numbers.max()) + 1, counts.shape[1]))
    np.add.at(summed, numbers, counts)
    return summed
