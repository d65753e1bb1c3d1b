"""Kaplan-Meier and trend against exact fractions: where a share is just reached, rounding must not decide."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.statistics.survival import kaplan_meier, quantile, restricted_mean
from pipelines.statistics.trends import trend_label, trend_of_weeks
from tests.support.reference_numbers import survival, trend

LAST_WEEK = date(2026, 3, 2)

# Few distinct durations, so that many are equal and shares land on simple fractions.
durations = st.lists(
    st.tuples(st.integers(0, 12).map(lambda hours: hours * 3600), st.booleans()), min_size=1, max_size=60
)
rates = st.lists(
    st.none() | st.tuples(st.integers(0, 6), st.integers(6, 30)).map(lambda counts: Fraction(*counts)),
    min_size=0,
    max_size=12,
)


@given(observed=durations)
@settings(max_examples=150, deadline=None)
def test_response_times_are_those_of_exact_fractions(observed: list[tuple[int, bool]]) -> None:
    completed = [Fraction(seconds) for seconds, is_processed in observed if is_processed]
    still_open = [Fraction(seconds) for seconds, is_processed in observed if not is_processed]
    expected = survival(completed, still_open)
    seconds, is_processed = zip(*observed, strict=True)
    curve = kaplan_meier(seconds, is_processed)
    assert quantile(curve, 0.5).value == expected.median
    assert quantile(curve, 0.9).value == expected.p90
    assert quantile(curve, 0.95).value == expected.p95
    assert restricted_mean(curve).value == pytest.approx(expected.restricted_mean)


@given(weekly=rates)
@settings(max_examples=150, deadline=None)
def test_trends_are_those_of_exact_fractions(weekly: list[Fraction | None]) -> None:
    weeks = [(position, rate) for position, rate in enumerate(weekly) if rate is not None]
    expected = trend(weeks)
    first = LAST_WEEK - timedelta(weeks=11)
    values = {first + timedelta(weeks=position): 100 * rate.numerator / rate.denominator for position, rate in weeks}
    found = trend_of_weeks(values, LAST_WEEK)
    assert (trend_label(found.direction), found.weeks_used) == (expected.direction, expected.weeks_used)
    if expected.slope is None:
        assert found.slope.value is None
    else:
        assert found.slope.value == pytest.approx(expected.slope, abs=1e-9)
