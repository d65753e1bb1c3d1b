"""Seasons: do the hours of the day, or the days of the week, differ by more than chance?

What is counted in each position of a cycle is set against what would be counted there without a season. Each turn of
events (a week, a day of sending) is one witness, however many acts it holds: a season has to come back. Without one a
witness could as well have been as far above as it was below; so the sum over all witnesses is judged against the same
sums with their signs drawn at random. That allows for acts that come in bursts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipelines.statistics.estimate import Floats

#: Level below which a cycle is called a season, and a position of it high or low.
SEASON_LEVEL = 0.05
#: Witnesses a test needs: eight have 128 different draws of signs.
FEWEST_WITNESSES = 8
#: Counted acts a test needs, per position: fewer are too uneven for signs to stand for chance.
FEWEST_COUNTED = 5
_DRAWS = 9_999
_DRAWS_AT_ONCE = 1_000
_SEED = 1908


@dataclass(frozen=True)
class Season:
    """A test of a cycle against no season.

    `p_value` is None where there is too little to judge by; `is_blind` where no amount would do, since without a season
    nothing else could have been counted (all causes at one time, all acts in one position). `position_p_values` are of
    each position alone, adjusted for all positions of the cycle; `expected` is what would be counted in each position
    without a season.
    """

    statistic: float
    p_value: float | None
    position_p_values: Floats
    expected: Floats
    witnesses: int
    counted: int
    is_blind: bool


def within_turns(counted: ArrayLike, base: ArrayLike) -> tuple[Floats, Floats]:
    """What each turn of a cycle adds to each position, beyond its share, and that share: both as (turn, position).

    `counted` of `base` are by turn and position. A position's share of a turn's acts is its share of the turn's base:
    so neither a level that moves from turn to turn nor a base that is uneven inside of it is taken for a season.
    """
    acts, room = np.asarray(counted, dtype=np.float64), np.asarray(base, dtype=np.float64)
    whole = room.sum(axis=1, keepdims=True)
    shares = np.divide(room, whole, out=np.zeros_like(room), where=whole > 0) * acts.sum(axis=1, keepdims=True)
    return acts - shares, shares


def beyond_delay(
    turns: ArrayLike, causes: ArrayLike, effects: ArrayLike, counts: ArrayLike, *, bins: int, positions: int
) -> tuple[Floats, Floats]:
    """What each turn adds to each position of the cycle, beyond what the times of causes and the usual delays explain.

    Each row says how many (`counts`) effects of a turn had their cause in one bin of the cycle and came in another;
    `positions` equal parts of the `bins` are told apart. Without a season of its own an effect's delay does not depend
    on when its cause was; so any cause could have had any effect's delay. Returns (turn, position) twice: each row's
    distance from that, of which the sum over the turns is the observed counts less the expected ones, and the expected.

    Source: W. Hoeffding (1951), A combinatorial central limit theorem, Annals of Mathematical Statistics 22: the first
    term of his expansion is the distance.
    """
    turn, of_turn = np.unique(np.asarray(turns), return_inverse=True)
    cause, effect = np.asarray(causes, dtype=np.int64), np.asarray(effects, dtype=np.int64)
    weight = np.asarray(counts, dtype=np.float64)
    delay, total, width = (effect - cause) % bins, weight.sum(), bins // positions
    cause_shares = np.bincount(cause, weight, bins) / total
    delay_shares = np.bincount(delay, weight, bins) / total
    # by_cause[c, p]: how likely the effect of a cause at c falls into p, over all delays; by_delay likewise.
    place = ((np.arange(bins)[:, np.newaxis] + np.arange(bins)[np.newaxis, :]) % bins) // width
    by_cause, by_delay = np.zeros((bins, positions)), np.zeros((bins, positions))
    for position in range(positions):
        here = place == position
        by_cause[:, position] = here @ delay_shares
        by_delay[:, position] = cause_shares @ here
    expected = cause_shares @ by_cause
    seen = np.zeros((len(cause), positions))
    seen[np.arange(len(cause)), effect // width] = 1.0
    distances = (seen - by_cause[cause] - by_delay[delay] + expected) * weight[:, np.newaxis]
    size = len(turn)
    columns = [np.bincount(of_turn, distances[:, position], size) for position in range(positions)]
    return np.column_stack(columns), np.outer(np.bincount(of_turn, weight, size), expected)


def season(distances: ArrayLike, expected: ArrayLike) -> Season:
    """The test of a cycle, from what each witness adds to each position beyond what is expected, and the expected.

    Both are (witness, position). The statistic is Pearson's, of the sums over all witnesses; its p value is the share
    of draws of signs that give as much. A position's own p value compares its part of the statistic with the greatest
    part of any position in each draw.

    Source: R. A. Fisher (1935), The design of experiments, section 21, for the signs; P. H. Westfall and S. S. Young
    (1993), Resampling-based multiple testing, for the adjusted p values.
    """
    from_each, without = np.asarray(distances, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    totals, sums = without.sum(axis=0), from_each.sum(axis=0)
    used = totals > 0
    is_witness = (np.abs(from_each) > 1e-9).any(axis=1)
    witnesses, counted = int(is_witness.sum()), round(float(without.sum()))
    nothing = np.full(len(totals), np.nan)
    is_enough = counted >= FEWEST_COUNTED * used.sum()
    if witnesses < FEWEST_WITNESSES or not is_enough:
        return Season(0.0, None, nothing, totals, witnesses, counted, is_enough and not witnesses and counted > 0)
    each, room = from_each[is_witness][:, used], totals[used]
    residuals = sums[used] ** 2 / room
    statistic = float(residuals.sum())
    chance = np.random.default_rng(_SEED)
    as_great, as_high, drawn = 0, np.zeros(len(room), dtype=np.int64), 0
    while drawn < _DRAWS:
        count = min(_DRAWS_AT_ONCE, _DRAWS - drawn)
        signs = chance.integers(0, 2, (count, len(each)), dtype=np.int8) * 2.0 - 1.0
        others = (signs @ each) ** 2 / room
        # Sums in another order round differently.
        as_great += int((others.sum(axis=1) >= statistic * (1 - 1e-9)).sum())
        as_high += (others.max(axis=1)[:, np.newaxis] >= residuals * (1 - 1e-9)).sum(axis=0)
        drawn += count
    by_position = nothing.copy()
    by_position[used] = (as_high + 1) / (drawn + 1)
    return Season(statistic, (as_great + 1) / (drawn + 1), by_position, totals, witnesses, counted, False)


def directions(tested: Season, distances: ArrayLike) -> NDArray[np.int64]:
    """1 for each position above the rest beyond chance, -1 below, 0 neither; all 0 without a season."""
    sums = np.asarray(distances, dtype=np.float64).sum(axis=0)
    if tested.p_value is None or tested.p_value >= SEASON_LEVEL:
        return np.zeros(len(sums), dtype=np.int64)
    return np.where(tested.position_p_values < SEASON_LEVEL, np.sign(sums), 0).astype(np.int64)
