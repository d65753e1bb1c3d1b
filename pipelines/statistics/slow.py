"""Slow stretches: runs of days whose requests took longer to be dealt with than those of other days.

Each request gets a score from its rank among all times, those still open counted in (a log-rank score): above 0 if it
took longer than expected. Without a slow stretch, which days of a weekday had which scores is chance; so the clearest
stretch is judged against the same days put in random orders, each weekday among its own: what every Sunday does makes
no stretch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipelines.statistics.estimate import Floats

#: How often a record without any slow stretch may show one.
SLOW_LEVEL = 0.05
#: Days a stretch may have; a stretch that would be most of the requests is the rule and not the exception.
LENGTHS = (3, 4, 5, 6, 7, 10, 14, 18, 21, 28, 35, 42, 56)
#: Requests that a stretch must have, and days and requests that a record must have.
FEWEST_IN_STRETCH, FEWEST_DAYS, FEWEST_REQUESTS = 5, 28, 30
_LARGEST_SHARE = 0.5
_ORDERS = 999
_ORDERS_AT_ONCE = 100
_MOST_STRETCHES = 5
_SEED = 1966
_WEEK = 7


@dataclass(frozen=True)
class SlowStretch:
    """One slow stretch: its first and last day (as given), requests in it, and its p value, adjusted for the search."""

    first: int
    last: int
    count: int
    p_value: float


def scores(seconds: Floats, is_done: NDArray[np.bool_]) -> Floats:
    """The log-rank score of each time: the hazard passed through by then, less 1 if it ended. They add up to 0.

    Source: N. Mantel (1966), Evaluation of survival data and two new rank order statistics; R. Peto and J. Peto
    (1972), Asymptotically efficient rank invariant test procedures, JRSS A 135.
    """
    times, place = np.unique(seconds, return_inverse=True)
    ended = np.bincount(place, is_done, len(times))
    at_risk = np.cumsum(np.bincount(place, minlength=len(times))[::-1])[::-1]
    passed = np.cumsum(ended / at_risk)
    result: Floats = passed[place] - is_done
    return result


def slow_stretches(days: ArrayLike, seconds: ArrayLike, is_done: ArrayLike) -> list[SlowStretch] | None:
    """The slow stretches of requests (their day as a whole number, time, and whether it ended), in order of days.

    None where there are too few days or requests to tell. The first stretch is searched at 5 %; only where there is one
    is another searched, among the days that are left.
    """
    day = np.asarray(days, dtype=np.int64)
    if not len(day):
        return None
    first, span = int(day.min()), int(day.max() - day.min()) + 1
    if span < FEWEST_DAYS or len(day) < FEWEST_REQUESTS:
        return None
    found: list[SlowStretch] = []
    score = scores(np.asarray(seconds, dtype=np.float64), np.asarray(is_done, dtype=np.bool_))
    excess: Floats = np.bincount(day - first, score, span).astype(np.float64)
    counts: Floats = np.bincount(day - first, minlength=span).astype(np.float64)
    while len(found) < _MOST_STRETCHES:
        stretch = _clearest(excess, counts)
        if stretch is None or stretch.p_value > SLOW_LEVEL:
            break
        found.append(stretch)
        inside = slice(stretch.first, stretch.last + 1)
        # What is left is judged by itself: the days outside, against their own mean.
        excess[inside], counts[inside] = 0.0, 0.0
        total = counts.sum()
        excess = excess - counts * (excess.sum() / total if total else 0.0)
    return sorted(
        (SlowStretch(one.first + first, one.last + first, one.count, one.p_value) for one in found),
        key=lambda one: one.first,
    )


def _clearest(excess: Floats, counts: Floats) -> SlowStretch | None:
    """The stretch whose requests took longest for their number, with the share of random orders that show as much."""
    clarity = _clarity(excess[None, :], counts[None, :])
    if clarity is None:
        return None
    best = {length: (float(values[0].max()), int(values[0].argmax())) for length, values in clarity.items()}
    length = max(best, key=lambda one: best[one][0])
    highest, start = best[length]
    if highest <= 0:
        return None
    first, last = _trimmed(excess, counts, start, start + length)
    as_clear = 0
    chance = np.random.default_rng(_SEED)
    for begun in range(0, _ORDERS, _ORDERS_AT_ONCE):
        orders = _orders(chance, len(excess), min(_ORDERS_AT_ONCE, _ORDERS - begun))
        shown = _clarity(excess[orders], counts[orders])
        assert shown is not None
        most = np.max([values.max(axis=1) for values in shown.values()], axis=0)
        as_clear += int((most >= highest * (1 - 1e-12)).sum())
    inside = int(counts[first : last + 1].sum())
    return SlowStretch(first, last, inside, (as_clear + 1) / (_ORDERS + 1))


def _clarity(excess: Floats, counts: Floats) -> dict[int, Floats] | None:
    """For each order (row) and each length: how far each stretch of so many days is above what its count explains."""
    total = float(counts[0].sum())
    if total < FEWEST_REQUESTS:
        return None
    found = {}
    sums, numbers = (np.concatenate((np.zeros((len(one), 1)), one.cumsum(axis=1)), axis=1) for one in (excess, counts))
    for length in LENGTHS:
        if length >= excess.shape[1]:
            break
        inside = numbers[:, length:] - numbers[:, :-length]
        above = sums[:, length:] - sums[:, :-length]
        is_one = (inside >= FEWEST_IN_STRETCH) & (inside <= _LARGEST_SHARE * total)
        spread = np.sqrt(np.where(is_one, inside * (1 - inside / total), 1.0))
        found[length] = np.where(is_one, above / spread, 0.0)
    return found


def _orders(chance: np.random.Generator, length: int, count: int) -> NDArray[np.int64]:
    """Random orders of days, one a row, in which each day keeps its weekday."""
    orders = np.empty((count, length), dtype=np.int64)
    for weekday in range(_WEEK):
        places = np.arange(weekday, length, _WEEK)
        orders[:, places] = places[np.argsort(chance.random((count, len(places))), axis=1)]
    return orders


def _trimmed(excess: Floats, counts: Floats, start: int, end: int) -> tuple[int, int]:
    """The first and last day of the stretch nearby that is clearest: lengths are searched in steps, days are not."""
    sums, numbers = np.concatenate(([0.0], excess.cumsum())), np.concatenate(([0.0], counts.cumsum()))
    total, reach = numbers[-1], (end - start) // 2 + 1
    best, edges = -np.inf, (start, end)
    for first in range(max(0, start - reach), start + reach):
        lasts = np.arange(max(first + LENGTHS[0], end - reach), min(len(excess), end + reach) + 1)
        lasts = lasts[lasts > first]
        if not len(lasts):
            continue
        inside = numbers[lasts] - numbers[first]
        is_one = (inside >= FEWEST_IN_STRETCH) & (inside <= _LARGEST_SHARE * total)
        spread = np.sqrt(np.where(is_one, inside * (1 - inside / total), 1.0))
        clarity = np.where(is_one, (sums[lasts] - sums[first]) / spread, -np.inf)
        if clarity.max() > best:
            best, edges = float(clarity.max()), (first, int(lasts[clarity.argmax()]))
    return edges[0], edges[1] - 1
