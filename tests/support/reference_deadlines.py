"""The rows of a rule book: which are in force for whom and when, and the deadline they give; in plain Python.

Part of the slow, obvious twin of the pipeline (see `tests.support.reference_rules`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path

from tests.support.reference_places import (
    CERTAIN,
    EUROPEAN_UNION,
    POSSIBLE,
    Place,
    end_of_day,
    is_business_day,
    is_holiday,
)
from tests.support.reference_reading import CHANNELS, time_zone, words
from tests.support.reference_spans import Policy

RuleRow = Mapping[str, str]

ALIASES = {
    "mms": ("sms",),
    "im": ("whatsapp", "messenger", "instagram", "telegram", "line", "viber"),
    "ott": ("whatsapp", "messenger", "instagram", "telegram", "line", "viber"),
    "social_dm": ("messenger", "instagram"),
    "voice_auto": ("voice",),
    "all": tuple(CHANNELS),
}
EVERYWHERE = frozenset({"PLATFORM", "PROVIDER", "ALL"})
#: What a row means that says nothing else.
NEW_ROW = dict.fromkeys(words("value unit counting severity effective_from effective_to checked_on"), "") | {
    "channel": "all",
    "message_class": "marketing",
    "enabled": "yes",
}
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
SEVERITIES = ("notice", "warning", "high", "critical")


@dataclass(frozen=True)
class Rule:
    """One row of the book that judges."""

    rule_id: str
    kind: str
    jurisdiction: str
    channels: frozenset[str]
    value: str
    unit: str
    counting: str
    severity: str
    judged_from: date | None
    judged_until: date | None

    def is_in_force(self, day: date) -> bool:
        """Whether it judges what happened on this local date."""
        return (self.judged_from is None or self.judged_from <= day) and (
            self.judged_until is None or day <= self.judged_until
        )

    def reaches(self, place: Place, channel: str) -> bool:
        """Whether a contact there, on this channel (`*`: any), is under it."""
        return (channel == "*" or channel in self.channels) and (
            self.jurisdiction in EVERYWHERE
            or self.jurisdiction in (place.country, place.region)
            or (self.jurisdiction == "EU" and place.country in EUROPEAN_UNION)
        )

    def rests_on_a_suggested_region(self, place: Place) -> bool:
        """Whether only the contact's area code says that it is under this row."""
        return "-" in self.jurisdiction and place.region_certainty != CERTAIN

    def severity_in(self, place: Place) -> str:
        """What a breach of it weighs there: a region that is only suggested makes it a warning."""
        return "warning" if self.rests_on_a_suggested_region(place) else self.severity


def judging(rows: Iterable[RuleRow], policy: Policy) -> list[Rule]:
    """The rows that judge under a policy, their words read."""
    return [
        Rule(
            rule_id=row["rule_id"],
            kind=row["kind"],
            jurisdiction=row["jurisdiction"],
            channels=frozenset(channel for word in row["channel"].split("|") for channel in ALIASES.get(word, (word,))),
            value=row["value"],
            unit=row["unit"],
            counting=row["counting"],
            severity=row["severity"] or "high",
            judged_from=_judged_from(row),
            judged_until=date.fromisoformat(row["effective_to"]) if row["effective_to"] else None,
        )
        for row in rows
        if _is_chosen(row, policy)
        and {"marketing", "any"} & set(row["message_class"].split("|"))
        # A value that is only text for readers judges nothing.
        and row["unit"] != "text"
    ]


def _is_chosen(row: RuleRow, policy: Policy) -> bool:
    if not isinstance(policy.rules, str):
        return row["rule_id"] in policy.rules
    return row["enabled"] in {"none": (), "default": ("yes",), "strict": ("yes", "strict")}[policy.rules]


def _judged_from(row: RuleRow) -> date | None:
    if row["effective_from"]:
        return date.fromisoformat(row["effective_from"])
    if not row["effective_to"] and not row["checked_on"]:
        return None
    known = date.fromisoformat(row["effective_to"] or row["checked_on"])
    year, is_leap_day = known.year - 1, (known.month, known.day) == (2, 29)
    return date(year, 2, 28) if is_leap_day else known.replace(year=year)


def book_of(home: Path, reference: Path) -> list[RuleRow]:
    """heed's rows with the home's laid over them: a cell that a home's rules.csv fills replaces heed's."""
    rows: dict[str, dict[str, str]] = {}
    for path in (reference / "rules.csv", home / "rules.csv"):
        if path.exists():
            with path.open(encoding="utf-8", newline="") as lines:
                for row in csv.DictReader(lines):
                    said = {column: cell for column, cell in row.items() if cell}
                    rows.setdefault(row["rule_id"], dict(NEW_ROW)).update(said)
    return list(rows.values())


# Deadlines


def deadline(begins_at: datetime, channel: str, place: Place, rules: Iterable[Rule], policy: Policy) -> datetime:
    """When a request has to be applied: by the strictest row in force where and when it was made, else by default."""
    zone = place.clock(begins_at, policy.report_timezone)
    day = begins_at.astimezone(zone).date()
    found = [
        _deadline_of(rule, begins_at, zone, place.country)
        for rule in rules
        if rule.kind == "optout_deadline"
        and rule.reaches(place, channel)
        # An area code is no proof of where somebody lives: nobody is blamed by the law of a suggested region.
        and not rule.rests_on_a_suggested_region(place)
        and rule.is_in_force(day)
    ]
    return min(found) if found else _default_deadline(begins_at, zone, place.country, policy)


def _deadline_of(rule: Rule, begins_at: datetime, zone: tzinfo, country: str | None) -> datetime:
    if rule.unit == "immediate":
        return begins_at
    amount = int(rule.value)
    if rule.unit == "hours":
        return begins_at + timedelta(hours=amount)
    if rule.unit == "calendar_days":
        return begins_at + timedelta(days=amount)
    assert rule.unit in ("business_days", "working_days"), rule
    return _end_of_business_day(amount, begins_at, zone, country, is_same_day=rule.counting == "same_day")


def _default_deadline(begins_at: datetime, zone: tzinfo, country: str | None, policy: Policy) -> datetime:
    text = policy.default_deadline
    if text.endswith("bd"):
        return _end_of_business_day(int(text.removesuffix("bd")), begins_at, zone, country, is_same_day=False)
    return begins_at + timedelta(hours=int(text[:-1]) * (1 if text.endswith("h") else 24))


def _end_of_business_day(
    amount: int, begins_at: datetime, zone: tzinfo, country: str | None, *, is_same_day: bool
) -> datetime:
    """The end of the Nth business day, counted from the day of the request or from the day after it."""
    day = begins_at.astimezone(zone).date()
    if is_same_day:
        day -= timedelta(days=1)
    while amount:
        day += timedelta(days=1)
        if is_business_day(day, country):
            amount -= 1
    return end_of_day(day, zone)


# Quiet hours

Windows = dict[str, list[tuple[timedelta, timedelta]]]


def windows(value: str) -> Windows:
    """The allowed windows of each day that a row names, as times since midnight; a denied day has none."""
    found: Windows = {}
    denied: list[str] = []
    for part in value.split(";"):
        if part.startswith("deny:"):
            denied += _days(part.removeprefix("deny:"))
            continue
        days, _, hours = part.removeprefix("allow:").partition(" ")
        for day in _days(days):
            found.setdefault(day, []).extend(_window(text) for text in hours.split(","))
    return found | {day: [] for day in denied}


def _days(text: str) -> list[str]:
    days: list[str] = []
    for word in text.split(","):
        if match := re.fullmatch("([A-Z]{2})-([A-Z]{2})", word):
            days += DAYS[DAYS.index(match[1]) : DAYS.index(match[2]) + 1]
        else:
            days.append(word)
    return days


def _window(text: str) -> tuple[timedelta, timedelta]:
    begin, end = (timedelta(hours=int(part.split(":")[0]), minutes=int(part.split(":")[1])) for part in text.split("-"))
    return begin, end


def is_quiet(rule: Rule, instant: datetime, zone: tzinfo, country: str | None) -> bool:
    """Whether the rule asks for quiet at this instant, on the clock of this zone."""
    local = instant.astimezone(zone)
    allowed = windows(rule.value)
    day = DAYS[local.weekday()]
    if "PUBLIC_HOLIDAY" in allowed and is_holiday(local.date(), country):
        day = "PUBLIC_HOLIDAY"
    since_midnight = local.replace(tzinfo=None) - datetime.combine(local.date(), time())
    return not any(begin <= since_midnight <= end for begin, end in allowed.get(day, []))


def quiet_certainty(rule: Rule, place: Place, instant: datetime) -> str | None:
    """How surely a message at this instant breaks a row that is in force for its contact; None: it does not."""
    if rule.unit.startswith("local_time"):
        zones, certainty = [time_zone(name) for name in place.zones], place.time_certainty
    else:
        zones, certainty = [time_zone(rule.unit)], CERTAIN
    if not any(is_quiet(rule, instant, zone, place.country) for zone in zones):
        return None
    return POSSIBLE if certainty == CERTAIN and rule.rests_on_a_suggested_region(place) else certainty


# Caps


def cap_of(rule: Rule) -> tuple[int, timedelta]:
    """How many messages in how long a frequency_cap row allows: `3/24h`."""
    amount, _, window = rule.value.partition("/")
    return int(amount), timedelta(hours=int(window[:-1]) * (24 if window.endswith("d") else 1))


def severest(severities: Iterable[str]) -> str:
    """The weightiest of some severities."""
    return max(severities, key=SEVERITIES.index)
