"""Change points: from which period on does a rate keep another level than before?

A series is a run of periods with counts: so many of so many. What is the same about them without a change is that any
order of them is as likely as any other; so a split is judged against the same periods in random orders. That holds for
periods that differ by more than the luck of the draw (a good week, a bad week), which a test of the counts alone does
not. It does not hold where neighbouring periods are alike, as under a slow drift: that is cut into steps too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipelines.statistics.estimate import Estimate, Floats
from pipelines.statistics.intervals import wilson_interval
from pipelines.statistics.two_shares import score_test

#: How often a series without any change may show one or more.
CHANGE_LEVEL = 0.05
#: Periods a level must have: a spike of one or two is no level.
SHORTEST_LEVEL = 3
#: Periods with which a split can be told from chance: eight in two halves have 70 orders, seven only 35.
FEWEST_PERIODS = 8
#: The part of the error rate for one split; the rest is for a stretch that leaves the level and returns.
_SPLIT_PART = 0.8
_ORDERS = 4_999
_ORDERS_AT_ONCE = 250
#: Once so many random orders do as well as the real one, more of them cannot make it clear.
_ENOUGH_AS_GOOD = 50
_SEED = 1998
#: As in statistics.trends: neighbours are never wholly the same.
_HIGHEST_CORRELATION = 0.9
#: Twice the log-likelihood by which a period falls short of the best one before it is left out of the 95 %: chance
#: gains that much on either side of a true change with probability exp(-c / 2), so 1 - (1 - exp(-c / 2))^2 = 0.05.
_LIKELIHOOD_DROP = -2 * math.log(1 - math.sqrt(0.95))


Stretches = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True)
class Change:
    """One change of level, between two neighbouring levels of a series.

    `first` is the index of the new level's first period; `earliest` and `latest` hold it with 95 %. Rates are the
    levels' pooled counts with 95 % intervals; `numerator_before` and the others are those counts. `p_value` is
    adjusted for all tests of the series. `is_drift`: a straight line through both levels fits them no worse.
    """

    first: int
    earliest: int
    latest: int
    before: Estimate
    after: Estimate
    numerator_before: int
    denominator_before: int
    numerator_after: int
    denominator_after: int
    p_value: float
    is_drift: bool

    @property
    def ratio(self) -> float | None:
        """The new level over the old one; None where the old one is 0."""
        return self.after.value / self.before.value if self.before.value and self.after.value is not None else None


@dataclass(frozen=True)
class _Series:
    """Rates and the weights by which they are averaged, and the counts they are from."""

    numerators: Floats
    denominators: Floats

    @property
    def length(self) -> int:
        return len(self.numerators)

    @property
    def rates(self) -> Floats:
        return self.numerators / self.denominators

    def part(self, start: int, end: int) -> _Series:
        return _Series(self.numerators[start:end], self.denominators[start:end])

    def weights(self) -> Floats:
        """n / (1 + (n - 1) rho): a period's worth where counts are beta-binomial with intraclass correlation rho.

        rho is by moments, not below 0. The order of the periods plays no part in it: it is the same in every order.
        """
        n, total = self.denominators, self.denominators.sum()
        rate = self.numerators.sum() / total
        if rate in (0, 1):
            return n
        scatter = (n * (self.rates - rate) ** 2).sum() / (rate * (1 - rate))
        room = ((1 - n / total) * (n - 1)).sum()
        rho = max(0.0, (scatter - (self.length - 1)) / room) if room > 0 else 0.0
        weights: Floats = n / (1 + (n - 1) * rho)
        return weights


def change_points(numerators: ArrayLike, denominators: ArrayLike) -> list[Change]:
    """The changes of level in a series of counts (numerator of denominator above 0, in order of time), in that order.

    Binary segmentation: the whole series is split where the weighted rates before and after differ most, if that is
    more than random orders of its periods give, and its parts likewise. Where no single split is clear, a stretch that
    differs from both of its sides is sought. A part of the series is tested at its share of the error rate, by its
    length, so that a series without a change shows one in at most 5 % of cases, and one with changes a false one as
    rarely.

    Source: L. Y. Vostrikova (1981), Detecting "disorder" in multidimensional random processes, for the segmentation;
    A. B. Olshen, E. S. Venkatraman, R. Lucito and M. Wigler (2004), Circular binary segmentation, Biostatistics 5, for
    the stretch and the random orders; J. Besag and P. Clifford (1991), Sequential Monte Carlo p-values, Biometrika 78.
    """
    k, n = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    assert (n > 0).all(), "a period has no denominator"
    series = _Series(k, n)
    found: dict[int, float] = {}
    _segment(series, 0, series.length, 0.0, found)
    edges = [0, *sorted(found), series.length]
    spread = _dispersion(series, edges)
    return [
        _change(series.part(start, end), first - start, start, spread, found[first])
        for start, first, end in zip(edges, edges[1:], edges[2:], strict=False)
    ]


def _segment(series: _Series, start: int, end: int, parent: float, found: dict[int, float]) -> None:
    """Add the changes inside a part of the series to `found`, by their index, with their adjusted p values."""
    length = end - start
    if length < FEWEST_PERIODS:
        return
    part = series.part(start, end)
    share = length / series.length
    for portion, stretches in ((_SPLIT_PART * share, _splits(length)), ((1 - _SPLIT_PART) * share, _inner(length))):
        if not len(stretches[0]):
            continue
        best = int(_gains(*_standardised(part), stretches)[0].argmax())
        if not _counts_differ(part, int(stretches[0][best]), int(stretches[1][best])):
            continue
        p_value = _chance(part, stretches, CHANGE_LEVEL * portion)
        if p_value <= CHANGE_LEVEL * portion:
            adjusted = max(parent, p_value / portion)
            cuts = [start + int(edge[best]) for edge in stretches if 0 < edge[best] < length]
            found.update(dict.fromkeys(cuts, adjusted))
            for low, high in pairwise([start, *cuts, end]):
                _segment(series, low, high, adjusted, found)
            return


def _counts_differ(part: _Series, start: int, end: int) -> bool:
    """Whether the counts inside a stretch differ from those outside, by themselves.

    Periods that happen to lie closer together than counts can be expected to must not make a change of a trifle.
    """
    inside = part.part(start, end)
    k, n = round(inside.numerators.sum()), round(inside.denominators.sum())
    outside = (round(part.numerators.sum()) - k, round(part.denominators.sum()) - n)
    p_value = score_test((k, n), outside)
    return p_value is not None and p_value < CHANGE_LEVEL


def _splits(length: int) -> Stretches:
    """Every first level of a series, as the stretch from its first period to the change."""
    ends = np.arange(SHORTEST_LEVEL, length - SHORTEST_LEVEL + 1)
    return np.zeros_like(ends), ends


def _inner(length: int) -> Stretches:
    """Every stretch that leaves a level on either side of it: its first index, and the one after its last."""
    starts, ends = np.triu_indices(length + 1, SHORTEST_LEVEL)
    inside = (starts >= SHORTEST_LEVEL) & (ends <= length - SHORTEST_LEVEL)
    return starts[inside], ends[inside]


def _standardised(part: _Series) -> tuple[Floats, Floats]:
    """The rates' distance from their mean in units of their own scatter, as one row, and the weights it comes from."""
    weights = part.weights()
    return (np.sqrt(weights) * (part.rates - np.average(part.rates, weights=weights)))[np.newaxis, :], weights


def _gains(distances: Floats, weights: Floats, stretches: Stretches) -> Floats:
    """For each order (row) and each stretch (column): the sum of squares that a level of its own explains."""
    root, total = np.sqrt(weights), weights.sum()
    # Distances in another order have another weighted mean, which is no part of any level.
    centred = root * distances - np.outer((root * distances).sum(axis=1), weights / total)
    zero = np.zeros((len(distances), 1))
    sums = np.concatenate([zero, centred.cumsum(axis=1)], axis=1)
    worth = np.concatenate([[0.0], weights.cumsum()])
    starts, ends = stretches
    inside = worth[ends] - worth[starts]
    gains: Floats = (sums[:, ends] - sums[:, starts]) ** 2 * (total / (inside * (total - inside)))
    return gains


def _clarity(distances: Floats, weights: Floats, stretches: Stretches) -> Floats:
    """For each order (row): how much the best stretch explains of what it leaves, for what neighbours have in common.

    What is left is held to scatter as a series whose neighbours are as alike as what is left of it.
    """
    gains = _gains(distances, weights, stretches)
    best = gains.argmax(axis=1)
    rows, places = np.arange(len(distances)), np.arange(distances.shape[1])
    root = np.sqrt(weights)
    inside = (places >= stretches[0][best][:, np.newaxis]) & (places < stretches[1][best][:, np.newaxis])
    left = distances.copy()
    for level in (inside, ~inside):
        means = (root * distances * level).sum(axis=1) / (weights * level).sum(axis=1)
        left -= means[:, np.newaxis] * root * level
    squares = np.maximum((left**2).sum(axis=1), 1e-12 * (distances**2).sum(axis=1))
    length = distances.shape[1]
    plain = (left[:, 1:] * left[:, :-1]).sum(axis=1) / squares
    alike = np.clip((length * plain + 2) / (length - 4), 0.0, _HIGHEST_CORRELATION)
    clarity: Floats = gains[rows, best] / squares * ((1 - alike) / (1 + alike))
    return clarity


def _chance(part: _Series, stretches: Stretches, level: float) -> float:
    """The share of random orders of the periods that are as clear; the same for the same counts."""
    distances, weights = _standardised(part)
    if not np.abs(distances).max() > 0:
        return 1.0
    real = _clarity(distances, weights, stretches)[0]
    chance = np.random.default_rng(_SEED)
    # Sums in another order round differently.
    as_good, drawn, bar = 0, 0, real * (1 - 1e-9)
    while drawn < _ORDERS and (as_good < _ENOUGH_AS_GOOD or as_good / drawn <= 2 * level):
        count = min(_ORDERS_AT_ONCE, _ORDERS - drawn)
        orders = chance.permuted(np.tile(distances, (count, 1)), axis=1)
        as_good += int((_clarity(orders, weights, stretches) >= bar).sum())
        drawn += count
    return (as_good + 1) / (drawn + 1)


def _dispersion(series: _Series, edges: list[int]) -> float:
    """How many times more the rates scatter inside their levels than counts by chance alone; not below 1."""
    scatter, freedom = 0.0, 0
    for start, end in pairwise(edges):
        part = series.part(start, end)
        rate = part.numerators.sum() / part.denominators.sum()
        if 0 < rate < 1:
            scatter += float((part.denominators * (part.rates - rate) ** 2).sum()) / (rate * (1 - rate))
            freedom += part.length - 1
    return max(1.0, scatter / freedom) if freedom else 1.0


def _change(part: _Series, cut: int, offset: int, spread: float, p_value: float) -> Change:
    """The change at `cut` of a part that is two levels; `offset` is where the part begins in the series."""
    distances, weights = _standardised(part)
    cuts = np.arange(1, part.length)
    gains = _gains(distances, weights, (np.zeros_like(cuts), cuts))[0]
    total = float((distances**2).sum())
    step_misfit = total - float(gains[cut - 1])
    variance = step_misfit / (part.length - 2)
    near = cuts[gains[cut - 1] - gains <= _LIKELIHOOD_DROP * variance + 1e-12 * total]
    levels = [part.part(0, cut), part.part(cut, part.length)]
    (k_before, n_before), (k_after, n_after) = (
        (float(level.numerators.sum()), float(level.denominators.sum())) for level in levels
    )
    return Change(
        offset + cut,
        offset + min(cut, int(near.min())),
        offset + max(cut, int(near.max())),
        _level(k_before, n_before, spread),
        _level(k_after, n_after, spread),
        round(k_before),
        round(n_before),
        round(k_after),
        round(n_after),
        p_value,
        _line_misfit(part.rates, weights) <= step_misfit,
    )


def _level(numerator: float, denominator: float, spread: float) -> Estimate:
    """A pooled rate; its interval is Wilson's of the counts over the dispersion, as if so many fewer were seen."""
    lower, upper = wilson_interval(numerator / spread, denominator / spread)
    return Estimate(numerator / denominator, float(lower[0]), float(upper[0]))


def _line_misfit(rates: Floats, weights: Floats) -> float:
    """The weighted sum of squares that a straight line through the rates leaves."""
    positions = np.arange(len(rates), dtype=np.float64)
    x = positions - np.average(positions, weights=weights)
    y = rates - np.average(rates, weights=weights)
    slope = (weights * x * y).sum() / (weights * x**2).sum()
    return float((weights * (y - slope * x) ** 2).sum())
