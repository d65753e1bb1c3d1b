"""What messages cost by example: no mixed currencies, no sign, nothing invented where no price is."""

from __future__ import annotations

from typing import Any

from tests.support.measured import measured

REPORTS = [{"source": "shop", "reports_delivery": 1}]
MESSAGES = """
message_id channel contact program sent       status    price  currency message_class is_marketing is_reached
m1         sms     1       news    2026-10-05 delivered -0.0075 USD     marketing     true         true
m2         sms     1       news    2026-10-06 failed    0.01   USD      marketing     true         false
m3         sms     2       news    2026-10-06 delivered 0.02   EUR      marketing     true         true
m4         sms     2       news    2026-11-02 delivered -      -        unknown       true         true
m5         email   3       news    2026-10-06 delivered 0.5    -        marketing     true         true
m6         sms     3       news    2026-10-06 delivered 9      USD      transactional false        false
"""


def costs(where: str, **relations: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """Currency, audience, messages, priced messages and cost of some rows."""
    engine = measured(MESSAGES, core__delivery_reports=REPORTS, **relations)
    return set(
        engine.rows(f"select currency, audience, message_count, priced_count, cost from metrics.costs where {where}")
    )


def test_charges_are_summed_without_their_sign_by_currency() -> None:
    # A failed message may be charged too; a transactional one is no marketing.
    assert costs("grain = 'all' and channel = 'sms'") == {
        ("USD", "all", 2, 2, 0.0175),
        ("EUR", "all", 1, 1, 0.02),
        (None, "all", 1, 0, None),
    }


def test_months_and_all_channels_have_their_own_rows() -> None:
    assert costs("grain = 'month' and period_start = date '2026-10-01' and channel = '*'") == {
        ("USD", "all", 2, 2, 0.0175),
        ("EUR", "all", 1, 1, 0.02),
        (None, "all", 1, 1, 0.5),
    }
    assert costs("grain = 'month' and period_start = date '2026-11-01'") == {(None, "all", 1, 0, None)}


def test_messages_after_an_opt_out_are_those_that_were_found() -> None:
    found = {"rule": "message_after_opt_out", "contact_key": 1, "channel": "sms", "program": "news"}
    findings = [
        found | {"message_id": "m1", "occurred_at": "2026-10-05 12:00:00+00"},
        found | {"message_id": "m2", "occurred_at": "2026-10-06 12:00:00+00", "waived_by": "legal"},
        # Another rule's finding is no message to an opted-out contact.
        found | {"rule": "message_in_quiet_hours", "contact_key": 2, "occurred_at": "2026-10-06 12:00:00+00"},
    ]
    assert costs("grain = 'all' and channel = 'sms' and audience = 'opted_out'", audits__findings=findings) == {
        ("USD", "opted_out", 2, 2, 0.0175)
    }
