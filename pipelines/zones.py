"""Time zones as tables of UTC offsets, so that local time is a join and not a call per row.

Source: the IANA time zone database, through `zoneinfo`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from pipelines.settings import fixed_offset_seconds

_FIRST = datetime(1999, 12, 1, tzinfo=UTC)
_LAST = datetime(2041, 1, 1, tzinfo=UTC)
#: No zone has changed its offset twice within this time since 2000; a test asks every zone of the database.
_STEP = timedelta(days=5)


def utc_text(instant: datetime, timespec: str = "auto") -> str:
    """An instant in ISO 8601 with Z, to the `timespec` of `isoformat`."""
    return instant.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


#: One stretch of time in which a zone keeps one offset: from, until (both UTC, end exclusive), seconds east.
OffsetPeriod = tuple[datetime, datetime, int]


def _offset(zone: ZoneInfo, instant: datetime) -> int:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


@cache
def offset_periods(timezone: str) -> tuple[OffsetPeriod, ...]:
    """Every period of constant UTC offset of a zone from 2000 to 2040, to the second, in order."""
    fixed = fixed_offset_seconds(timezone)
    if fixed is not None:
        return ((_FIRST, _LAST, fixed),)
    zone = ZoneInfo(timezone)
    periods: list[OffsetPeriod] = []
    start, current = _FIRST, _offset(zone, _FIRST)
    day = _FIRST
    while day < _LAST:
        following = day + _STEP
        if _offset(zone, following) != current:
            low, high = day, following
            while high - low > timedelta(seconds=1):
                middle = (low + (high - low) / 2).replace(microsecond=0)
                low, high = (middle, high) if _offset(zone, middle) == current else (low, middle)
            periods.append((start, high, current))
            start, current = high, _offset(zone, following)
        day = following
    periods.append((start, _LAST, current))
    return tuple(periods)


#: A stretch of local time: from (naive), seconds east of UTC or None, and why there is none.
LocalPeriod = tuple[datetime, int | None, str | None]


@cache
def local_periods(timezone: str) -> tuple[LocalPeriod, ...]:
    """Local time cut into stretches that have one offset, or none: `timestamp_ambiguous` (the clock went back
    and the hour came twice) or `timestamp_nonexistent` (the clock went forward over it)."""
    periods = offset_periods(timezone)
    local: list[LocalPeriod] = [(_FIRST.replace(year=1900, tzinfo=None), periods[0][2], None)]
    for (_, change, before), (_, _, after) in pairwise(periods):
        old = (change + timedelta(seconds=before)).replace(tzinfo=None)
        new = (change + timedelta(seconds=after)).replace(tzinfo=None)
        problem = "timestamp_nonexistent" if new > old else "timestamp_ambiguous"
        local.append((min(old, new), None, problem))
        local.append((max(old, new), after, None))
    return tuple(local)
