"""Where a contact is and what its clocks and calendars show, one contact at a time, in plain Python.

Part of the slow, obvious twin of the pipeline (see `tests.support.reference_rules`). What a phone number suggests is a
small table here, written from the numbering plans; whoever uses another number adds its line.

An address of a test may have a name before its number: `00012a+1305` is a phone in Florida as `+13055550101` is.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from importlib.resources import files
from zoneinfo import available_timezones

import holidays

from tests.support.reference_reading import Row, time_zone, words

CERTAIN, POSSIBLE, UNKNOWN = "certain", "possible", "unknown"

#: Area codes: country, region (empty: none or several), time zones.
AREAS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "+1202": ("US", "US-DC", ("America/New_York",)),
    "+1212": ("US", "US-NY", ("America/New_York",)),
    "+1214": ("US", "US-TX", ("America/Chicago",)),
    "+1305": ("US", "US-FL", ("America/New_York",)),
    "+1405": ("US", "US-OK", ("America/Chicago",)),
    "+1416": ("CA", "CA-ON", ("America/Toronto",)),
    "+1541": ("US", "US-OR", ("America/Denver", "America/Los_Angeles")),
    "+1602": ("US", "US-AZ", ("America/Phoenix",)),
    "+1604": ("CA", "CA-BC", ("America/Vancouver",)),
    "+1709": ("CA", "CA-NL", ("America/St_Johns", "America/Halifax")),
    "+1808": ("US", "US-HI", ("Pacific/Honolulu",)),
    "+1850": ("US", "US-FL", ("America/New_York", "America/Chicago")),
    "+1860": ("US", "US-CT", ("America/New_York",)),
}
CALLING_CODES = {"+33": "FR", "+44": "GB", "+49": "DE", "+61": "AU", "+64": "NZ", "+91": "IN"}
EUROPEAN_UNION = frozenset(
    words("AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"),
)
#: The countries whose public holidays heed knows, from 2010 to 2040.
CALENDARS = frozenset(
    words("AT AU BE BR CA CH DE DK ES FI FR GB IE IN IT JP KR MX NL NO NZ PL PT SE SG US ZA"),
)


@dataclass(frozen=True)
class Place:
    """Where a contact is: the zones its clock may follow, and how sure its region and its local time are."""

    country: str | None = None
    region: str | None = None
    region_certainty: str = UNKNOWN
    zones: tuple[str, ...] = ()
    time_certainty: str = UNKNOWN

    def clock(self, instant: datetime, report_timezone: str) -> tzinfo:
        """The zone that tells the contact's date where one has to be chosen: the one with the latest midnight."""
        if self.time_certainty == UNKNOWN:
            return time_zone(report_timezone)
        # Where clocks go back at different instants two zones show one time for an hour: the next day tells.
        instants = (instant, instant + timedelta(days=1))
        candidates = [time_zone(name) for name in self.zones]
        return min(candidates, key=lambda zone: [at.astimezone(zone).utcoffset() or timedelta(0) for at in instants])

    def local_date(self, instant: datetime, report_timezone: str) -> date:
        """The contact's date at an instant, by that zone."""
        return instant.astimezone(self.clock(instant, report_timezone)).date()


def place_of(address: str, contact_rows: Iterable[Row]) -> Place:
    """Where the contact of this address is, by the contacts table, else by its phone number.

    A region or a zone that the number suggests is only taken where the contacts table names no other country.
    """
    listed = [row for row in contact_rows if row["contact"] == address]
    phone = _place_of_phone(address)
    country = _smallest(listed, "country") or phone.country
    region = _smallest(listed, "region")
    zone = _smallest([row for row in listed if row.get("timezone") in available_timezones()], "timezone")
    agrees = phone.country == country
    region_certainty = CERTAIN if region else UNKNOWN
    if region is None and agrees and phone.region:
        region, region_certainty = phone.region, POSSIBLE
    if zone:
        return Place(country, region, region_certainty, (zone,), CERTAIN)
    # A region that is told beats the area code of the number, which people keep when they move.
    if region_certainty == CERTAIN and _zones_of_region(region):
        return Place(country, region, region_certainty, _zones_of_region(region), POSSIBLE)
    if agrees and phone.zones:
        return Place(country, region, region_certainty, phone.zones, phone.time_certainty)
    zones, certainty = _zones_of_country(country)
    return Place(country, region, region_certainty, zones, certainty)


def _smallest(rows: list[Row], column: str) -> str | None:
    return min((row[column] for row in rows if row.get(column)), default=None)


def calling_prefix(address: str) -> str | None:
    """What of a phone number says where it is: calling code, within +1 with the area code; None for no phone."""
    if "@" in address or "+" not in address:
        return None
    number = address[address.index("+") :]
    return number[:5] if number.startswith("+1") else number[:3]


def _place_of_phone(address: str) -> Place:
    prefix = calling_prefix(address)
    if prefix is None:
        return Place()
    if prefix in AREAS:
        country, region, zones = AREAS[prefix]
        return Place(country, region or None, POSSIBLE if region else UNKNOWN, zones, POSSIBLE)
    country = CALLING_CODES[prefix]
    zones, certainty = _zones_of_country(country)
    return Place(country, None, UNKNOWN, zones, certainty)


def _zones_of_region(region: str | None) -> tuple[str, ...]:
    """Every zone that an area code of a region suggests."""
    return tuple({zone: None for _, where, zones in AREAS.values() if where == region for zone in zones})


@cache
def _zones_of_country(country: str | None) -> tuple[tuple[str, ...], str]:
    """The zones of a country; its local time is certain where all of them have shown the same time since 2010."""
    table = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    cells = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    # The Chatham Islands are left out, by decision.
    zones = tuple(zone for code, _, zone, *_ in cells if code == country and zone != "Pacific/Chatham")
    return zones, CERTAIN if len({_offsets(zone) for zone in zones}) == 1 else UNKNOWN


@cache
def _offsets(zone: str) -> tuple[timedelta | None, ...]:
    noon = datetime(2010, 1, 1, 12, tzinfo=UTC)
    return tuple((noon + timedelta(days=day)).astimezone(time_zone(zone)).utcoffset() for day in range(365 * 20))


@cache
def public_holidays(country: str) -> frozenset[date]:
    """The nationwide public holidays of a country; none where heed has no calendar."""
    if country not in CALENDARS:
        return frozenset()
    with warnings.catch_warnings():
        # Some calendars say that they do not reach so far.
        warnings.simplefilter("ignore")
        return frozenset(holidays.country_holidays(country, years=range(2010, 2041)))


def is_holiday(day: date, country: str | None) -> bool:
    """Whether a date is a public holiday there."""
    return country is not None and day in public_holidays(country)


def is_business_day(day: date, country: str | None) -> bool:
    """Monday to Friday, and no public holiday of the country."""
    return day.isoweekday() <= 5 and not is_holiday(day, country)


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """The next local midnight; where the clock jumps over it, the change itself."""
    # fold=0 reads a skipped midnight by the offset before the change: the very instant of the change.
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
