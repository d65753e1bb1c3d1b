"""Trends, changes of level, seasons and years over hand-made weeks: each number with its arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pipelines import sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures import seasons, trends, years
from pipelines.measures.periods import Record
from tests.support.measured import measured

MONDAY = date(2026, 11, 16)
AS_OF = datetime(2026, 11, 18, 12, tzinfo=UTC)
RECORD = Record(AS_OF, UTC)

#: grain, first day, channel, opted out, reached
Cell = tuple[str, date, str, int, int]


def counted(cells: Iterable[Cell], hours: Iterable[tuple[Any, ...]] = ()) -> DuckDBEngine:
    """A database that holds these counts as metrics.opt_out_rate, and the weeks and hours that rest on them."""
    engine = DuckDBEngine()
    engine.execute("create schema metrics")
    engine.execute(
        "create table metrics.opt_out_rate (grain text, period_start date, channel text, program text,"
        " campaign_id text, numerator bigint, denominator bigint)"
    )
    engine.execute(
        "create table metrics.opt_out_hours (channel text, sent_day bigint, sent_quarter bigint,"
        " asked_quarter bigint, opt_out_count bigint)"
    )
    for grain, start, channel, left, reached in cells:
        engine.execute(
            "insert into metrics.opt_out_rate values (?, ?, ?, '*', '*', ?, ?)", [grain, start, channel, left, reached]
        )
    for row in hours:
        engine.execute("insert into metrics.opt_out_hours values (?, ?, ?, ?, ?)", list(row))
    (weeks,) = (file for file in sqlfiles.load("metrics") if file.relation == "metrics.opt_out_trend")
    engine.create(weeks.relation, weeks.text)
    return engine


def weekly(rates: list[int], *, reached: int = 1_000, channel: str = "*") -> list[Cell]:
    """Weeks up to the one before the 16 November 2026, and the Monday of the first as the first day of reach."""
    first = MONDAY - timedelta(weeks=len(rates))
    cells: list[Cell] = [("day", first, channel, 0, 1)]
    return cells + [("week", first + timedelta(weeks=week), channel, left, reached) for week, left in enumerate(rates)]


def row(engine: DuckDBEngine, relation: str, where: str = "true") -> dict[str, Any]:
    """The one row of a relation that fulfils a condition."""
    (found,) = engine.records(f"select * from {relation} where {where}")
    return found


# Trends


def test_a_trend_with_its_test_and_its_words() -> None:
    # 1.0 1.2 1.1 1.5 1.6 1.8 1.7 2.0 %: S = 26 - 2 = 24, variance 65.33, z = 23 / 8.083 = 2.846 (docs/definitions.md).
    # tau = 24 / 28. The slope is 0.1464 points a week.
    engine = counted(weekly([100, 120, 110, 150, 160, 180, 170, 200], reached=10_000))
    measurements = trends.measure(engine, RECORD)
    found = row(engine, "metrics.trends")
    assert (found["channel"], found["label"], found["direction"]) == ("*", "Increasing", 1)
    assert (found["weeks_used"], found["last_week_on"], found["s"]) == (8, date(2026, 11, 9), 24)
    assert found["z"] == pytest.approx(2.8455, abs=1e-4)
    assert found["p_value"] == pytest.approx(0.00443, abs=1e-5)
    assert found["tau"] == pytest.approx(24 / 28)
    assert found["slope"] == pytest.approx(0.146429, abs=1e-6)
    # Residuals swing from week to week: less alike than chance, which counts as not alike at all.
    assert found["autocorrelation"] < -0.2
    assert (found["autocorrelation_corrected"], found["p_value_corrected"]) == (0.0, pytest.approx(found["p_value"]))
    assert found["sentence"] == (
        "Over the 12 weeks to 15 November 2026 the weekly opt-out rate was increasing: +0.15 percentage points a week "
        "(95 % interval +0.10 to +0.20). Weeks without a trend fall into as clear an order in 0.4 % of cases."
    )
    assert measurements["value"].to_list() == pytest.approx([found["slope"], 1.0])


def test_weeks_that_are_alike_are_a_caution() -> None:
    # A slow wave: up over the first half, level and a little down at its end. Of 66 pairs 54 rise.
    engine = counted(weekly([100, 101, 104, 110, 118, 126, 133, 138, 140, 139, 136, 132], reached=10_000))
    trends.measure(engine, RECORD)
    found = row(engine, "metrics.trends")
    assert found["label"] == "Increasing"
    assert found["p_value"] < 0.05 <= found["p_value_corrected"]
    assert found["autocorrelation_corrected"] == 0.9
    assert "Read it with caution: a week resembles the one before it (correlation 0.9)." in found["sentence"]


@pytest.mark.parametrize(
    ("rates", "label", "sentence"),
    [
        ([10, 12, 11, 10, 12, 11], "No clear trend", "shows no clear trend: +0.00 percentage points a week"),
        ([10, 12, 11, 10, 12], "Not enough data", "A trend needs at least 6 weeks in which somebody was reached"),
    ],
)
def test_no_trend_says_why(rates: list[int], label: str, sentence: str) -> None:
    engine = counted(weekly(rates))
    trends.measure(engine, RECORD)
    found = row(engine, "metrics.trends")
    assert found["label"] == label
    assert sentence in found["sentence"]


def test_an_empty_record_has_a_trend_of_nothing() -> None:
    engine = counted([])
    for family in (trends, seasons, years):
        family.measure(engine, Record(None, UTC))
    found = row(engine, "metrics.trends")
    assert (found["channel"], found["label"], found["last_week_on"]) == ("*", "Not enough data", None)
    for relation in ("change_points", "seasons", "season_tests", "year_over_year"):
        assert engine.rows(f"select * from metrics.{relation}") == []


# Changes of level

STEADY = [10, 11, 9, 10, 12, 8, 10, 11, 9, 10]


def test_a_step_is_found_with_its_week_and_both_rates() -> None:
    # Ten weeks of 1 % and ten of 3 %: the second level begins on Monday, 7 September 2026.
    engine = counted(weekly(STEADY + [3 * left for left in STEADY]))
    trends.measure(engine, RECORD)
    found = row(engine, "metrics.change_points")
    assert (found["channel"], found["starts_on"], found["shape"]) == ("*", date(2026, 9, 7), "step")
    assert (found["earliest_on"], found["latest_on"]) == (date(2026, 9, 7), date(2026, 9, 7))
    assert (found["before_from_on"], found["after_until_on"]) == (date(2026, 6, 29), date(2026, 11, 15))
    assert (found["numerator_before"], found["denominator_before"]) == (100, 10_000)
    assert (found["numerator_after"], found["denominator_after"]) == (300, 10_000)
    assert found["ratio"] == pytest.approx(3.0)
    # The weeks scatter less than counts would: the intervals are Wilson's. 100 of 10,000: 0.82 to 1.21 %.
    assert (found["lower_before"], found["upper_before"]) == pytest.approx((0.00823, 0.01215), abs=1e-5)
    # 4,999 random orders and none as clear: 1 / 5,000, of the four fifths of the error rate that a split has.
    assert found["p_value"] == pytest.approx(0.0002 / 0.8)
    assert (row(engine, "metrics.trends")["weeks_searched"], row(engine, "metrics.trends")["change_count"]) == (20, 1)


def test_the_running_week_and_a_first_week_begun_late_are_no_periods() -> None:
    cells = weekly(STEADY)
    # The first day of reach was a Tuesday, so the first week is short of a Monday; the week of the 16th is not over.
    late = [("day", cells[0][1] + timedelta(days=1), "*", 0, 1), *cells[1:], ("week", MONDAY, "*", 900, 1_000)]
    engine = counted(late)  # type: ignore[arg-type]
    trends.measure(engine, RECORD)
    assert row(engine, "metrics.trends")["weeks_searched"] == 9
    assert engine.rows("select * from metrics.change_points") == []


def test_each_channel_has_its_own_changes() -> None:
    step = STEADY + [3 * left for left in STEADY]
    both = [left + 10 for left in step]
    cells = weekly(step, channel="sms") + weekly([10] * 20, channel="email") + weekly(both, reached=2_000)
    engine = counted(cells)
    trends.measure(engine, RECORD)
    found = engine.rows("select channel, starts_on from metrics.change_points order by channel")
    assert found == [("*", date(2026, 9, 7)), ("sms", date(2026, 9, 7))]


# Seasons


def daily(weeks: int, week: list[tuple[int, int]], channel: str = "sms") -> list[Cell]:
    """Weeks of days, Monday first, each (opted out, reached), the last one over before the 16 November 2026."""
    first = MONDAY - timedelta(weeks=weeks)
    return [
        ("day", first + timedelta(weeks=turn, days=day), channel, left + (turn + day) % 2, reached)
        for turn in range(weeks)
        for day, (left, reached) in enumerate(week)
    ]


def test_a_weekday_that_stands_out_is_named() -> None:
    engine = counted(daily(12, [(4, 400)] * 5 + [(12, 400)] * 2))
    assert len(seasons.measure(engine, RECORD)) == 0
    found = row(engine, "metrics.season_tests", "channel = 'sms'")
    # (20 + 24) * 12 opt-outs, and one more on every other day: 42.
    assert (found["cycle"], found["label"], found["opt_out_count"]) == ("weekday", "Season", 44 * 12 + 42)
    assert found["witness_count"] == 12
    days = engine.records("select * from metrics.seasons where channel = 'sms' order by position")
    assert [day["position"] for day in days] == [1, 2, 3, 4, 5, 6, 7]
    assert [day["direction"] for day in days] == [0] * 5 + [1, 1]
    # Saturday: 12 * 12 + 6 of 12 * 400; without a season a seventh of all, since every day reaches as many.
    assert (days[5]["numerator"], days[5]["denominator"]) == (150, 4_800)
    assert days[5]["value"] == pytest.approx(150 / 4_800)
    assert days[5]["expected"] == pytest.approx((44 * 12 + 42) / 7 / 4_800)
    # One channel alone is all of them.
    assert row(engine, "metrics.season_tests", "channel = '*'")["p_value"] == found["p_value"]


def test_channels_with_days_of_their_own_make_no_season() -> None:
    # Text messages at 4 % on Fridays only, e-mail at 1 % on every other day: the total differs by day, no channel does.
    texts = [(0, 0)] * 4 + [(16, 400)] + [(0, 0)] * 2
    mails = [(4, 400)] * 4 + [(0, 0)] + [(4, 400)] * 2
    cells = [cell for cell in daily(12, texts) + daily(12, mails, "email") if cell[4]]
    engine = counted(cells)
    seasons.measure(engine, RECORD)
    labels = dict(engine.rows("select channel, label from metrics.season_tests"))
    assert labels == {"*": "No clear season", "email": "No clear season", "sms": "Cannot be told"}
    friday = row(engine, "metrics.seasons", "channel = '*' and position = 5")
    assert friday["value"] == friday["expected"]


def test_hours_are_set_against_the_delays() -> None:
    # Messages at 8:00 and 20:00, half of the opt-outs an hour later and half eleven, by turns: 9:00, 19:00, 21:00 and
    # 7:00 alike, whenever the message came. That is a delay and no season.
    steady = [("sms", 20_000 + day, sent, (sent + (4 if (day + sent // 48) % 2 else 44)) % 96, 4) for day in range(20)
              for sent in (32, 80)]  # fmt: skip
    engine = counted([], steady)
    seasons.measure(engine, RECORD)
    found = row(engine, "metrics.season_tests", "channel = 'sms'")
    assert (found["cycle"], found["opt_out_count"], found["label"]) == ("hour", 160, "No clear season")
    hours = {hour["position"]: hour for hour in engine.records("select * from metrics.seasons where channel = 'sms'")}
    assert {position for position, hour in hours.items() if hour["numerator"]} == {7, 9, 19, 21}
    assert (hours[9]["numerator"], hours[9]["denominator"], hours[9]["value"]) == (40, 160, 0.25)
    assert hours[9]["expected"] == pytest.approx(0.25)

    # The same messages, but nobody asks at 7:00: those of 20:00 wait one hour or thirteen.
    asleep = [(*one[:3], 36 if one[3] == 28 else one[3], one[4]) for one in steady]
    engine = counted([], asleep)
    seasons.measure(engine, RECORD)
    assert row(engine, "metrics.season_tests", "channel = 'sms'")["label"] == "Season"
    named = engine.rows("select position, direction from metrics.seasons where channel = 'sms' and direction <> 0")
    # Half are sent at 8:00 and at 20:00, and a quarter of all wait eleven hours: without a season 20 would ask at 7:00,
    # where none did, and 20 at 19:00, where 40 did.
    assert named == [(7, -1), (19, 1)]


def test_one_hour_of_sending_cannot_be_told_from_a_delay() -> None:
    engine = counted([], [("sms", 20_000 + day, 40, 44 + 4 * (day % 3), 8) for day in range(30)])
    seasons.measure(engine, RECORD)
    assert row(engine, "metrics.season_tests", "channel = 'sms'")["label"] == "Cannot be told"


def test_hours_are_of_the_report_time_zone_and_of_the_last_message() -> None:
    attribution = {"touch_channel": "sms", "touch_message_id": "m1", "opt_out_channel": "*"}
    engine = measured(
        "contact sent\n1 2026-10-05T23:50",
        zone="America/New_York",
        core__attributions=[
            attribution
            | {"span_id": 1, "touch_sent_at": "2026-10-05 23:50:00+00", "begins_at": "2026-10-06 04:05:00+00"},
            # Nobody was reached before: no row.
            {"span_id": 2, "touch_channel": None, "touch_sent_at": None, "begins_at": "2026-10-06 04:05:00+00"},
        ],
    )
    # 19:50 on 5 October in New York (day 20,731 since 1970) is quarter 79; 00:05 on the next day is quarter 0.
    assert engine.rows("select * from metrics.opt_out_hours") == [("sms", 20_731, 79, 0, 1)]
    hour = row(engine, "metrics.seasons", "channel = 'sms' and cycle = 'hour' and numerator > 0")
    assert (hour["position"], hour["value"]) == (0, 1.0)


# Year over year


def monthly(first_day: date, months: dict[date, tuple[int, int]], channel: str = "*") -> list[Cell]:
    """Months with their counts, and the first day of reach."""
    cells: list[Cell] = [("day", first_day, channel, 0, 1)]
    return cells + [("month", month, channel, left, reached) for month, (left, reached) in months.items()]


def test_a_month_is_compared_with_the_same_a_year_before() -> None:
    months = {date(2025, 9, 1): (20, 1_000), date(2025, 10, 1): (20, 1_000), date(2025, 11, 1): (20, 1_000)}
    months |= {date(2026, 9, 1): (22, 1_000), date(2026, 10, 1): (50, 1_000), date(2026, 11, 1): (90, 1_000)}
    engine = counted(monthly(date(2025, 9, 1), months))
    years.measure(engine, RECORD)
    september, october = engine.records("select * from metrics.year_over_year order by month")
    # November 2026 is not over.
    assert (september["month"], october["month"]) == (date(2026, 9, 1), date(2026, 10, 1))
    assert (september["label"], october["label"]) == ("No clear difference", "Higher")
    # 5 % against 2 %: pooled 3.5 %, z = 0.03 / sqrt(0.035 * 0.965 * 2 / 1000) = 3.650, p = 0.000262.
    assert october["difference"] == pytest.approx(0.03)
    assert october["p_value"] == pytest.approx(0.000262, abs=1e-6)
    # Holm: the smaller of two p values counts twice.
    assert october["p_value_adjusted"] == pytest.approx(2 * october["p_value"])
    # Newcombe from Wilson's 3.81 to 6.53 % and 1.30 to 3.07 %: 3 - sqrt(1.19^2 + 1.07^2), 3 + sqrt(1.53^2 + 0.70^2).
    assert october["difference_lower"] == pytest.approx(0.03 - 0.0160, abs=2e-4)
    assert october["difference_upper"] == pytest.approx(0.03 + 0.0168, abs=2e-4)


def test_a_month_begun_late_is_not_compared() -> None:
    months = {date(2025, 10, 1): (20, 1_000), date(2026, 10, 1): (50, 1_000)}
    engine = counted(monthly(date(2025, 10, 2), months))
    years.measure(engine, RECORD)
    assert engine.rows("select * from metrics.year_over_year") == []
