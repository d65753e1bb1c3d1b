"""Slow stretches: scores against plain Python, the planted stretch found, and none found where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.statistics.slow import LENGTHS, scores, slow_stretches

DAYS = 182
HOUR = 3_600.0


def test_the_example_of_the_definition() -> None:
    seconds = np.array([5 * 24 * HOUR if 30 <= day <= 35 else HOUR for day in range(60)])
    found = scores(seconds, np.ones(60, dtype=bool))
    assert found[0] == pytest.approx(54 / 60 - 1)
    assert found[30] == pytest.approx(54 / 60 + 6 / 6 - 1)
    assert 6 * found[30] / math.sqrt(6 * (1 - 6 / 60)) == pytest.approx(2.32, abs=0.005)
    [stretch] = slow_stretches(np.arange(60), seconds, np.ones(60)) or []
    assert (stretch.first, stretch.last, stretch.count, stretch.p_value) == (30, 35, 6, 0.001)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=40))
def test_a_score_is_the_hazard_passed_through_less_what_ended(times: list[tuple[int, bool]]) -> None:
    seconds, is_done = np.array([float(time) for time, _ in times]), np.array([done for _, done in times])
    expected = [
        sum(
            sum(done and one == step for one, done in times) / sum(one >= step for one, _ in times)
            for step in {one for one, _ in times}
            if step <= time
        )
        - ended
        for time, ended in times
    ]
    assert scores(seconds, is_done) == pytest.approx(expected)
    assert sum(expected) == pytest.approx(0, abs=1e-9)


def world(
    seed: int, *, slow: tuple[int, int] | None = None, weekends: bool = False, daily: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """300 requests on random days, each dealt with after about an hour; those of slow days three days later.

    `weekends`: what is asked for on Saturday or Sunday waits for Monday. `daily`: each day has luck of its own.
    """
    draw = np.random.default_rng(seed)
    day = draw.integers(0, DAYS, 300)
    seconds = draw.lognormal(math.log(HOUR), 0.5, 300) * np.exp(daily * draw.normal(size=DAYS))[day]
    if weekends:
        seconds += np.where(day % 7 >= 5, 24 * HOUR * (7 - day % 7), 0)
    if slow:
        seconds += np.where((day >= slow[0]) & (day < slow[1]), 72 * HOUR, 0)
    left = (DAYS - day) * 24 * HOUR
    return day, np.minimum(seconds, left), seconds <= left


@pytest.mark.parametrize("weekends", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_a_slow_fortnight_is_found_and_nothing_else(seed: int, weekends: bool) -> None:
    [stretch] = slow_stretches(*world(seed, slow=(119, 133), weekends=weekends)) or []
    assert 116 <= stretch.first <= 124
    assert 127 <= stretch.last <= 136
    assert stretch.p_value <= 0.01


def test_two_stretches_are_both_found() -> None:
    day, seconds, is_done = world(3, slow=(40, 50))
    later = (day >= 120) & (day < 134)
    found = slow_stretches(day, seconds + np.where(later, 96 * HOUR, 0), is_done) or []
    assert [round(one.first, -1) for one in found] == [40, 120]


def test_too_little_is_not_judged() -> None:
    assert slow_stretches([], [], []) is None
    assert slow_stretches(np.arange(29), np.ones(29), np.ones(29)) is None  # 29 requests
    assert slow_stretches(np.arange(40) % 27, np.ones(40), np.ones(40)) is None  # 27 days
    # All the same: nothing is slower than anything.
    assert slow_stretches(np.arange(60), np.ones(60), np.ones(60)) == []


def test_what_is_most_of_the_record_is_no_stretch() -> None:
    day, seconds, is_done = world(8)
    for one in slow_stretches(day, seconds + np.where(day > 60, 72 * HOUR, 0), is_done) or []:
        assert one.count <= 150
        assert one.last - one.first < 2 * max(LENGTHS)


@pytest.mark.simulation
@pytest.mark.parametrize(("weekends", "daily"), [(False, 0.0), (True, 0.0), (False, 1.0)])
def test_of_records_without_a_slow_stretch_one_in_twenty_shows_one(weekends: bool, daily: float) -> None:
    count = 400
    shown = sum(bool(slow_stretches(*world(seed, weekends=weekends, daily=daily))) for seed in range(count))
    # Twenty expected; more than 33 are as unlikely as one in five hundred.
    assert shown <= 33
