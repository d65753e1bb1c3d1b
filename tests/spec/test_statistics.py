"""The statistics against published examples, other formulas and their own laws."""

from __future__ import annotations

import math
from datetime import date, timedelta
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipelines.statistics.estimate import Estimate
from pipelines.statistics.intervals import mean, wilson_interval
from pipelines.statistics.survival import kaplan_meier, quantile, restricted_mean
from pipelines.statistics.trends import mann_kendall, theil_sen, trend_direction, trend_label, trend_of_weeks

Z = 1.959963984540054

# Weeks in remission of 21 patients on 6-mercaptopurine (Freireich et al. 1963), the textbook example of Kaplan-Meier;
# a plus means still in remission when last seen.
REMISSION_TEXT = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
REMISSION = REMISSION_TEXT.split()
REMISSION_WEEKS = [float(text.rstrip("+")) for text in REMISSION]
REMISSION_ENDED = [not text.endswith("+") for text in REMISSION]

counts = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
spans = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=40)


# Wilson


@given(counts)
def test_wilson_bounds_are_where_the_score_test_gives_up(count: tuple[int, int]) -> None:
    successes, trials = count
    lower, upper = (float(bound[0]) for bound in wilson_interval(successes, trials))
    share = successes / trials
    assert 0 <= lower <= share <= upper <= 1
    # Each bound p solves |share - p| = z * sqrt(p (1 - p) / n).
    for bound in (lower, upper):
        assert abs(share - bound) == pytest.approx(Z * math.sqrt(max(0.0, bound * (1 - bound)) / trials), abs=1e-7)


@given(counts)
def test_wilson_agrees_with_scipy(count: tuple[int, int]) -> None:
    expected = stats.binomtest(*count).proportion_ci(0.95, method="wilson")
    lower, upper = wilson_interval(*count)
    assert (lower[0], upper[0]) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_takes_arrays_and_has_no_interval_without_trials() -> None:
    lower, upper = wilson_interval([0, 5, 10, 0], [10, 10, 10, 0])
    # 0 of 10: upper = z^2 / (n + z^2) = 3.8415 / 13.8415 = 0.2775; 10 of 10 mirrors it.
    assert lower[:3] == pytest.approx([0, 0.2366, 0.7225], abs=5e-5)
    assert upper[:3] == pytest.approx([0.2775, 0.7634, 1], abs=5e-5)
    assert np.isnan(lower[3])
    assert np.isnan(upper[3])


# Trends


def test_mann_kendall_by_hand() -> None:
    # 1 2 3 4 5 6: all 15 pairs rise, S = 15; variance = 6 * 5 * 17 / 18 = 28.333; z = 14 / 5.3229 = 2.6302.
    test = mann_kendall([1, 2, 3, 4, 5, 6])
    assert test.s == 15
    assert test.variance == pytest.approx(28.3333, abs=1e-4)
    assert test.z == pytest.approx(2.6302, abs=1e-4)
    assert test.p_value == pytest.approx(0.00853, abs=1e-5)


def test_mann_kendall_with_ties_by_hand() -> None:
    # 1 1 2 2 2 3: 11 pairs rise, 4 are ties, S = 11; ties of 2 and 3 take 2*1*9 + 3*2*11 = 84 from 510: 426 / 18.
    test = mann_kendall([1, 1, 2, 2, 2, 3])
    assert test.s == 11
    assert test.variance == pytest.approx(426 / 18)
    assert test.z == pytest.approx(10 / math.sqrt(426 / 18))


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=15))
def test_mann_kendall_counts_what_kendalls_tau_counts(values: list[int]) -> None:
    test = mann_kendall(values)
    assert test.s == sum((later > earlier) - (later < earlier) for earlier, later in combinations(values, 2))
    if len(set(values)) > 1:
        # tau-b = S / sqrt(pairs * pairs untied in value)
        pairs = len(values) * (len(values) - 1) / 2
        untied = pairs - sum(math.comb(values.count(value), 2) for value in set(values))
        tau = stats.kendalltau(range(len(values)), values).statistic
        assert test.s == pytest.approx(tau * math.sqrt(pairs * untied), abs=1e-9)
    mirrored = mann_kendall([-value for value in values])
    assert (mirrored.s, mirrored.variance, mirrored.p_value) == (-test.s, test.variance, test.p_value)
    assert 0 <= test.p_value <= 1


@pytest.mark.parametrize(
    ("values", "direction", "label"),
    [
        ([1, 2, 3, 4, 5, 6], 1, "Increasing"),
        ([6, 5, 4, 3, 2, 1], -1, "Decreasing"),
        # S = 13 - 2 = 11: z = 10 / 5.3229 = 1.879, p = 0.060
        ([2, 1, 3, 4, 6, 5], 0, "No clear trend"),
        ([3, 3, 3, 3, 3, 3], 0, "No clear trend"),
        ([1, 2, 3, 4, 5], None, "Not enough data"),
        ([], None, "Not enough data"),
    ],
)
def test_trend_direction(values: list[float], direction: int | None, label: str) -> None:
    assert trend_direction(values) == direction
    assert trend_label(trend_direction(values)) == label


@given(st.lists(st.integers(0, 1000), min_size=6, max_size=12))
def test_theil_sen_is_the_median_of_all_slopes(values: list[int]) -> None:
    estimate = theil_sen(range(len(values)), values)
    slopes = [(values[j] - values[i]) / (j - i) for i, j in combinations(range(len(values)), 2)]
    assert estimate.value == pytest.approx(float(np.median(slopes)))
    assert estimate.lower is not None
    assert estimate.upper is not None
    assert estimate.value is not None
    assert estimate.lower <= estimate.value <= estimate.upper


def test_theil_sen_interval_by_hand() -> None:
    # Sen 1968: six values have 15 slopes and sigma = 5.3229; (15 - 1.96 * 5.3229) / 2 = 2.28, so the bounds are the
    # second slope from the bottom and from the top.
    values = [1, 4, 9, 16, 25, 36]
    slopes = sorted((values[j] - values[i]) / (j - i) for i, j in combinations(range(6), 2))
    assert theil_sen(range(6), values) == Estimate(float(np.median(slopes)), slopes[1], slopes[13])


def test_theil_sen_needs_six_values() -> None:
    assert theil_sen(range(5), [1, 2, 3, 4, 5]) == Estimate(None)


def test_trend_of_weeks_takes_the_last_weeks_and_knows_the_gaps() -> None:
    last_week = date(2026, 11, 9)
    values = {last_week - timedelta(weeks=back): 100.0 - 2 * back for back in (0, 1, 3, 4, 6, 11)}
    values |= {last_week - timedelta(weeks=12): 900.0, last_week + timedelta(weeks=1): 900.0}
    trend = trend_of_weeks(values, last_week)
    # On a line of 2 a week every slope is 2, whatever weeks are missing.
    assert trend.slope == Estimate(2.0, 2.0, 2.0)
    assert (trend.direction, trend.weeks_used, trend.last_week) == (1, 6, last_week)


# Kaplan-Meier


def test_kaplan_meier_of_the_remission_data() -> None:
    curve = kaplan_meier(REMISSION_WEEKS, REMISSION_ENDED)
    assert curve.seconds.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert curve.events.tolist() == [3, 1, 1, 1, 1, 1, 1]
    # 18/21 = .8571, * 16/17 = .8067, * 14/15 = .7529, * 11/12 = .6902, * 10/11 = .6275, * 6/7 = .5378, * 5/6 = .4482
    published = [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert (1 - curve.share).tolist() == pytest.approx(published, abs=5e-5)
    # Greenwood log-log at week 6: sum = 3 / (21 * 18) = 0.0079365; 1.96 * sqrt(0.0079365) / |ln .8571| = 1.1327;
    # .8571 ** exp(1.1327) = 0.6197 and .8571 ** exp(-1.1327) = 0.9516 are still in remission.
    assert 1 - curve.upper[0] == pytest.approx(0.6197, abs=5e-5)
    assert 1 - curve.lower[0] == pytest.approx(0.9516, abs=5e-5)


def test_quantiles_of_the_remission_data() -> None:
    curve = kaplan_meier(REMISSION_WEEKS, REMISSION_ENDED)
    # The published median is 23 weeks, 95 % interval from 13 to never (Brookmeyer and Crowley, log-log).
    assert quantile(curve, 0.5) == Estimate(23.0, 13.0, None)
    # Never 90 % relapsed in the record.
    assert quantile(curve, 0.9) == Estimate(None)


@pytest.mark.filterwarnings("ignore:The confidence interval is undefined")
@given(spans)
@settings(deadline=None)
def test_kaplan_meier_agrees_with_scipy(rows: list[tuple[int, bool]]) -> None:
    observed = [seconds for seconds, is_processed in rows if is_processed]
    censored = [seconds for seconds, is_processed in rows if not is_processed]
    curve = kaplan_meier([seconds for seconds, _ in rows], [is_processed for _, is_processed in rows])
    reference = stats.ecdf(stats.CensoredData(uncensored=observed, right=censored)).sf
    steps = np.isin(reference.quantiles, curve.seconds)
    assert 1 - curve.share == pytest.approx(reference.probabilities[steps])
    interval = reference.confidence_interval(method="log-log")
    inside = curve.share < 1
    assert (1 - curve.upper)[inside] == pytest.approx(interval.low.probabilities[steps][inside])
    assert (1 - curve.lower)[inside] == pytest.approx(interval.high.probabilities[steps][inside])
    assert np.isnan(curve.lower[~inside]).all()
    assert np.isnan(curve.upper[~inside]).all()


@given(spans, st.sampled_from([0.5, 0.9, 0.95]))
def test_quantile_is_the_first_duration_that_reaches_its_share(rows: list[tuple[int, bool]], share: float) -> None:
    curve = kaplan_meier([seconds for seconds, _ in rows], [is_processed for _, is_processed in rows])
    estimate = quantile(curve, share)
    if estimate.value is None:
        assert len(curve.seconds) == 0 or curve.share[-1] < share
        assert estimate.upper is None
        return
    assert estimate.lower is None or estimate.lower <= estimate.value
    assert estimate.upper is None or estimate.value <= estimate.upper


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.95]))
def test_quantile_of_completed_spans_is_the_sorted_one(durations: list[int], share: float) -> None:
    # With nothing open the smallest duration that `share` of n reach is the one of rank ceil(share * n).
    rank = math.ceil(round(share * len(durations), 9))
    curve = kaplan_meier(durations, [True] * len(durations))
    assert quantile(curve, share).value == sorted(durations)[rank - 1]


def test_curve_of_open_spans_alone_has_no_step() -> None:
    curve = kaplan_meier([5, 9], [False, False])
    assert len(curve.seconds) == 0
    assert quantile(curve, 0.5) == Estimate(None)


# Means


def test_restricted_mean_by_hand() -> None:
    # Processed after 10 and 30, open at 20 and 40. Open share: 1 to 10, 3/4 to 30, 3/4 * 1/2 = 3/8 to 40.
    # Area = 10 + 20 * 0.75 + 10 * 0.375 = 28.75.
    # Greenwood: beyond 10 lie 18.75, beyond 30 lie 3.75: 18.75^2 / (4 * 3) + 3.75^2 / (2 * 1) = 36.328.
    estimate = restricted_mean(kaplan_meier([10, 20, 30, 40], [True, False, True, False]))
    # sqrt(36.328) = 6.0273; exp(1.96 * 6.0273 / 28.75) = 1.5082.
    assert estimate.value == pytest.approx(28.75)
    assert estimate.lower == pytest.approx(28.75 / 1.5082, abs=1e-3)
    assert estimate.upper == pytest.approx(28.75 * 1.5082, abs=1e-2)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=50))
def test_restricted_mean_without_open_spans_is_the_mean(durations: list[int]) -> None:
    estimate = restricted_mean(kaplan_meier(durations, [True] * len(durations)))
    assert estimate.value == pytest.approx(float(np.mean(durations)), abs=1e-9)
    # Greenwood's variance of the area is then the variance of the values (by n) over n.
    deviation = math.sqrt(np.var(durations) / len(durations))
    if deviation:
        reach = math.exp(Z * deviation / float(np.mean(durations)))
        assert estimate.upper == pytest.approx(float(np.mean(durations)) * reach)


@given(spans)
def test_restricted_mean_counts_open_spans_in(rows: list[tuple[int, bool]]) -> None:
    durations = [seconds for seconds, _ in rows]
    estimate = restricted_mean(kaplan_meier(durations, [is_processed for _, is_processed in rows]))
    assert estimate.value is not None
    # Waiting on can only lengthen: never below the mean so far, never above the largest duration.
    assert np.mean(durations) - 1e-9 <= estimate.value <= max(durations) + 1e-9


def test_restricted_mean_of_open_spans_alone_is_the_longest_wait() -> None:
    assert restricted_mean(kaplan_meier([5, 9], [False, False])) == Estimate(9.0)
    assert restricted_mean(kaplan_meier([7], [True])) == Estimate(7.0)
    assert restricted_mean(kaplan_meier([], [])) == Estimate(None)


def test_mean() -> None:
    # 10 20 30: deviation 10, t(2 degrees) = 4.3027; 20 +- 4.3027 * 10 / sqrt(3) = 20 +- 24.84, and not below 0.
    estimate = mean([10, 20, 30])
    assert (estimate.value, estimate.lower) == (20.0, 0.0)
    assert estimate.upper == pytest.approx(44.8414, abs=1e-4)
    assert mean([7]) == Estimate(7.0)
    assert mean([]) == Estimate(None)
