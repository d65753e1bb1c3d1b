"""Where the sample's contacts are: the clocks an address may be on, the days its opt-outs are due, and the night.

What an area code says is read from the same reference files as a run reads, so that a correction there does not part
the sample from its key. How deadlines are counted is worked out here once more.
"""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pipelines.resources import reference_folder
from pipelines.sample import draws
from pipelines.sample.clock import DAY, DAYS, HOUR, START, START_EPOCH
from pipelines.sample.people import EMAIL, PUSH, SMS, WHATSAPP, People, area_codes
from pipelines.sample.state import Seconds

# The share of customers in the loyalty programme, whose list the CRM exports, and of those whose home it knows.
_SHARE_LISTED, _SHARE_PLACED = 0.45, 0.8
_SHARE_MOVED = 0.08
# Where those live who kept a number from elsewhere.
_NEW_HOMES = [
    ("US-NY", "America/New_York"),
    ("US-CA", "America/Los_Angeles"),
    ("US-IL", "America/Chicago"),
    ("US-CO", "America/Denver"),
    ("US-FL", "America/New_York"),
]
_CAPPED_REGIONS = {"US-FL", "US-OK", "US-MD", "US-OR"}
_BUSINESS_DAYS = 10
_NIGHT_ENDS = 8 * HOUR
# Days of requests and deadlines that are worked out, from a few days before the record.
_FIRST_DAY = START.date() - timedelta(days=4)
_DAY_COUNT = DAYS + 8


@cache
def _areas() -> dict[str, tuple[str, tuple[str, ...]]]:
    """By area code: its region (empty where several share it) and the time zones it may be in."""
    regions: dict[str, str] = {}
    zones: dict[str, set[str]] = {}
    with (reference_folder() / "area_codes.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            code = row["prefix"].removeprefix("+1")
            regions[code] = row["region"]
            zones.setdefault(code, set()).add(row["timezone"])
    return {code: (regions[code], tuple(sorted(zones[code]))) for code in map(str, area_codes().tolist())}


@cache
def _clock_groups() -> list[tuple[str, ...]]:
    """Every set of time zones that a contact may be in; its position stands for it."""
    alone = {("UTC",), ("Europe/London",)} | {(zone,) for _, zone in _NEW_HOMES}
    return sorted(alone | {zones for _, zones in _areas().values()} | {(zones[0],) for _, zones in _areas().values()})


@cache
def homes() -> list[tuple[str, str, str]]:
    """Every home a list may name: country, region and time zone; the first is Britain, then one per area code."""
    by_area = [("US", region, zones[0]) for region, zones in _areas().values()]
    return [("GB", "GB-ENG", "Europe/London"), *by_area, *(("US", *home) for home in _NEW_HOMES)]


def is_listed(people: People, person: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the person is on the list of the loyalty programme."""
    return draws.fraction(person, people.seed, 60) < _SHARE_LISTED


def is_placed(people: People, person: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether that list says where the person lives."""
    return is_listed(people, person) & (draws.fraction(person, people.seed, 61) < _SHARE_PLACED)


def home_of(people: People, person: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each person lives, as a position in `homes`: mostly where the area code says."""
    at_home = 1 + person % len(area_codes())
    moved = draws.fraction(person, people.seed, 62) < _SHARE_MOVED
    new = 1 + len(area_codes()) + (draws.fraction(person, people.seed, 63) * len(_NEW_HOMES)).astype(np.int64)
    return np.where(people.british[person] >= 0, 0, np.where(moved, new, at_home))


def _told_by_list(people: People, person: NDArray[np.int64], channel: int) -> NDArray[np.bool_]:
    """Whether the list says where this address of the person is; ids and tokens are not on it."""
    unlisted = {WHATSAPP: people.without_phone_number, PUSH: people.device_token}
    placed = is_placed(people, person)
    return placed & ~unlisted[channel][person] if channel in unlisted else placed


def _has_number(people: People, person: NDArray[np.int64], channel: int) -> NDArray[np.bool_]:
    if channel in (EMAIL, PUSH):
        return np.zeros(len(person), dtype=np.bool_)
    return ~people.without_phone_number[person] | (channel == SMS)


def _clocks(people: People, person: NDArray[np.int64], channel: int) -> NDArray[np.int64]:
    """The clocks each address may be on, as a position in the groups; UTC where nothing tells."""
    number = {group: position for position, group in enumerate(_clock_groups())}
    by_home = np.array([number[(zone,)] for _, _, zone in homes()])
    by_area = np.array([number[zones] for _, zones in _areas().values()])
    by_phone = np.where(people.british[person] >= 0, number[("Europe/London",)], by_area[person % len(area_codes())])
    unlisted = np.where(_has_number(people, person, channel), by_phone, number[("UTC",)])
    return np.where(_told_by_list(people, person, channel), by_home[home_of(people, person)], unlisted)


def _offsets(zone: str, seconds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Seconds east of UTC at each instant; the zones here change on whole hours of UTC."""
    changes, offsets = _changes(zone)
    return offsets[np.searchsorted(changes, seconds, side="right")]


@cache
def _changes(zone: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    hours = range(-8 * 24, (DAYS + 40) * 24)
    offset = [
        int(
            (
                datetime.fromtimestamp(START_EPOCH + hour * HOUR, ZoneInfo(zone)).utcoffset() or timedelta()
            ).total_seconds()
        )
        for hour in hours
    ]
    changed = [position for position in range(1, len(offset)) if offset[position] != offset[position - 1]]
    at = np.array([hours[position] * HOUR for position in changed], dtype=np.int64)
    return at, np.array([offset[0], *(offset[position] for position in changed)], dtype=np.int64)


def _westmost(
    groups: NDArray[np.int64], seconds: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[str], NDArray[np.int64]]:
    """Of the clocks each contact may be on, the one furthest west: its place in a list, the list, its offset."""
    zones = sorted({zone for group in _clock_groups() for zone in group})
    where = {zone: position for position, zone in enumerate(zones)}
    chosen = np.zeros(len(groups), dtype=np.int64)
    offset = np.full(len(groups), DAY, dtype=np.int64)
    for number in np.unique(groups).tolist():
        which = np.flatnonzero(groups == number)
        for zone in _clock_groups()[number]:
            here = _offsets(zone, seconds[which])
            less = here < offset[which]
            offset[which[less]] = here[less]
            chosen[which[less]] = where[zone]
    return chosen, zones, offset


@cache
def _holidays() -> dict[str, set[date]]:
    days: dict[str, set[date]] = {"US": set(), "GB": set(), "": set()}
    with (reference_folder() / "holidays.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["calendar"] in days:
                days[row["calendar"]].add(date.fromisoformat(row["on_date"]))
    return days


@cache
def _due(calendar: str, zone: str) -> NDArray[np.int64]:
    """By the local day of the request: the end of the tenth business day after it, in seconds since START."""
    ends = []
    for number in range(_DAY_COUNT):
        day = _FIRST_DAY + timedelta(days=number)
        left = _BUSINESS_DAYS
        while left:
            day += timedelta(days=1)
            left -= day.weekday() < 5 and day not in _holidays()[calendar]
        midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))
        ends.append(int((midnight.astimezone(UTC) - START).total_seconds()))
    return np.array(ends, dtype=np.int64)


def deadlines(people: People, person: NDArray[np.int32], channel: int, begins: Seconds) -> NDArray[np.int64]:
    """The deadline of each request: the end of the tenth business day after it where the contact is.

    The United States' rules for texts and e-mail and the home's own for everybody else both give ten business days;
    what differs is whose holidays, and whose midnight. An address that nothing is known of has weekends only, and UTC.
    """
    who = person.astype(np.int64)
    seconds = np.minimum(begins, (DAYS + 1) * DAY).astype(np.int64)
    zone, zones, offset = _westmost(_clocks(people, who, channel), seconds)
    told = _told_by_list(people, who, channel) | _has_number(people, who, channel)
    calendars = ["", "US", "GB"]
    calendar = np.where(told, np.where(people.british[who] >= 0, 2, 1), 0)
    day = (seconds + offset) // DAY + (START.date() - _FIRST_DAY).days
    due = np.zeros(len(who), dtype=np.int64)
    for both in np.unique(calendar * len(zones) + zone).tolist():
        which = calendar * len(zones) + zone == both
        due[which] = _due(calendars[both // len(zones)], zones[both % len(zones)])[day[which]]
    return due


def by_night(
    people: People, person: NDArray[np.int32], sent_at: Seconds
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which texts reach a contact before eight in the morning by a clock it may be on, and of which that is certain.

    British numbers have no quiet hours. No sending of the plan lasts into anybody's evening.
    """
    who = person.astype(np.int64)
    seconds = sent_at.astype(np.int64)
    _, _, offset = _westmost(_clocks(people, who, SMS), seconds)
    quiet = ((seconds + offset) % DAY < _NIGHT_ENDS) & (people.british[who] < 0)
    return quiet, _told_by_list(people, who, SMS)


def is_capped(people: People, person: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether a law of the contact's state allows three texts in 24 hours; the area code counts where no list tells."""
    who = person.astype(np.int64)
    by_home = np.array([region in _CAPPED_REGIONS for _, region, _ in homes()])
    by_area = np.array([region in _CAPPED_REGIONS for region, _ in _areas().values()])
    unlisted = by_area[who % len(area_codes())]
    capped = np.where(_told_by_list(people, who, SMS), by_home[home_of(people, who)], unlisted)
    return capped & (people.british[who] < 0)
