"""The reference of the rule book against cases worked out by hand: it judges the SQL, so it is judged first."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from tests.support.reference_deadlines import NEW_ROW, RuleRow, deadline, is_quiet, judging
from tests.support.reference_places import CERTAIN, POSSIBLE, UNKNOWN, Place, place_of
from tests.support.reference_reading import time_zone
from tests.support.reference_spans import Policy


def row(jurisdiction: str, value: str, unit: str, counting: str = "", **more: str) -> RuleRow:
    kind = {"kind": "optout_deadline", "effective_from": "2019-01-01", "rule_id": "one"}
    return {**NEW_ROW, **kind, "jurisdiction": jurisdiction, "value": value, "unit": unit, "counting": counting, **more}


def due(begins_at: str, place: Place, *rows: RuleRow, default: str = "10bd") -> str:
    policy = Policy(default_deadline=default, rules="default")
    found = deadline(datetime.fromisoformat(begins_at), "sms", place, judging(rows, policy), policy)
    return found.isoformat().replace("+00:00", "Z")


NEW_YORK = Place("US", "US-NY", POSSIBLE, ("America/New_York",), POSSIBLE)
SYDNEY = Place("AU", None, UNKNOWN, ("Australia/Sydney",), CERTAIN)
AUCKLAND = Place("NZ", None, UNKNOWN, ("Pacific/Auckland",), CERTAIN)


def test_ten_business_days_in_new_york() -> None:
    # Thursday 1 October 2026; the 12th is a holiday: Fr 2, 5-9, 13-16 are ten; midnight is 04:00 UTC.
    assert (
        due("2026-10-01T14:00:00Z", NEW_YORK, row("US", "10", "business_days", "day_after")) == "2026-10-17T04:00:00Z"
    )


def test_australia_counts_the_day_itself_and_new_zealand_the_day_after() -> None:
    # Thursday 2 April 2026 10:00 in Sydney. Good Friday is the 3rd, Easter Monday the 6th, clocks go back on the 5th:
    # Th 2, Tu 7, We 8, Th 9, Fr 10; the end of the 10th is 14:00 UTC at +10.
    assert due("2026-04-01T23:00:00Z", SYDNEY, row("AU", "5", "business_days", "same_day")) == "2026-04-10T14:00:00Z"
    # In Auckland it is noon of the same Thursday: Tu 7 to Fr 10, Mo 13; the end of the 13th is 12:00 UTC at +12.
    assert due("2026-04-01T23:00:00Z", AUCKLAND, row("NZ", "5", "working_days", "day_after")) == "2026-04-13T12:00:00Z"


def test_a_saturday_is_no_first_day_even_where_the_day_itself_counts() -> None:
    # Saturday 11 April 2026 in Sydney: the one business day is Monday the 13th.
    assert due("2026-04-11T02:00:00Z", SYDNEY, row("AU", "1", "business_days", "same_day")) == "2026-04-13T14:00:00Z"


def test_a_midnight_that_the_clock_skips_is_the_change_itself() -> None:
    # In Cairo clocks go forward at the end of Thursday 23 April 2026, at 22:00 UTC, to 01:00.
    cairo = Place("EG", None, UNKNOWN, ("Africa/Cairo",), CERTAIN)
    assert due("2026-04-23T10:00:00Z", cairo, row("EG", "1", "business_days", "same_day")) == "2026-04-23T22:00:00Z"


def test_the_rule_of_the_day_of_the_request_holds() -> None:
    old = row("US", "30", "calendar_days", "instant", effective_from="", effective_to="2025-04-10")
    new = row("US", "10", "business_days", "day_after", effective_from="2025-04-11")
    # 03:59:59 UTC on the 11th is still the 10th in New York.
    assert due("2025-04-11T03:59:59Z", NEW_YORK, old, new) == "2025-05-11T03:59:59Z"
    # Friday the 11th itself: 14-18 and 21-25 April are ten days.
    assert due("2025-04-11T04:00:00Z", NEW_YORK, old, new) == "2025-04-26T04:00:00Z"
    # The old one has no start: it judges from one year before its last day, and nothing judges earlier.
    assert due("2024-04-10T12:00:00Z", NEW_YORK, old, new, default="48h") == "2024-05-10T12:00:00Z"
    assert due("2024-04-09T12:00:00Z", NEW_YORK, old, new, default="48h") == "2024-04-11T12:00:00Z"


def test_the_strictest_row_wins_and_the_default_only_without_any() -> None:
    rows = [row("US", "10", "business_days", "day_after"), row("ALL", "48", "hours"), row("GB", "0", "immediate")]
    assert due("2026-10-01T14:00:00Z", NEW_YORK, *rows) == "2026-10-03T14:00:00Z"
    assert due("2026-10-01T14:00:00Z", NEW_YORK, row("GB", "0", "immediate"), default="1d") == "2026-10-02T14:00:00Z"
    # A state that only an area code suggests sets no deadline.
    assert due("2026-10-01T14:00:00Z", NEW_YORK, row("US-NY", "0", "immediate"), default="1d") == "2026-10-02T14:00:00Z"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("+13055550100", Place("US", "US-FL", POSSIBLE, ("America/New_York",), POSSIBLE)),
        ("x+447700900100", Place("GB", None, UNKNOWN, ("Europe/London",), CERTAIN)),
        ("anna@example.com", Place()),
    ],
)
def test_a_phone_number_suggests_a_place(address: str, expected: Place) -> None:
    assert place_of(address, []) == expected


def test_a_contacts_table_tells_the_place() -> None:
    told = {"contact": "a", "country": "AU", "region": None, "timezone": "Australia/Perth"}
    assert place_of("a", [told]) == Place("AU", None, UNKNOWN, ("Australia/Perth",), CERTAIN)
    assert place_of("a", [told | {"timezone": None}]).time_certainty == UNKNOWN
    # An American number of somebody in Britain says nothing of time or state.
    moved = place_of("+13055550100", [{"contact": "+13055550100", "country": "GB", "region": None, "timezone": None}])
    assert moved == Place("GB", None, UNKNOWN, ("Europe/London",), CERTAIN)


@pytest.mark.parametrize(
    ("local", "is_broken"),
    [
        ("2026-05-23T08:00:00", False),
        ("2026-05-23T07:59:59.999999", True),
        ("2026-05-23T22:00:00", False),
        ("2026-05-23T22:00:00.000001", True),
        ("2026-05-24T12:00:00", True),  # a Sunday
        ("2026-05-25T12:00:00", True),  # Whit Monday
    ],
)
def test_quiet_hours_in_france(local: str, is_broken: bool) -> None:
    text = "allow:MO-SA 08:00-22:00;deny:SU,PUBLIC_HOLIDAY"
    (rule,) = judging([row("FR", text, "local_time_recipient", kind="quiet_hours")], Policy(rules="default"))
    paris = time_zone("Europe/Paris")
    assert is_quiet(rule, datetime.fromisoformat(local).replace(tzinfo=paris), paris, "FR") == is_broken


def test_a_leap_day_begins_a_year_before_on_the_28th() -> None:
    (rule,) = judging([row("US", "1", "hours", effective_from="", checked_on="2028-02-29")], Policy(rules="default"))
    assert rule.judged_from == date(2027, 2, 28)
