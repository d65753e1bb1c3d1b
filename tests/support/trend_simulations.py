"""Simulations of the statistics of trends: how often intervals hold the truth, and how often noise is named.

`python -m tests.support.trend_simulations` prints the rates that docs/definitions.md shows, in some minutes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from pipelines.statistics.changes import change_points
from pipelines.statistics.intervals import wilson_interval
from pipelines.statistics.seasons import beyond_delay, season, within_turns
from pipelines.statistics.trends import likeness, mann_kendall, theil_sen
from pipelines.statistics.two_shares import difference_of_shares, score_test

QUARTERS = 96

#: One run: yes, no, or nothing to say.
Once = Callable[[np.random.Generator], bool | None]


def rate(runs: int, seed: int, once: Once) -> float:
    """The share of runs that say yes, of those that say anything."""
    chance = np.random.default_rng(seed)
    said = [answer for answer in (once(chance) for _ in range(runs)) if answer is not None]
    return sum(said) / len(said)


def series(chance: np.random.Generator, length: int, alike: float = 0.0, slope: float = 0.0) -> np.ndarray:
    """A normal series whose neighbours correlate by `alike`, on a slope."""
    values = np.empty(length)
    values[0] = chance.normal()
    for place in range(1, length):
        values[place] = alike * values[place - 1] + math.sqrt(1 - alike**2) * chance.normal()
    return values + slope * np.arange(length)


def counts(
    chance: np.random.Generator, shares: np.ndarray, reached: np.ndarray, scatter: float = 0.0, alike: float = 0.0
) -> np.ndarray:
    """Binomial counts; with `scatter` (an intraclass correlation) beta-binomial, of neighbours that are `alike`."""
    if not scatter:
        return chance.binomial(reached, shares)
    from scipy.stats import beta, norm

    worth = 1 / scatter - 1
    return chance.binomial(
        reached, beta.ppf(norm.cdf(series(chance, len(shares), alike)), shares * worth, (1 - shares) * worth)
    )


def sizes(chance: np.random.Generator, kind: str, length: int, reached: int) -> np.ndarray:
    """Contacts reached by period: `even`, `growing` twentyfold, or `uneven`."""
    if kind == "growing":
        return np.round(np.geomspace(reached / 20, reached, length)).astype(np.int64)
    return chance.integers(reached // 10, reached, length) if kind == "uneven" else np.full(length, reached)


def wilson_covers(share: float, reached: int) -> Callable[[np.random.Generator], bool]:
    """Whether Wilson's interval holds the share."""

    def once(chance: np.random.Generator) -> bool:
        lower, upper = wilson_interval(chance.binomial(reached, share), reached)
        return bool(lower[0] <= share <= upper[0])

    return once


def newcombe_covers(now: tuple[float, int], before: tuple[float, int]) -> Callable[[np.random.Generator], bool]:
    """Whether Newcombe's interval holds the difference of two (share, reached)."""

    def once(chance: np.random.Generator) -> bool:
        drawn = [(int(chance.binomial(reached, share)), reached) for share, reached in (now, before)]
        found = difference_of_shares(drawn[0], drawn[1])
        assert found.lower is not None
        assert found.upper is not None
        return bool(found.lower <= now[0] - before[0] <= found.upper)

    return once


def sen_covers(length: int, alike: float) -> Callable[[np.random.Generator], bool]:
    """Whether Sen's interval holds a slope of 0.3 scatters a period."""

    def once(chance: np.random.Generator) -> bool:
        found = theil_sen(range(length), series(chance, length, alike, 0.3))
        assert found.lower is not None
        assert found.upper is not None
        return bool(found.lower <= 0.3 <= found.upper)

    return once


def trend_is_named(
    length: int, alike: float, slope: float = 0.0, *, corrected: bool = False
) -> Callable[[np.random.Generator], bool]:
    """Whether a series is called a trend, by the plain p value or the corrected one."""

    def once(chance: np.random.Generator) -> bool:
        values = series(chance, length, alike, slope)
        test = mann_kendall(values)
        return (likeness(range(length), values, test).p_value if corrected else test.p_value) < 0.05

    return once


def hamed_and_rao_name_a_trend(length: int) -> Once:
    """Whether a series of unlike weeks is called a trend by Hamed and Rao's estimate from all significant lags."""

    def once(chance: np.random.Generator) -> bool:
        from scipy.stats import rankdata

        values = series(chance, length)
        slope = theil_sen(range(length), values).value
        assert slope is not None
        ranks = rankdata(values - slope * np.arange(length))
        ranks -= ranks.mean()
        growth = 1.0
        for lag in range(1, length - 2):
            alike = float((ranks[lag:] * ranks[:-lag]).sum() / (ranks**2).sum())
            if abs(alike) >= 1.96 / math.sqrt(length):
                pairs = (length - lag) * (length - lag - 1) * (length - lag - 2)
                growth += 2 / (length * (length - 1) * (length - 2)) * pairs * alike
        return math.erfc(abs(mann_kendall(values).z) / math.sqrt(max(growth, 0.1)) / math.sqrt(2)) < 0.05

    return once


def change_is_named(
    length: int, reached: int, share: float, kind: str = "even", scatter: float = 0.0, alike: float = 0.0
) -> Callable[[np.random.Generator], bool]:
    """Whether a rate that never changes shows a change of level."""

    def once(chance: np.random.Generator) -> bool:
        whole = sizes(chance, kind, length, reached)
        return bool(change_points(counts(chance, np.full(length, share), whole, scatter, alike), whole))

    return once


def step_is_found(
    length: int, reached: int, shares: tuple[float, float], at: int, scatter: float = 0.0, within: int = 1
) -> Callable[[np.random.Generator], bool]:
    """Whether a step is found, as the one change there is, within so many weeks of its own."""

    def once(chance: np.random.Generator) -> bool:
        levels = np.where(np.arange(length) < at, *shares)
        whole = np.full(length, reached)
        found = [change.first for change in change_points(counts(chance, levels, whole, scatter), whole)]
        return len(found) == 1 and abs(found[0] - at) <= within

    return once


def weekday_is_named(
    weeks: int, reached: tuple[int, ...], share: float, scatter: float = 0.0, weekend: float = 1.0
) -> Callable[[np.random.Generator], bool | None]:
    """Whether weekdays are called a season, the last two having `weekend` times the rate of the others."""

    def once(chance: np.random.Generator) -> bool | None:
        whole = chance.poisson(np.tile(reached, (weeks, 1)))
        shares = np.tile(share * np.array([1, 1, 1, 1, 1, weekend, weekend]), (weeks, 1))
        left = counts(chance, shares.ravel(), whole.ravel(), scatter).reshape(whole.shape)
        found = season(*within_turns(left, whole)).p_value
        return None if found is None else found < 0.05

    return once


def hour_is_named(days: int, a_day: float, *, bursts: bool = False, asleep: float = 0.0) -> Once:
    """Whether hours are called a season: messages by day, opt-outs some hours later, `asleep` of them lost at night.

    With `bursts` all opt-outs of a day have one message and one delay.
    """

    def once(chance: np.random.Generator) -> bool | None:
        turns, causes, effects = [], [], []
        for day in range(days):
            number = chance.poisson(a_day)
            each = 1 if bursts else number
            sent = np.resize(chance.integers(36, 76, max(each, 1)), number)
            asked = (sent + np.resize(np.floor(chance.gamma(0.6, 20, max(each, 1))), number).astype(int)) % QUARTERS
            kept = (asked >= 28) | (chance.random(number) >= asleep)
            turns += [day] * int(kept.sum())
            causes += list(sent[kept])
            effects += list(asked[kept])
        if not turns:
            return None
        found = season(*beyond_delay(turns, causes, effects, np.ones(len(turns)), bins=QUARTERS, positions=24)).p_value
        return None if found is None else found < 0.05

    return once


def year_is_named(share: float, reached: int) -> Callable[[np.random.Generator], bool]:
    """Whether two equal shares are called different."""

    def once(chance: np.random.Generator) -> bool:
        drawn = [(int(chance.binomial(reached, share)), reached) for _ in range(2)]
        found = score_test(drawn[0], drawn[1])
        return found is not None and found < 0.05

    return once


def cases() -> Iterator[tuple[str, str, Once, int, float]]:
    """What is simulated: its part, its circumstances, one run, the number of runs, the rate that was measured."""
    yield from _intervals()
    yield from _trends()
    yield from _changes()
    yield from _seasons_and_years()


def _intervals() -> Iterator[tuple[str, str, Once, int, float]]:
    part = "Wilson's interval holds the share"
    yield part, "1 % of 2,500", wilson_covers(0.01, 2_500), 20_000, 0.947
    yield part, "1 % of 100", wilson_covers(0.01, 100), 20_000, 0.921
    yield part, "20 % of 50", wilson_covers(0.2, 50), 20_000, 0.952
    part = "Newcombe's interval holds the difference"
    yield part, "1 % of 2,500 and 1.5 % of 2,000", newcombe_covers((0.01, 2_500), (0.015, 2_000)), 10_000, 0.951
    yield part, "1 % of 200 and 1 % of 200", newcombe_covers((0.01, 200), (0.01, 200)), 10_000, 0.982
    part = "Sen's interval holds the slope"
    yield part, "12 weeks", sen_covers(12, 0.0), 3_000, 0.957
    yield part, "6 weeks", sen_covers(6, 0.0), 3_000, 0.984
    yield part, "12 weeks, alike by 0.4", sen_covers(12, 0.4), 3_000, 0.843


def _trends() -> Iterator[tuple[str, str, Once, int, float]]:
    named, allowed = "A trend is named, there is none", "The same, likeness allowed for"
    for alike, plain, corrected in ((0.0, 0.043, 0.028), (0.2, 0.087, 0.053), (0.4, 0.157, 0.080), (0.6, 0.253, 0.116)):
        weeks = f"12 weeks, alike by {alike}" if alike else "12 weeks"
        yield named, weeks, trend_is_named(12, alike), 3_000, plain
        yield allowed, weeks, trend_is_named(12, alike, corrected=True), 3_000, corrected
    yield "The same, by Hamed and Rao's estimate", "12 weeks", hamed_and_rao_name_a_trend(12), 3_000, 0.076
    named, steep = "A trend is named, there is one", "12 weeks that rise by 0.3 of their scatter a week"
    yield named, steep, trend_is_named(12, 0.0, 0.3), 3_000, 0.830
    yield allowed, steep, trend_is_named(12, 0.0, 0.3, corrected=True), 3_000, 0.688


def _changes() -> Iterator[tuple[str, str, Once, int, float]]:
    part, wild = "A change of level is named, there is none", "52 weeks, 1 % of 3,000, 7 times the scatter"
    yield part, "12 weeks, 1 % of 2,500", change_is_named(12, 2_500, 0.01), 1_000, 0.038
    yield part, "26 weeks, 1 % of 2,500", change_is_named(26, 2_500, 0.01), 1_000, 0.044
    yield part, "52 weeks, 1 % of 40", change_is_named(52, 40, 0.01), 1_000, 0.043
    yield part, "52 weeks, 1 % of 150 growing to 3,000", change_is_named(52, 3_000, 0.01, "growing"), 1_000, 0.057
    yield part, wild, change_is_named(52, 3_000, 0.01, "even", 0.002), 1_000, 0.043
    yield part, f"{wild}, uneven weeks", change_is_named(52, 3_000, 0.01, "uneven", 0.002), 1_000, 0.046
    yield part, f"{wild}, alike by 0.3", change_is_named(52, 3_000, 0.01, "even", 0.002, 0.3), 1_000, 0.110
    yield part, f"{wild}, alike by 0.5", change_is_named(52, 3_000, 0.01, "even", 0.002, 0.5), 1_000, 0.143
    part = "A step is found within a week, and nothing else"
    yield part, "26 weeks, 1 % to 2 % of 2,500", step_is_found(26, 2_500, (0.01, 0.02), 13), 400, 0.945
    yield part, "52 weeks, 1 % to 1.5 % of 2,500", step_is_found(52, 2_500, (0.01, 0.015), 30), 400, 0.872
    yield part, f"{wild}, then 2 %", step_is_found(52, 3_000, (0.01, 0.02), 30, 0.002), 400, 0.725


def _seasons_and_years() -> Iterator[tuple[str, str, Once, int, float]]:
    part, even, blast = "Weekdays are named, they are equal", (1_000,) * 7, (100, 3_000, 100, 100, 100, 20, 20)
    yield part, "12 weeks, 1 % of 1,000 a day", weekday_is_named(12, even, 0.01), 1_500, 0.050
    yield part, "27 weeks, 1 % of 30 a day", weekday_is_named(27, (30,) * 7, 0.01), 1_500, 0.044
    yield part, "27 weeks, wild, most reached on Tuesdays", weekday_is_named(27, blast, 0.01, 0.005), 1_500, 0.048
    part, weeks = "Weekdays are named, weekends have 1.5 times the rate", "27 weeks, 1 % of 1,000 a day"
    yield part, weeks, weekday_is_named(27, even, 0.01, 0, 1.5), 300, 1.0
    part = "Hours are named, there is no season"
    yield part, "60 days, 4 opt-outs a day", hour_is_named(60, 4), 1_000, 0.041
    yield part, "180 days, 4 opt-outs a day, in bursts", hour_is_named(180, 4, bursts=True), 1_000, 0.046
    part = "Hours are named, half of the requests before 7:00 never come"
    yield part, "180 days, 40 opt-outs a day", hour_is_named(180, 40, asleep=0.5), 100, 1.0
    yield "Two equal months are called different", "2 % of 3,000", year_is_named(0.02, 3_000), 10_000, 0.053


if __name__ == "__main__":
    for part, circumstances, once, runs, _ in cases():
        print(f"| {part} | {circumstances} | {100 * rate(runs, 7, once):.1f} % | {runs:,} |", flush=True)
