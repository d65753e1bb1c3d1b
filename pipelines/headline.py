"""The headline numbers in words: what the last complete month says, beside the month before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars

from pipelines.statistics.trends import FEWEST_TREND_VALUES, TREND_LEVEL, TREND_WEEKS, Trend, trend_label

#: A likeness of neighbouring weeks below this is not told: it changes nothing.
_WORTH_SAYING = 0.2

NO_DATA = "No data"
WHOLE_RECORD = "Whole record"

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_SCHEMA = {
    "position": polars.Int32(),
    "metric": polars.String(),
    "label": polars.String(),
    "value": polars.Float64(),
    "display": polars.String(),
    "period_label": polars.String(),
    "previous_value": polars.Float64(),
    "previous_display": polars.String(),
    "sentence": polars.String(),
}
_Number = Mapping[str, Any]
#: Numbers over all channels by (metric, definition) and period; None is the whole record.
_Numbers = Mapping[tuple[str, str], Mapping[date | None, _Number]]


def headline(
    measurements: polars.DataFrame, as_of_on: date | None, trend: Trend, earlier_trend: Trend
) -> polars.DataFrame:
    """The rows of metrics.headline, in reading order: opt-out rate, its trend, response time.

    `measurements` has the columns of metrics.measurements; `as_of_on` is the date of as_of in the report time zone
    (None for an empty record). Each number speaks of the last month that is over and that it has a value's basis in,
    else of the whole record; the trend compares its weeks with as many weeks before.
    """
    numbers = _overall(measurements)
    rows = [
        ("opt_out_rate", "Opt-out rate", *_opt_out_rate(numbers, as_of_on)),
        ("opt_out_trend", "Opt-out trend", *_opt_out_trend(numbers, trend, earlier_trend)),
        ("response_time", "Response time", *_response_time(numbers, as_of_on)),
    ]
    return polars.DataFrame(
        [(position, *row) for position, row in enumerate(rows, start=1)], schema=_SCHEMA, orient="row"
    )


def display_share(share: float | None) -> str:
    """A share as a percentage: "2.5 %", more decimals where one would hide it."""
    if share is None:
        return NO_DATA
    percent = 100 * share
    if 0 < percent < 0.005:
        return "under 0.01 %"
    decimals = 2 if 0 < percent < 0.1 else 1
    return f"{percent:.{decimals}f} %"


def display_duration(seconds: float | None) -> str:
    """Seconds in the largest unit that gives at least one of it: "under 1 s", "12 s", "45 min", "1.5 h", "2.3 days"."""
    if seconds is None:
        return "Not reached"
    if seconds < 1:
        return "under 1 s"
    if round(seconds) < 60:
        return f"{round(seconds)} s"
    if round(seconds / 60) < 60:
        return f"{round(seconds / 60)} min"
    if round(seconds / 3600, 1) < 24:
        return f"{_short(seconds / 3600)} h"
    days = _short(seconds / 86400)
    return f"{days} day" if days == "1" else f"{days} days"


def display_month(month: date) -> str:
    """A month's name and year: "October 2026"."""
    return f"{_MONTHS[month.month - 1]} {month.year}"


def _opt_out_rate(numbers: _Numbers, as_of_on: date | None) -> tuple[Any, ...]:
    by_period = numbers.get(("opt_out_rate", "heed"), {})
    month = _last_complete_month(by_period, as_of_on)
    now = by_period.get(month)
    if now is None:
        return (None, NO_DATA, WHOLE_RECORD, None, NO_DATA, "No message that could bring an opt-out is on record.")
    before = by_period.get(_month_before(month)) if month else None
    sentence = (
        f"Of {_counted(now['denominator'], 'contact and channel pair')} reached in {_period(month)}, "
        f"{_count(now['numerator'])} opted out "
        f"(95 % interval {display_share(now['lower'])} to {display_share(now['upper'])})"
    )
    if month:
        said = display_share(before["value"]) if before else "nobody was reached"
        sentence += f"; {_name_of_month_before(month)}: {said}"
    not_reached = numbers.get(("opt_outs_not_reached", "heed"), {}).get(month)
    if not_reached and not_reached["numerator"]:
        sentence += (
            f". Opt-outs of pairs that were not reached in that time, counted apart: {_count(not_reached['numerator'])}"
        )
    previous = before["value"] if before else None
    display = display_share(now["value"])
    return (now["value"], display, _period_label(month), previous, display_share(previous), sentence + ".")


def _opt_out_trend(numbers: _Numbers, trend: Trend, earlier: Trend) -> tuple[Any, ...]:
    if ("opt_out_rate", "heed") not in numbers:
        return (None, NO_DATA, WHOLE_RECORD, None, NO_DATA, "No message that could bring an opt-out is on record.")
    label, earlier_label = trend_label(trend.direction), trend_label(earlier.direction)
    sentence = trend_sentence(trend, earlier_label)
    return (trend.slope.value, label, _trend_period(trend), earlier.slope.value, earlier_label, sentence)


def trend_sentence(trend: Trend, earlier_label: str | None = None) -> str:
    """What a trend says, and with which caution; with the label of the weeks before where that is given.

    Without it the sentence also says how often weeks without a trend look as these do.
    """
    period = _trend_period(trend)
    if trend.direction is None or trend.test is None or trend.likeness is None:
        return (
            f"A trend needs at least {FEWEST_TREND_VALUES} weeks in which somebody was reached; "
            f"the {period} have {trend.weeks_used}."
        )
    slope, told = trend.slope, {1: "was increasing", -1: "was decreasing", 0: "shows no clear trend"}[trend.direction]
    sentence = (
        f"Over the {period} the weekly opt-out rate {told}: {_points(slope.value)} percentage points a week "
        f"(95 % interval {_points(slope.lower)} to {_points(slope.upper)})"
    )
    if earlier_label:
        sentence += f"; the {TREND_WEEKS} weeks before: {earlier_label.lower()}."
    else:
        sentence += f". Weeks without a trend fall into as clear an order in {_of_cases(trend.test.p_value)} of cases."
    alike, corrected = trend.likeness.corrected or 0.0, trend.likeness.p_value
    if trend.direction and corrected >= TREND_LEVEL:
        sentence += (
            f" Read it with caution: a week resembles the one before it (correlation {alike:.1f}). If that is their "
            f"nature, such an order comes without a trend in {_of_cases(corrected)} of cases."
        )
    elif trend.direction and alike >= _WORTH_SAYING and not earlier_label:
        sentence += (
            f" A week resembles the one before it (correlation {alike:.1f}); allowing for that it is "
            f"{_of_cases(corrected)}, and the trend stands."
        )
    return sentence


def _trend_period(trend: Trend) -> str:
    last_day = trend.last_week + timedelta(days=6)
    return f"{TREND_WEEKS} weeks to {last_day.day} {display_month(last_day)}"


def _of_cases(p_value: float) -> str:
    return "under 0.1 %" if p_value < 0.001 else f"{100 * p_value:.{0 if p_value >= 0.1 else 1}f} %"


def _response_time(numbers: _Numbers, as_of_on: date | None) -> tuple[Any, ...]:
    by_period = numbers.get(("response_time", "kaplan_meier_median"), {})
    month = _last_complete_month(by_period, as_of_on)
    now = by_period.get(month)
    if now is None:
        return (None, NO_DATA, WHOLE_RECORD, None, NO_DATA, "No opt-out is on record.")
    before = by_period.get(_month_before(month)) if month else None
    sentence = _time_sentence(now, month)
    still_open = numbers[("response_time", "open_count")][month]["value"]
    if still_open:
        oldest = display_duration(numbers[("response_time", "oldest_open_age")][month]["value"])
        sentence += f"; still open: {_count(still_open)}, the oldest for {oldest}"
    previous = before["value"] if before else None
    previous_display = display_duration(previous) if before else NO_DATA
    if month:
        sentence += f"; {_name_of_month_before(month)}: {previous_display if before else 'no opt-out'}"
    return (
        now["value"],
        display_duration(now["value"]),
        _period_label(month),
        previous,
        previous_display,
        sentence + ".",
    )


def _time_sentence(now: _Number, month: date | None) -> str:
    """How long the opt-outs of the period took, without the full stop."""
    single, period = now["denominator"] == 1, _period(month)
    if now["value"] is None:
        if single:
            return f"The one opt-out of {period} is not known to be processed"
        return (
            f"Fewer than half of the {_count(now['denominator'])} opt-outs of {period} are known to be processed: "
            f"{_count(now['numerator'])}"
        )
    subject = "The one opt-out" if single else f"Half of the {_count(now['denominator'])} opt-outs"
    verb = "was" if single else "were"
    sentence = f"{subject} of {period} {verb} processed within {display_duration(now['value'])}"
    if now["lower"] is None:
        return sentence
    upper = display_duration(now["upper"]).lower()
    return f"{sentence} (95 % interval {display_duration(now['lower'])} to {upper})"


def _overall(measurements: polars.DataFrame) -> _Numbers:
    """Monthly and whole-record numbers over all dimensions."""
    dimensions = ("channel", "program", "campaign_id", "reason")
    chosen = measurements.filter(
        polars.col("grain").is_in(["month", "all"]), *(polars.col(dimension) == "*" for dimension in dimensions)
    )
    numbers: dict[tuple[str, str], dict[date | None, _Number]] = {}
    for row in chosen.iter_rows(named=True):
        numbers.setdefault((row["metric"], row["definition"]), {})[row["period_start"]] = row
    return numbers


def _last_complete_month(by_period: Mapping[date | None, _Number], as_of_on: date | None) -> date | None:
    """The last month with a number that was over when `as_of_on` began; None where there is none."""
    months = [month for month in by_period if month and as_of_on and _month_after(month) <= as_of_on]
    return max(months, default=None)


def _month_after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def _name_of_month_before(month: date) -> str:
    """The month before, with its year only where that differs."""
    before = _month_before(month)
    return _MONTHS[before.month - 1] if before.year == month.year else display_month(before)


def _period(month: date | None) -> str:
    return display_month(month) if month else "the whole record"


def _period_label(month: date | None) -> str:
    return display_month(month) if month else WHOLE_RECORD


def _count(number: float) -> str:
    return f"{round(number):,}"


def _counted(number: float, thing: str) -> str:
    return f"{_count(number)} {thing}" if round(number) == 1 else f"{_count(number)} {thing}s"


def _points(value: float | None) -> str:
    """Percentage points a week with a sign, more decimals where two would hide them."""
    if value is None:
        return "unknown"
    return f"{value:+.4f}" if 0 < abs(value) < 0.005 else f"{value:+.2f}"


def _short(number: float) -> str:
    """One decimal, and none where it is 0 or the number is no longer small."""
    return f"{number:.0f}" if number >= 9.95 or round(number, 1) == round(number) else f"{number:.1f}"
