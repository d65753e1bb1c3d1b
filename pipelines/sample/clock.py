"""The sample's time: when its record starts and ends, its weeks and months, and the days around opt-out deadlines.

All times inside the generator are whole seconds since `START` (2026-05-04T00:00:00Z, a Monday).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

START = datetime(2026, 5, 4, tzinfo=UTC)
START_EPOCH = int(START.timestamp())
DAYS = 27 * 7
WEEKS = 27
MINUTE = 60
DAY = 86_400
HOUR = 3_600
WEEK = 7 * DAY
# The last instant on record, two minutes before midnight: the nightly export that ends the sample.
HORIZON = DAYS * DAY - 120
# Later than everything: "has not happened".
NEVER = 2**31 - 1

MONTHS = ["2026-05", "2026-06", "2026-07", "2026-08", "2026-09", "2026-10", "2026-11"]
# US federal holidays of the period, on the day they are observed.
_HOLIDAYS = {
    date(2026, 5, 25),
    date(2026, 6, 19),
    date(2026, 7, 3),
    date(2026, 9, 7),
    date(2026, 10, 12),
    date(2026, 11, 11),
    date(2026, 11, 26),
}
# New York is four hours behind UTC until 2026-11-01; the hour it loses then is far inside the margin below.
_NEW_YORK_BEHIND = 4 * HOUR
# Nothing is sent to an open request from the end of this business day to the end of that one,
# so that no reading of time zone, holiday or counting can move a message across the deadline.
_QUIET_FROM_BUSINESS_DAY = 7
_QUIET_TO_BUSINESS_DAY = 12


def at(year_month_day: str, hour: int = 0, minute: int = 0) -> int:
    """Seconds since START of an ISO date and a UTC time of day."""
    moment = datetime.fromisoformat(year_month_day).replace(hour=hour, minute=minute, tzinfo=UTC)
    return int((moment - START).total_seconds())


def iso(second: int) -> str:
    """An instant as ISO 8601 with Z."""
    return (START + timedelta(seconds=int(second))).strftime("%Y-%m-%dT%H:%M:%SZ")


MONTH_STARTS = [at(f"{month}-01") for month in MONTHS] + [at("2026-12-01")]


def month_of(seconds: NDArray[np.int32]) -> NDArray[np.int64]:
    """Position of each instant's UTC month in MONTHS; instants before the record count as its first month."""
    return np.clip(np.searchsorted(np.asarray(MONTH_STARTS), seconds, side="right") - 1, 0, len(MONTHS) - 1)


def week_of(seconds: NDArray[np.int32]) -> NDArray[np.int64]:
    """Position of each instant's ISO week, 0 being the week of START."""
    return np.asarray(seconds, dtype=np.int64) // WEEK


def _is_business_day(day: date) -> bool:
    return day.weekday() < 5 and day not in _HOLIDAYS


def _end_of_business_day(requested: date, count: int) -> int:
    day = requested
    while count:
        day += timedelta(days=1)
        count -= _is_business_day(day)
    return at(day.isoformat()) + DAY + _NEW_YORK_BEHIND


def _by_request_day(count: int) -> NDArray[np.int64]:
    first = START.date() - timedelta(days=1)
    return np.array([_end_of_business_day(first + timedelta(days=n), count) for n in range(DAYS + 2)], dtype=np.int64)


_QUIET_FROM = _by_request_day(_QUIET_FROM_BUSINESS_DAY)
_QUIET_TO = _by_request_day(_QUIET_TO_BUSINESS_DAY)


def _request_day(begins: NDArray[np.int32]) -> NDArray[np.int64]:
    return (np.asarray(begins, dtype=np.int64) - _NEW_YORK_BEHIND) // DAY + 1


def near_deadline(begins: NDArray[np.int32], starts: int, ends: int) -> NDArray[np.bool_]:
    """Whether a sending that lasts from `starts` to `ends` comes near the deadline of each request."""
    day = _request_day(begins)
    near: NDArray[np.bool_] = (ends > _QUIET_FROM[day]) & (starts < _QUIET_TO[day])
    return near
