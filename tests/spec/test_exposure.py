"""Exposure by example: which violations a penalty counts, whose, when, and how often."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.measured import instant, measured

FEDERAL = {"rule_id": "us-text", "low": 500.0, "high": 1500.0, "currency": "USD", "unit": "per message"}
STATE = {"rule_id": "fl-text", "low": 0.0, "high": 5000.0, "currency": "USD", "unit": "per violation"}
REACH = [
    {"rule_id": "us-text", "kind": "penalty", "country": "US", "region": "*", "channel": "sms"},
    {"rule_id": "us-text", "kind": "penalty", "country": "US", "region": "*", "channel": "voice"},
    {"rule_id": "fl-text", "kind": "penalty", "country": "US", "region": "US-FL", "channel": "*"}
    | {"from_on": "2026-10-01", "until_on": "2026-10-31"},
    {"rule_id": "us-quiet", "kind": "quiet_hours", "country": "US", "region": "*", "channel": "sms"},
]
#: Contact 1 is in Florida for sure, 2 perhaps, 3 somewhere in the United States, 4 in Britain.
CONTACTS = [
    {"contact_key": 1, "country": "US", "region": "US-FL", "region_certainty": "certain"},
    {"contact_key": 2, "country": "US", "region": "US-FL", "region_certainty": "possible"},
    {"contact_key": 3, "country": "US", "region_certainty": "unknown"},
    {"contact_key": 4, "country": "GB", "region_certainty": "unknown"},
]
#: Violations, possible ones, the lowest and the highest amount.
Counts = tuple[int, int, float, float]
NONE: Counts = (0, 0, 0.0, 0.0)


def exposure(*findings: dict[str, Any], zone: str = "UTC") -> dict[str, Counts]:
    """Exposure by penalty; a finding is a critical one to contact 1 on 5 October unless it says otherwise."""
    rows = []
    for position, finding in enumerate(findings):
        row = {"severity": "critical", "occurred_at": instant("2026-10-05"), "message_id": f"m{position}"} | finding
        rows.append(row)
    engine = measured(
        as_of="2026-11-18",
        zone=zone,
        audits__findings=rows,
        core__contacts=CONTACTS,
        run__penalties=[FEDERAL, STATE],
        run__rule_reach=REACH,
    )
    names = "legal_rule_id, violation_count, possible_count, low_amount, high_amount"
    return {row[0]: row[1:] for row in engine.rows(f"select {names} from metrics.exposure")}


def test_every_penalty_in_force_has_a_row_and_its_own_count() -> None:
    assert exposure() == {"us-text": NONE, "fl-text": NONE}
    assert exposure({}, {"severity": "high"}) == {"us-text": (2, 0, 1000.0, 3000.0), "fl-text": (2, 0, 0.0, 10000.0)}


@pytest.mark.parametrize(
    "finding",
    [
        {"waived_by": "Ann"},
        {"severity": "warning"},
        {"severity": "notice"},
        {"delivered": False},
        {"delivered": None},
        {"rule": "opt_out_request_missed"},
        {"rule": "message_without_opt_out_instructions"},
        {"rule": "opt_out_not_honoured_in_time", "message_id": None, "event_id": "e"},
        {"contact_key": 4},
    ],
)
def test_what_is_no_violation_by_a_delivered_message_costs_nothing(finding: dict[str, Any]) -> None:
    assert exposure(finding) == {"us-text": NONE, "fl-text": NONE}


@pytest.mark.parametrize(
    "rule",
    [
        "message_after_opt_out",
        "message_without_consent",
        "message_before_confirmation",
        "message_in_quiet_hours",
        "message_over_frequency_cap",
        "confirmation_repeated",
        "confirmation_with_marketing",
    ],
)
def test_rules_about_messages_count(rule: str) -> None:
    assert exposure({"rule": rule})["us-text"] == (1, 0, 500.0, 1500.0)


def test_a_message_counts_once_however_many_rules_it_broke() -> None:
    twice = {"rule": "message_in_quiet_hours", "message_id": "m0"}
    assert exposure({}, twice)["us-text"] == (1, 0, 500.0, 1500.0)
    # The same id in another source is another message.
    assert exposure({}, twice | {"source": "mailer"})["us-text"] == (2, 0, 1000.0, 3000.0)


def test_a_region_that_is_a_guess_is_counted_apart_and_in_no_amount() -> None:
    found = exposure({}, {"contact_key": 2}, {"contact_key": 3})
    assert found == {"us-text": (3, 0, 1500.0, 4500.0), "fl-text": (1, 1, 0.0, 5000.0)}


def test_a_penalty_reaches_its_channels_and_its_days_only() -> None:
    assert exposure({"channel": "email"}) == {"us-text": NONE, "fl-text": (1, 0, 0.0, 5000.0)}
    assert exposure({"occurred_at": instant("2026-09-30")})["fl-text"] == NONE
    assert exposure({"occurred_at": instant("2026-10-31")})["fl-text"] == (1, 0, 0.0, 5000.0)
    # 1 November 03:00 UTC is 31 October in New York.
    late = {"occurred_at": instant("2026-11-01T03:00")}
    assert exposure(late)["fl-text"] == NONE
    assert exposure(late, zone="America/New_York")["fl-text"] == (1, 0, 0.0, 5000.0)


def test_a_penalty_that_does_not_grow_with_the_messages_has_no_row() -> None:
    by_firm = FEDERAL | {"rule_id": "by-firm", "unit": ""}
    engine = measured(run__penalties=[by_firm], run__rule_reach=[REACH[0] | {"rule_id": "by-firm"}])
    assert engine.rows("select * from metrics.exposure") == []
