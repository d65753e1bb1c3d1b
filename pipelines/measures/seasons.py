"""When people leave: by the day of the week and the hour of the day, against the same without a season."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import Record, last_complete_week
from pipelines.measures.rows import measurements
from pipelines.statistics.estimate import Floats, number
from pipelines.statistics.intervals import wilson_interval
from pipelines.statistics.multiplicity import holm
from pipelines.statistics.seasons import SEASON_LEVEL, Season, beyond_delay, directions, season, within_turns

#: Cycles and their positions: Monday is 1, midnight is 0.
CYCLES = {"weekday": tuple(range(1, 8)), "hour": tuple(range(24))}
_QUARTERS = 96
_SEASONS = {
    "channel": polars.String(),
    "cycle": polars.String(),
    "position": polars.Int64(),
    "numerator": polars.Int64(),
    "denominator": polars.Int64(),
    "value": polars.Float64(),
    "lower": polars.Float64(),
    "upper": polars.Float64(),
    "expected": polars.Float64(),
    "p_value": polars.Float64(),
    "direction": polars.Int64(),
}
_TESTS = {
    "channel": polars.String(),
    "cycle": polars.String(),
    "witness_count": polars.Int64(),
    "opt_out_count": polars.Int64(),
    "statistic": polars.Float64(),
    "p_value": polars.Float64(),
    "p_value_adjusted": polars.Float64(),
    "label": polars.String(),
}


@dataclass(frozen=True)
class _Cycle:
    """Counts of a cycle by position, and what each witness adds beyond what is expected, as (witness, position)."""

    witnesses: list[date]
    numerators: Floats
    denominators: Floats
    distances: Floats
    expected: Floats


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """No measurements; writes metrics.seasons and metrics.season_tests."""
    by_cycle = {"weekday": _weekdays(engine, record), "hour": _hours(engine)}
    rows, tests = [], []
    for channel in sorted({channel for cycles in by_cycle.values() for channel in cycles}):
        cycles = {name: cycles[channel] for name, cycles in by_cycle.items() if channel in cycles}
        found = {name: season(cycle.distances, cycle.expected) for name, cycle in cycles.items()}
        # A reader sees the cycles of one channel at once.
        adjusted = dict(zip(found, holm([test.p_value for test in found.values()]), strict=True))
        for name, cycle in cycles.items():
            tests.append(_test_row(channel, name, found[name], adjusted[name]))
            rows += _position_rows(channel, name, cycle, found[name], adjusted[name])
    engine.create_from_frame("metrics.seasons", polars.DataFrame(rows, schema=_SEASONS, orient="row"))
    engine.create_from_frame("metrics.season_tests", polars.DataFrame(tests, schema=_TESTS, orient="row"))
    return measurements([])


def label(test: Season, adjusted: float | None) -> str:
    """The words for a test: Season, No clear season, Cannot be told or Not enough data."""
    if adjusted is None:
        return "Cannot be told" if test.is_blind else "Not enough data"
    return "Season" if adjusted < SEASON_LEVEL else "No clear season"


def _weekdays(engine: DuckDBEngine, record: Record) -> dict[str, _Cycle]:
    """By channel (`*` = all): the daily opt-out rate of complete weeks, by weekday; a week is a witness."""
    if record.as_of_on is None:
        return {}
    until = last_complete_week(record.as_of_on) + timedelta(days=7)
    counts: dict[str, dict[date, tuple[Floats, Floats]]] = {}
    for day, channel, numerator, denominator in engine.rows(
        "select period_start, channel, numerator, denominator from metrics.opt_out_rate"
        " where grain = 'day' and program = '*' and campaign_id = '*' and channel <> '*' order by channel, period_start"
    ):
        if day < until:
            weeks = counts.setdefault(channel, {})
            week = day - timedelta(days=day.weekday())
            counted, base = weeks.setdefault(week, (np.zeros(7), np.zeros(7)))
            counted[day.weekday()], base[day.weekday()] = numerator, denominator
    cycles = {}
    for channel, weeks in counts.items():
        counted, base = (np.array([turn[part] for turn in weeks.values()]) for part in (0, 1))
        distances, expected = within_turns(counted, base)
        cycles[channel] = _Cycle(list(weeks), counted.sum(axis=0), base.sum(axis=0), distances, expected)
    return _with_total(cycles)


def _hours(engine: DuckDBEngine) -> dict[str, _Cycle]:
    """By channel of the message before (`*` = all): the hours of opt-outs; a day of sending is a witness."""
    frame = engine.frame(
        "select channel, sent_day, sent_quarter, asked_quarter, opt_out_count from metrics.opt_out_hours"
        " order by channel, sent_day, sent_quarter, asked_quarter"
    )
    cycles = {}
    for (channel,), part in frame.group_by("channel", maintain_order=True):
        days, sent, asked, count = (part[name].to_numpy() for name in part.columns[1:])
        distances, expected = beyond_delay(days, sent, asked, count, bins=_QUARTERS, positions=24)
        by_hour = np.bincount(asked // (_QUARTERS // 24), count, 24).astype(np.float64)
        witnesses = [date(1970, 1, 1) + timedelta(days=int(day)) for day in np.unique(days)]
        cycles[str(channel)] = _Cycle(witnesses, by_hour, np.full(24, float(by_hour.sum())), distances, expected)
    return _with_total(cycles)


def _with_total(cycles: dict[str, _Cycle]) -> dict[str, _Cycle]:
    """The cycles of each channel, and of all: each channel is set against itself, so their mix makes no season."""
    if not cycles:
        return {}
    witnesses = sorted({witness for cycle in cycles.values() for witness in cycle.witnesses})
    place = {witness: index for index, witness in enumerate(witnesses)}
    positions = len(next(iter(cycles.values())).numerators)
    distances, expected = (np.zeros((len(witnesses), positions)) for _ in range(2))
    for cycle in cycles.values():
        rows = [place[witness] for witness in cycle.witnesses]
        distances[rows] += cycle.distances
        expected[rows] += cycle.expected
    numerators = np.sum([cycle.numerators for cycle in cycles.values()], axis=0)
    denominators = np.sum([cycle.denominators for cycle in cycles.values()], axis=0)
    return {"*": _Cycle(witnesses, numerators, denominators, distances, expected), **cycles}


def _test_row(channel: str, cycle: str, test: Season, adjusted: float | None) -> tuple[object, ...]:
    statistic = None if test.p_value is None else test.statistic
    return (channel, cycle, test.witnesses, test.counted, statistic, test.p_value, adjusted, label(test, adjusted))


def _position_rows(
    channel: str, name: str, cycle: _Cycle, test: Season, adjusted: float | None
) -> list[tuple[object, ...]]:
    lower, upper = wilson_interval(cycle.numerators, cycle.denominators)
    is_season = adjusted is not None and adjusted < SEASON_LEVEL
    towards = directions(test, cycle.distances) if is_season else np.zeros(len(lower), dtype=np.int64)
    rows: list[tuple[object, ...]] = []
    for index, position in enumerate(CYCLES[name]):
        numerator, denominator = float(cycle.numerators[index]), float(cycle.denominators[index])
        rows.append(
            (
                channel,
                name,
                position,
                round(numerator),
                round(denominator),
                numerator / denominator if denominator else None,
                number(float(lower[index])),
                number(float(upper[index])),
                float(test.expected[index]) / denominator if denominator else None,
                number(float(test.position_p_values[index])),
                int(towards[index]),
            )
        )
    return rows
