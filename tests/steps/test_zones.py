"""Time zones as tables of offsets, held to the clock of `zoneinfo` itself."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import pytest

from pipelines import zones

ZONES = (
    "America/New_York",
    "Europe/Dublin",  # whose summer time is the standard one
    "Australia/Lord_Howe",  # half an hour
    "Asia/Kolkata",  # no changes
    "Asia/Kathmandu",  # a quarter of an hour
    "Pacific/Apia",  # left out 30 December 2011
    "America/Caracas",  # changed its offset for good, by half an hour
    "Africa/Casablanca",  # several changes a year
    "Asia/Pyongyang",
)


@pytest.mark.parametrize("timezone", ZONES)
def test_offsets_are_those_of_the_clock(timezone: str) -> None:
    zone = ZoneInfo(timezone)
    periods = zones.offset_periods(timezone)
    assert periods[0][0] < datetime(2000, 1, 1, tzinfo=UTC)
    assert periods[-1][1] > datetime(2040, 12, 31, tzinfo=UTC)
    for (_, until, offset), (since, _, following) in pairwise(periods):
        assert until == since
        assert offset != following
    for since, until, offset in periods:
        for instant in (since, since + (until - since) / 2, until - timedelta(seconds=1)):
            assert instant.astimezone(zone).utcoffset() == timedelta(seconds=offset), instant


@pytest.mark.parametrize("timezone", ZONES)
def test_local_times_have_one_offset_or_a_reason_why_not(timezone: str) -> None:
    zone = ZoneInfo(timezone)
    periods = zones.local_periods(timezone)
    # A wall clock of every quarter of an hour around every change since 2000.
    changes = [since.replace(tzinfo=None) for since, _, _ in periods[1:]]
    for change in changes:
        for quarters in range(-8, 9):
            local = change + timedelta(minutes=15 * quarters)
            first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
            _, offset, problem = max(period for period in periods if period[0] <= local)
            if first.utcoffset() == second.utcoffset():
                assert (timedelta(seconds=offset or 0), problem) == (first.utcoffset(), None), local
            else:
                exists = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local
                assert (offset, problem) == (None, "timestamp_ambiguous" if exists else "timestamp_nonexistent"), local


@pytest.mark.parametrize(
    ("timezone", "seconds"),
    [("UTC", 0), ("Z", 0), ("GMT", 0), ("-06:00", -21600), ("+0530", 19800), ("UTC+2", 7200), ("+14", 50400)],
)
def test_a_fixed_offset_is_one_period(timezone: str, seconds: int) -> None:
    [(since, until, offset)] = zones.offset_periods(timezone)
    assert (since.year, until.year, offset) == (1999, 2041, seconds)
    assert [(offset, problem) for _, offset, problem in zones.local_periods(timezone)] == [(seconds, None)]


def test_every_zone_of_the_database_keeps_its_offsets_at_random_instants() -> None:
    random = Random(2026)
    first, last = datetime(2000, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    instants = sorted(first + random.random() * (last - first) for _ in range(150))
    for name in sorted(available_timezones()):
        periods = zones.offset_periods(name)
        assert all(earlier[1] == later[0] for earlier, later in pairwise(periods))
        starts = [start for start, _, _ in periods]
        for instant in instants:
            seconds = periods[bisect_right(starts, instant) - 1][2]
            assert timedelta(seconds=seconds) == instant.astimezone(ZoneInfo(name)).utcoffset(), (name, instant)
