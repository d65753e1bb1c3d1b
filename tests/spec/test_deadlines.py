"""Until when an opt-out may be applied: hours, calendar days and business days, by example.

`tests.support.acts` says how to read the lines: a message in flight is within the deadline, one past it is not.
"""

from __future__ import annotations

import pytest

from tests.support.acts import disagreements
from tests.support.reference_spans import Policy

BUSINESS_DAYS = Policy(scope="channel", default_deadline="10bd")
KOLKATA = Policy(scope="channel", default_deadline="1bd", report_timezone="Asia/Kolkata")
CALENDAR_DAYS = Policy(scope="channel", default_deadline="30d", report_timezone="America/New_York")

EXAMPLES: dict[str, tuple[Policy, str]] = {
    "ten business days, UTC: Tuesday 6 is day 1, Monday 19 day 10": (
        BUSINESS_DAYS,
        """
        05T12:00  opt_out    ann  sms  .  .
        20T00:00  marketing  ann  sms  .  sent  sent_in_flight@e1
        20T00:00:00.000001  marketing  ann  sms  .  sent  sent_past_deadline@e1
        """,
    ),
    "asked for on a weekend: Monday 5 is day 1, Friday 16 day 10": (
        BUSINESS_DAYS,
        """
        03T00:00  opt_out    ann  sms  .  .
        04T23:59  opt_out    bob  sms  .  .
        17T00:00  marketing  ann  sms  .  sent  sent_in_flight@e1
        17T00:01  marketing  ann  sms  .  sent  sent_past_deadline@e1
        17T00:00  marketing  bob  sms  .  sent  sent_in_flight@e2
        17T00:01  marketing  bob  sms  .  sent  sent_past_deadline@e2
        """,
    ),
    "Columbus Day is no business day in the US: Tuesday 20 is day 10": (
        BUSINESS_DAYS,
        """
        .         lives      ann  US   .
        05T12:00  opt_out    ann  sms  .  .
        21T00:00  marketing  ann  sms  .  sent  sent_in_flight@e1
        21T00:01  marketing  ann  sms  .  sent  sent_past_deadline@e1
        """,
    ),
    "the contact's own midnight, by its own date of the request: 03:30 UTC on the 6th is the 5th in New York": (
        BUSINESS_DAYS,
        """
        .         lives      ann  US   America/New_York
        06T03:30  opt_out    ann  sms  .  .
        21T04:00  marketing  ann  sms  .  sent  sent_in_flight@e1
        21T04:01  marketing  ann  sms  .  sent  sent_past_deadline@e1
        """,
    ),
    "over the end of summer time: Tuesday 27 is day 1, Monday 9 November day 10, which ends at 05:00 UTC": (
        BUSINESS_DAYS,
        """
        .         lives      ann  US   America/New_York
        26T12:00  opt_out    ann  sms  .  .
        2026-11-10T05:00  marketing  ann  sms  .  sent  sent_in_flight@e1
        2026-11-10T05:01  marketing  ann  sms  .  sent  sent_past_deadline@e1
        """,
    ),
    "over Christmas in Britain: Thursday 24 is day 4, Tuesday 29 day 5, Wednesday 6 January day 10": (
        BUSINESS_DAYS,
        """
        .         lives      ann  GB   Europe/London
        2026-12-18T12:00  opt_out    ann  sms  .  .
        2027-01-07T00:00  marketing  ann  sms  .  sent  sent_in_flight@e1
        2027-01-07T00:00:01  marketing  ann  sms  .  sent  sent_past_deadline@e1
        """,
    ),
    "an unknown country and zone count Mondays to Fridays in the report's zone": (
        BUSINESS_DAYS,
        """
        .         lives      ann  ZZ   Mars/Olympus
        05T12:00  opt_out    ann  sms  .  .
        20T00:00  marketing  ann  sms  .  sent  sent_in_flight@e1
        20T00:01  marketing  ann  sms  .  sent  sent_past_deadline@e1
        """,
    ),
    "one business day in a report zone of half hours: 19:00 UTC on Thursday is Friday there, so Monday is day 1": (
        KOLKATA,
        """
        08T18:00  opt_out    ann  sms  .  .
        08T19:00  opt_out    bob  sms  .  .
        09T18:30  marketing  ann  sms  .  sent  sent_in_flight@e1
        09T18:31  marketing  ann  sms  .  sent  sent_past_deadline@e1
        12T18:30  marketing  bob  sms  .  sent  sent_in_flight@e2
        12T18:31  marketing  bob  sms  .  sent  sent_past_deadline@e2
        """,
    ),
    "thirty days are 720 hours from the request itself, clock changes and all": (
        CALENDAR_DAYS,
        """
        05T12:00  opt_out    ann  sms  .  .
        2026-11-04T12:00  marketing  ann  sms  .  sent  sent_in_flight@e1
        2026-11-04T12:00:00.000001  marketing  ann  sms  .  sent  sent_past_deadline@e1
        """,
    ),
}


@pytest.fixture(scope="module")
def different() -> dict[str, dict[str, tuple[str, str]]]:
    """What the rule says otherwise than expected; all examples of a policy are judged together."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for policy in dict.fromkeys(policy for policy, _ in EXAMPLES.values()):
        found |= disagreements(policy, {name: text for name, (one, text) in EXAMPLES.items() if one == policy})
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_deadline_is_the_end_of_its_last_day(name: str, different: dict[str, dict[str, tuple[str, str]]]) -> None:
    assert different[name] == {}
