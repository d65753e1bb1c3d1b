"""The statistics of trends against scipy, statsmodels and slow plain Python, on many random inputs."""

from __future__ import annotations

import math
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportions_chisquare
from statsmodels.tsa.stattools import acf

from pipelines.statistics.changes import SHORTEST_LEVEL, change_points
from pipelines.statistics.seasons import beyond_delay, season, within_turns
from pipelines.statistics.trends import (
    lag_one_autocorrelation,
    likeness,
    mann_kendall,
    theil_sen,
    variance_under_likeness,
)
from pipelines.statistics.two_shares import score_test
from tests.support import trend_simulations as simulations

values = st.lists(st.integers(0, 20), min_size=6, max_size=12)
shares = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


# Mann-Kendall, its tau, and what neighbours have in common


@given(values)
@settings(deadline=None)
def test_tau_is_scipys(numbers: list[int]) -> None:
    tau = mann_kendall(numbers).tau
    if len(set(numbers)) == 1:
        assert tau is None
    else:
        assert tau == pytest.approx(stats.kendalltau(range(len(numbers)), numbers).statistic, abs=1e-12)


@given(st.lists(st.floats(-100, 100).map(lambda number: round(number, 3)), min_size=6, max_size=30))
@settings(deadline=None)
def test_the_autocorrelation_is_statsmodels_of_the_residuals(numbers: list[float]) -> None:
    found = lag_one_autocorrelation(range(len(numbers)), numbers)
    slope = theil_sen(range(len(numbers)), numbers).value
    assert slope is not None
    residuals = np.array(numbers) - slope * np.arange(len(numbers))
    if found is None:
        assert np.ptp(residuals) <= 1e-6
    else:
        assert found == pytest.approx(acf(residuals, nlags=1, fft=False)[1], abs=1e-9)


def test_gaps_leave_the_neighbours_that_there_are() -> None:
    # Weeks 0 1 2 4 5 7: neighbours are (0, 1), (1, 2) and (4, 5). Without a slope in them the residuals of
    # 3 -3 3 -3 3 -3 are themselves; three products of -9 stand for five: 5 * -9 / 54.
    positions, numbers = [0, 1, 2, 4, 5, 7], [3, -3, 3, -3, 3, -3]
    slope = theil_sen(positions, numbers).value
    assert slope is not None
    residuals = np.array(numbers) - slope * np.array(positions)
    residuals -= residuals.mean()
    products = [residuals[0] * residuals[1], residuals[1] * residuals[2], residuals[3] * residuals[4]]
    expected = 5 * np.mean(products) / (residuals**2).sum()
    assert lag_one_autocorrelation(positions, numbers) == pytest.approx(expected)
    assert lag_one_autocorrelation([0, 2, 4, 6, 8, 10], numbers) is None


@given(st.integers(6, 12))
def test_without_likeness_the_variance_is_mann_kendalls(length: int) -> None:
    expected = length * (length - 1) * (2 * length + 5) / 18
    assert variance_under_likeness(range(length), 0.0) == pytest.approx(expected, rel=1e-12)


@given(st.sets(st.integers(0, 11), min_size=6, max_size=8), st.sampled_from([0.2, 0.5, 0.8]))
@settings(max_examples=8, deadline=None)
def test_the_variance_under_likeness_is_the_sum_of_all_covariances(places: set[int], alike: float) -> None:
    # The signs of two differences correlate by 2 / pi asin(r), r being the correlation of the differences.
    weeks = sorted(places)
    pairs = list(combinations(weeks, 2))

    def covariance(one: tuple[int, int], other: tuple[int, int]) -> float:
        return sum(
            sign * alike ** abs(one[i] - other[j]) for i, j, sign in ((1, 1, 1), (1, 0, -1), (0, 1, -1), (0, 0, 1))
        )

    total = 0.0
    for one in pairs:
        for other in pairs:
            r = covariance(one, other) / math.sqrt(covariance(one, one) * covariance(other, other))
            total += 2 / math.pi * math.asin(min(1.0, max(-1.0, r)))
    assert variance_under_likeness(weeks, alike) == pytest.approx(total, rel=1e-9)


def test_the_variance_under_likeness_is_that_of_simulated_series() -> None:
    chance = np.random.default_rng(4)
    drawn = [mann_kendall(simulations.series(chance, 12, 0.5)).s for _ in range(4_000)]
    assert np.var(drawn) == pytest.approx(variance_under_likeness(range(12), 0.5), rel=0.08)


@given(values)
@settings(deadline=None)
def test_likeness_never_makes_a_trend_surer(numbers: list[int]) -> None:
    test = mann_kendall(numbers)
    alike = likeness(range(len(numbers)), numbers, test)
    assert test.p_value - 1e-12 <= alike.p_value <= 1
    if alike.corrected is not None:
        assert 0 <= alike.corrected <= 0.9


# Two shares


@given(shares, shares)
@settings(deadline=None)
def test_the_score_test_is_statsmodels(now: tuple[int, int], before: tuple[int, int]) -> None:
    found = score_test(now, before)
    if now[0] + before[0] in (0, now[1] + before[1]):
        assert found == 1
    else:
        expected = proportions_chisquare([now[0], before[0]], [now[1], before[1]])[1]
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert score_test(before, now) == found


def test_a_share_of_nothing_has_no_test() -> None:
    assert score_test((0, 0), (1, 2)) is None


# Changes of level


@given(st.integers(1, 10**6), st.integers(8, 30), st.sampled_from([40, 400, 4_000]))
@settings(max_examples=60, deadline=None)
def test_what_is_found_is_in_order_long_enough_and_within_its_bounds(seed: int, length: int, reached: int) -> None:
    chance = np.random.default_rng(seed)
    levels = np.where(np.arange(length) < chance.integers(0, length), 0.02, 0.06)
    whole = chance.integers(reached // 2, reached, length)
    left = chance.binomial(whole, levels)
    found = change_points(left, whole)
    edges = [0, *(change.first for change in found), length]
    assert all(later - earlier >= SHORTEST_LEVEL for earlier, later in pairwise(edges))
    for place, change in enumerate(found):
        start, end = edges[place], edges[place + 2]
        assert start < change.earliest <= change.first <= change.latest < end
        assert (change.numerator_before, change.denominator_before) == (
            left[start : change.first].sum(),
            whole[start : change.first].sum(),
        )
        assert change.before.value == change.numerator_before / change.denominator_before
        assert change.before.lower is not None
        assert change.before.upper is not None
        assert change.before.lower <= change.before.value <= change.before.upper
        assert 0 < change.p_value <= 0.05
    assert change_points(left, whole) == found


@given(st.integers(1, 10**6), st.integers(12, 24))
@settings(max_examples=40, deadline=None)
def test_a_clear_step_is_where_the_likelihood_is_highest(seed: int, length: int) -> None:
    chance = np.random.default_rng(seed)
    at = int(chance.integers(SHORTEST_LEVEL, length - SHORTEST_LEVEL + 1))
    whole = np.full(length, 5_000)
    left = chance.binomial(whole, np.where(np.arange(length) < at, 0.01, 0.05))

    def likelihood(cut: int) -> float:
        parts = ((left[:cut].sum(), whole[:cut].sum()), (left[cut:].sum(), whole[cut:].sum()))
        return sum(k * math.log(k / n) + (n - k) * math.log(1 - k / n) for k, n in parts)

    best = max(range(SHORTEST_LEVEL, length - SHORTEST_LEVEL + 1), key=likelihood)
    assert best in [change.first for change in change_points(left, whole)]
    assert best == at


@given(st.integers(1, 10**6))
@settings(max_examples=15, deadline=None)
def test_a_falling_rate_changes_where_its_mirror_rises(seed: int) -> None:
    chance = np.random.default_rng(seed)
    whole = np.full(30, 1_000)
    left = chance.binomial(whole, np.where(np.arange(30) < 17, 0.04, 0.02))
    mirrored = change_points(whole - left, whole)
    assert [change.first for change in change_points(left, whole)] == [change.first for change in mirrored]


@pytest.mark.parametrize("left", [[0] * 12, [5] * 12])
def test_a_rate_that_never_moves_never_changes(left: list[int]) -> None:
    assert change_points(left, [5] * 12) == []


def test_too_few_periods_have_no_change() -> None:
    assert change_points([0, 0, 0, 0, 90, 90, 90], [100] * 7) == []


def test_a_stretch_that_returns_has_two_changes() -> None:
    chance = np.random.default_rng(11)
    whole = np.full(60, 3_000)
    away = (np.arange(60) >= 28) & (np.arange(60) < 33)
    found = change_points(chance.binomial(whole, np.where(away, 0.03, 0.01)), whole)
    assert [change.first for change in found] == [28, 33]


def test_a_slow_drift_is_said_to_be_one() -> None:
    chance = np.random.default_rng(12)
    whole = np.full(40, 20_000)
    found = change_points(chance.binomial(whole, np.linspace(0.01, 0.02, 40)), whole)
    assert found
    assert all(change.is_drift for change in found)
    step = change_points(chance.binomial(whole, np.where(np.arange(40) < 20, 0.01, 0.02)), whole)
    assert [(change.first, change.is_drift) for change in step] == [(20, False)]


# Seasons

tables = st.lists(
    st.lists(st.integers(0, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=7, max_size=7),
    min_size=1, max_size=6,
)  # fmt: skip


@given(tables)
def test_a_turn_gives_each_position_its_share_of_the_turns_acts(turns: list[list[tuple[int, int]]]) -> None:
    acts = [[counted for counted, _ in turn] for turn in turns]
    room = [[base for _, base in turn] for turn in turns]
    distances, expected = within_turns(acts, room)
    for turn in range(len(turns)):
        for position in range(7):
            whole = sum(room[turn])
            share = sum(acts[turn]) * room[turn][position] / whole if whole else 0
            assert expected[turn, position] == pytest.approx(share)
            assert distances[turn, position] == pytest.approx(acts[turn][position] - share)


effects = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 11), st.integers(0, 11)), min_size=2, max_size=25)


@given(effects)
@settings(deadline=None)
def test_expected_hours_are_those_of_every_cause_with_every_delay(rows: list[tuple[int, int, int]]) -> None:
    turns, causes, came = (list(column) for column in zip(*rows, strict=True))
    distances, expected = beyond_delay(turns, causes, came, np.ones(len(rows)), bins=12, positions=4)
    observed, mixed = np.zeros(4), np.zeros(4)
    for _, cause, effect in rows:
        observed[effect // 3] += 1
        for _, other_cause, other_effect in rows:
            mixed[((cause + other_effect - other_cause) % 12) // 3] += 1 / len(rows)
    assert expected.sum(axis=0) == pytest.approx(mixed)
    assert distances.sum(axis=0) == pytest.approx(observed - mixed, abs=1e-9)
    # Rows said together are rows said one by one.
    once = sorted(set(rows))
    counted = [rows.count(row) for row in once]
    together = beyond_delay(*([row[column] for row in once] for column in range(3)), counted, bins=12, positions=4)
    assert together[0] == pytest.approx(distances, abs=1e-9)


@given(effects)
@settings(deadline=None)
def test_the_distances_have_the_variance_of_delays_dealt_anew(rows: list[tuple[int, int, int]]) -> None:
    # Hoeffding: had the delays been dealt anew among the causes, the counts would vary by the mean over all pairs of
    # cause and delay of the squared distance, n / (n - 1) times. Each pair's distance is what beyond_delay gives it.
    n = len(rows)
    pairs = [(cause, (cause + came - sent) % 12) for _, cause, _ in rows for _, sent, came in rows]
    crossed = beyond_delay(range(n * n), *zip(*pairs, strict=True), np.ones(n * n), bins=12, positions=4)[0]
    chance = np.random.default_rng(3)
    causes = np.array([cause for _, cause, _ in rows])
    delays = np.array([(came - sent) % 12 for _, sent, came in rows])
    dealt = [np.bincount(((causes + chance.permutation(delays)) % 12) // 3, minlength=4) for _ in range(400)]
    variances = (crossed**2).sum(axis=0) / (n - 1)
    assert np.var(dealt, axis=0) == pytest.approx(variances, rel=0.35, abs=0.15)


def test_the_statistic_of_one_even_cycle_is_pearsons() -> None:
    chance = np.random.default_rng(2)
    acts = chance.integers(5, 30, (20, 7))
    tested = season(*within_turns(acts, np.full((20, 7), 100)))
    assert tested.statistic == pytest.approx(stats.chisquare(acts.sum(axis=0)).statistic)


def test_few_witnesses_are_all_asked() -> None:
    # Nine weeks have 512 draws of signs: the p value is near the share of those that give as much.
    chance = np.random.default_rng(8)
    acts = chance.poisson([9, 9, 9, 9, 9, 16, 9], (9, 7))
    distances, expected = within_turns(acts, np.full((9, 7), 100))
    tested = season(distances, expected)
    signs = np.array([[1 if draw >> week & 1 else -1 for week in range(9)] for draw in range(512)])
    every = ((signs @ distances) ** 2 / expected.sum(axis=0)).sum(axis=1)
    assert tested.p_value == pytest.approx((every >= tested.statistic - 1e-9).mean(), abs=0.02)


@pytest.mark.parametrize(
    ("acts", "is_blind"),
    [
        ([[4, 0, 0, 0, 0, 0, 0]] * 7, False),
        ([[1, 0, 0, 0, 0, 0, 1]] * 12, False),
        # One position of the base alone: nothing else could have been counted.
        ([[9, 0, 0, 0, 0, 0, 0]] * 12, True),
    ],
)
def test_too_little_to_judge_by(acts: list[list[int]], is_blind: bool) -> None:
    base = [[100, 0, 0, 0, 0, 0, 0]] * len(acts) if is_blind else [[100] * 7] * len(acts)
    tested = season(*within_turns(acts, base))
    assert (tested.p_value, tested.is_blind) == (None, is_blind)


# Simulations: coverage, and how often noise is named


SMALL = {"1 % of 2,500", "12 weeks, 1 % of 2,500", "12 weeks, 1 % of 1,000 a day", "2 % of 3,000"}
DEFINITIONS = Path(__file__).resolve().parents[2] / "docs" / "definitions.md"
Case = tuple[str, str, simulations.Once, int, float]
CASES = list(simulations.cases())


@pytest.mark.parametrize("case", [case for case in CASES if case[1] in SMALL], ids=lambda case: f"{case[0]}: {case[1]}")
def test_rates_in_a_small_simulation(case: Case) -> None:
    _, _, once, _, measured = case
    found = simulations.rate(120, 5, once)
    assert abs(found - measured) <= 3.5 * math.sqrt(measured * (1 - measured) / 120) + 0.01


def test_the_documented_rates_are_the_measured_ones() -> None:
    page = DEFINITIONS.read_text(encoding="utf-8")
    for part, circumstances, _, runs, measured in CASES:
        assert f"| {part} | {circumstances} | {100 * measured:.1f} % | {runs:,} |\n" in page


@pytest.mark.simulation
@pytest.mark.timeout(900)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}: {case[1]}")
def test_rates_are_those_documented(case: Case) -> None:
    _, _, once, runs, measured = case
    found = simulations.rate(runs, 7, once)
    assert abs(found - measured) <= 3.5 * math.sqrt(measured * (1 - measured) / runs) + 0.005
