"""Standings of many rates: which of them stand out, once chance and ordinary spread are allowed for?

Rates are successes / trials, opt-outs of messages. Arrays in, arrays out; the methods are told in docs/definitions.md.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipelines.statistics.estimate import Floats

#: Share of the lowest and of the highest rates that are drawn in to the next when the spread is estimated.
WINSORISED_SHARE = 0.2
#: With more rates than this, leaving one out no longer changes the spread of the others.
MOST_LEFT_OUT = 150
#: Expected successes of a rate from which on its distance from the others tells of spread.
FEWEST_EXPECTED = 1
#: Points of the shrinkage factor that the posterior is summed over.
_SHRINKAGE_POINTS = 40
_STEPS = 50


def exact_p_values(
    successes: ArrayLike, trials: ArrayLike, rest_successes: ArrayLike, rest_trials: ArrayLike
) -> Floats:
    """One-sided p values that a rate is above the rest's: the chance that so many of all successes fall to it.

    Exact for rare events: given their sum, the successes of two equal rates are binomial by the trials. 1 where there
    is nothing to compare. Source: J. Przyborowski and H. Wilenski (1940), Homogeneity of results in testing samples
    from Poisson series, Biometrika 31.
    """
    from scipy.special import betainc

    k, n, rest_k, rest_n = (np.asarray(a, dtype=np.float64) for a in (successes, trials, rest_successes, rest_trials))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = n / (n + rest_n)
        p = betainc(np.where(k > 0, k, 1), rest_k + 1, share)
    return np.where((k > 0) & (n > 0) & (rest_n > 0), p, 1.0)


def rate_ratios(
    successes: ArrayLike, trials: ArrayLike, rest_successes: ArrayLike, rest_trials: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """The rate as a multiple of the rest's, with its exact 95 % interval; NaN where the rest has no rate above 0.

    Source: C. J. Clopper and E. S. Pearson (1934), The use of confidence or fiducial limits, Biometrika 26, applied to
    the share of all successes that fall to this one.
    """
    from scipy.special import betaincinv

    k, n, rest_k, rest_n = (np.asarray(a, dtype=np.float64) for a in (successes, trials, rest_successes, rest_trials))
    known = (n > 0) & (rest_k > 0) & (rest_n > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (k / n) / (rest_k / rest_n)
        lower = np.where(k > 0, betaincinv(np.where(k > 0, k, 1), rest_k + 1, 0.025), 0.0)
        upper = betaincinv(k + 1, np.where(rest_k > 0, rest_k, 1), 0.975)
        bounds = [share / (1 - share) * rest_n / n for share in (lower, upper)]
    return np.where(known, ratio, np.nan), np.where(known, bounds[0], np.nan), np.where(known, bounds[1], np.nan)


def relative_spread(successes: ArrayLike, trials: ArrayLike) -> float:
    """How much rates differ beyond chance: the variance of the true rates over the square of their mean, 0 or more.

    The value at which the rates' distances from their mean are as large as chance and spread together make them. So
    that a few that stand out do not make the spread they are judged by, it is the smallest of three: of all rates as
    they are; with the furthest fifth on each side drawn in to the next; and so around the mean of the rates between.
    Source: R. C. Paule and J. Mandel (1982), Consensus values and weighting factors; D. J. Spiegelhalter (2005),
    Handling over-dispersion of performance indicators, Quality and Safety in Health Care 14, for winsorising.
    """
    k, n = _telling(successes, trials)[:2]
    return float(_relative_spreads(k[np.newaxis, :], n[np.newaxis, :])[0])


def spreads_of_others(successes: ArrayLike, trials: ArrayLike) -> Floats:
    """For each rate the relative spread of the others, so that no rate hides itself by its own distance."""
    k, n, is_telling = _telling(successes, trials)
    whole = float(_relative_spreads(k[np.newaxis, :], n[np.newaxis, :])[0])
    spreads = np.full(len(is_telling), whole)
    if not 1 < len(k) <= MOST_LEFT_OUT:
        return spreads
    others = np.nonzero(~np.eye(len(k), dtype=bool))[1].reshape(len(k), -1)
    spreads[is_telling] = _relative_spreads(k[others], n[others])
    return spreads


def _telling(successes: ArrayLike, trials: ArrayLike) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Successes and trials of the rates that tell of spread, and which those are: of fewer, chance is all they show."""
    k, n = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    is_telling = n * k.sum() >= FEWEST_EXPECTED * n.sum()
    return k[is_telling], n[is_telling], is_telling


def _relative_spreads(k: Floats, n: Floats) -> Floats:
    """The relative spread of each row."""
    if k.shape[1] < 2:
        return np.zeros(len(k))
    mean = k.sum(axis=1, keepdims=True) / n.sum(axis=1, keepdims=True)
    plain = _spreads_around(k, n, mean, 0)
    cut = int(WINSORISED_SHARE * k.shape[1])
    # Without spread as they are there is none to reduce.
    if not cut or not plain.any():
        return plain
    distance = (k - n * mean) / np.sqrt(n * np.where(mean > 0, mean, 1))
    between = np.argsort(distance, axis=1, kind="stable")[:, cut:-cut]
    inner_k, inner_n = (np.take_along_axis(counts, between, axis=1).sum(axis=1, keepdims=True) for counts in (k, n))
    inner_mean = np.where(inner_k > 0, inner_k / inner_n, mean)
    around = [_spreads_around(k, n, centre, cut) for centre in (mean, inner_mean)]
    return np.minimum(plain, np.minimum(*around))


def _spreads_around(k: Floats, n: Floats, mean: Floats, cut: int) -> Floats:
    """The relative spread of each row around its mean, the furthest `cut` on each side drawn in."""
    rows, columns = k.shape
    usable = ((mean > 0) & (mean < 1))[:, 0]
    mean = np.where(usable[:, np.newaxis], mean, 0.5)
    distance = (k - n * mean) / np.sqrt(n * mean * (1 - mean))
    growth = n * mean / (1 - mean)
    expected = (columns - 1) * _winsorised_variance(cut / columns)

    def excess(spreads: Floats) -> Floats:
        ordered = np.sort(distance / np.sqrt(1 + spreads[:, np.newaxis] * growth), axis=1)
        if cut:
            ordered = np.clip(ordered, ordered[:, [cut]], ordered[:, [-cut - 1]])
        beyond: Floats = (ordered**2).sum(axis=1) - expected
        return beyond

    wide = usable & (excess(np.zeros(rows)) > 0)
    low, high = np.zeros(rows), np.ones(rows)
    for _ in range(_STEPS if wide.any() else 0):
        middle = (low + high) / 2
        above = excess(np.where(wide, middle / (1 - middle), 0.0)) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    found = (low + high) / 2
    return np.where(wide, found / (1 - found), 0.0)


def _winsorised_variance(share: float) -> float:
    """The variance of a standard normal variable whose furthest `share` on each side is drawn in."""
    if not share:
        return 1.0
    from scipy.special import ndtri

    edge = -float(ndtri(share))
    density = float(np.exp(-(edge**2) / 2) / np.sqrt(2 * np.pi))
    return 1 - 2 * share - 2 * edge * density + 2 * share * edge**2


def standing_out_p_values(
    successes: ArrayLike, trials: ArrayLike, rest_successes: ArrayLike, rest_trials: ArrayLike
) -> Floats:
    """One-sided p values that each rate is above the rest's by more than chance and the others' spread explain.

    The chance that a rate drawn from the others' spread, with the rest's mean and that mean's own error, gives so many
    successes or more: the tail of a negative binomial distribution. Where the others differ by chance alone it is the
    exact p value. `rest_*` count all but the rate itself, which may be more than the other rates listed.
    """
    from scipy.special import betainc

    k, n, rest_k, rest_n = (np.asarray(a, dtype=np.float64) for a in (successes, trials, rest_successes, rest_trials))
    spread = spreads_of_others(k, n)
    squares = (n**2).sum() - n**2
    with np.errstate(divide="ignore", invalid="ignore"):
        # The mean of the rest is as sure as so many successes without spread make it.
        sureness = rest_k / (1 + spread * rest_k * (1 + squares / rest_n**2))
        mean = n * rest_k / rest_n
        # A mean known from counts adds one, as in the exact test; one known up to the spread adds nothing.
        tail = betainc(np.where(k > 0, k, 1), sureness + sureness / rest_k, mean / (mean + sureness))
    known = (spread > 0) & (k > 0) & (rest_k > 0) & (rest_n > 0)
    return np.where(known, np.where(known, tail, 1.0), exact_p_values(k, n, rest_k, rest_n))


def funnel_limits(trials: ArrayLike, centre: float, spread: float, beyond: float) -> tuple[Floats, Floats]:
    """Rates that a rate of so many trials stays within by chance and spread, but for `beyond` on each side.

    Without spread they are the binomial limits, counts read as continuous: a whole count at or over the upper one has
    an exact one-sided p value of at most `beyond`. Spread widens them to those of the negative binomial. Source:
    D. J. Spiegelhalter (2005), Funnel plots for comparing institutional performance, Statistics in Medicine 24.
    """
    from scipy.special import bdtrik, nbdtrik

    n = np.asarray(trials, dtype=np.float64)
    if not 0 < centre < 1:
        return np.full(len(n), centre), np.full(len(n), centre)
    upper = np.minimum(bdtrik(1 - beyond, n, centre) + 1, n) / n
    lower = bdtrik(beyond, n, centre) / n
    if spread > 0:
        share = 1 / (1 + n * centre * spread)
        upper = np.clip((nbdtrik(1 - beyond, 1 / spread, share) + 1) / n, upper, 1.0)
        lower = np.minimum(nbdtrik(beyond, 1 / spread, share) / n, lower)
    return lower, upper


def shrunken_rates(successes: ArrayLike, trials: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Each rate drawn towards the mean of all, the more the fewer its trials, with its 95 % credible interval.

    True rates are taken for draws from one beta distribution of unknown mean and unknown weight, the weight counted in
    trials. The mean is estimated for every weight; the weights are summed over, each by its marginal likelihood and a
    prior by which a rate of middling trials is drawn in by any share as likely as by any other; the mean's own error is
    added. The posterior is told by the beta distribution of the same mean and variance. Source: C. L. Christiansen and
    C. N. Morris (1997), Hierarchical Poisson regression modeling, JASA 92; M. J. Daniels (1999), A prior for the
    variance in hierarchical models, Canadian Journal of Statistics 27.
    """
    from scipy.special import betaincinv, betaln

    k, n = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    if len(k) == 0:
        return np.empty(0), np.empty(0), np.empty(0)
    share = ((np.arange(_SHRINKAGE_POINTS) + 0.5) / _SHRINKAGE_POINTS)[:, np.newaxis]
    weight = float(np.median(n)) * share / (1 - share)
    # What a trial of each rate tells of the mean: less where many share one true rate.
    told = (weight + 1) / (weight + n)
    worth = (told * n).sum(axis=1, keepdims=True)
    mean = ((told * k).sum(axis=1, keepdims=True) + 0.5) / (worth + 1)
    mean_variance = mean * (1 - mean) / worth
    a, b = mean * weight, (1 - mean) * weight
    likelihood = (betaln(k + a, n - k + b) - betaln(a, b)).sum(axis=1) + np.log(mean_variance[:, 0]) / 2
    belief = np.exp(likelihood - likelihood.max())
    belief = (belief / belief.sum())[:, np.newaxis]
    centre = (k + a) / (n + weight)
    variance = centre * (1 - centre) / (n + weight + 1) + (weight / (n + weight)) ** 2 * mean_variance
    rate = (belief * centre).sum(axis=0)
    total = (belief * (variance + centre**2)).sum(axis=0) - rate**2
    size = np.maximum(rate * (1 - rate) / total - 1, 1e-6)
    lower, upper = (betaincinv(rate * size, (1 - rate) * size, at) for at in (0.025, 0.975))
    return rate, lower, upper
