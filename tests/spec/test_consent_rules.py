"""Rules about consent, confirmations, lists and campaigns by example: a few rows, and what is found in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.engines.duckdb import DuckDBEngine
from tests.support.core_database import build_audited
from tests.support.histories import History
from tests.support.reference_reading import COLUMNS
from tests.support.reference_spans import Policy

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Record = dict[str, list[dict[str, Any]]]


def act(event_type: str, at: datetime, event_id: str, **more: Any) -> dict[str, Any]:
    told = {"contact": "ann", "channel": "sms", "event_type": event_type, "requested_at": at, "event_id": event_id}
    return {"source": "crm"} | dict.fromkeys(COLUMNS["consent_events"]) | told | more


def message(at: datetime, message_id: str, **more: Any) -> dict[str, Any]:
    told = {"contact": "ann", "channel": "sms", "sent_at": at, "message_id": message_id, "status": "delivered"}
    return {"source": "shop"} | dict.fromkeys(COLUMNS["messages"]) | told | {"message_class": "marketing"} | more


def confirmation(at: datetime, message_id: str, **more: Any) -> dict[str, Any]:
    return message(at, message_id, message_class="confirmation", **more)


def campaign(**more: Any) -> dict[str, Any]:
    return {"source": "shop"} | dict.fromkeys(COLUMNS["campaigns"]) | {"campaign_id": "spring", "channel": "sms"} | more


def listing(**more: Any) -> dict[str, Any]:
    return {"source": "list"} | dict.fromkeys(COLUMNS["contacts"]) | {"contact": "ann", "listed": True} | more


STOP = act("opt_out", NOON, "stop", processed_at=NOON)
CONFIRMED = confirmation(NOON + MINUTE, "c1", body="You are unsubscribed.")
LATER = message(NOON + 40 * DAY, "later", contact="bob")  # so that the record goes on after the opt-out

#: Rule, what the example shows, its rows, and what is found: class, severity, id of the message, event or campaign.
EXAMPLES: list[tuple[str, str, Record, set[tuple[str, str, str]]]] = [
    (
        "campaign_ignores_opt_outs",
        "the box is left unticked",
        {"campaigns": [campaign(respects_opt_outs=False)], "messages": [message(NOON, "m", campaign_id="spring")]},
        {("suppression_off", "high", "spring")},
    ),
    (
        "campaign_ignores_opt_outs",
        "order updates may ignore opt-outs, and a ticked box is none",
        {
            "campaigns": [campaign(respects_opt_outs=False), campaign(campaign_id="autumn", respects_opt_outs=True)],
            "messages": [message(NOON, "m", campaign_id="spring", message_class="transactional")],
        },
        set(),
    ),
    (
        "confirmation_late",
        "five minutes are in time, a microsecond more is late",
        {
            "consent_events": [STOP, act("opt_out", NOON, "stop2", contact="bob")],
            "messages": [
                confirmation(NOON + 5 * MINUTE, "in time"),
                confirmation(NOON + 5 * MINUTE + timedelta(microseconds=1), "late", contact="bob"),
            ],
        },
        {("late", "warning", "late")},
    ),
    (
        "confirmation_repeated",
        "the second is one too many; after another STOP there may be another one",
        {
            "consent_events": [STOP, act("opt_out", NOON + DAY, "again")],
            "messages": [
                CONFIRMED,
                confirmation(NOON + 2 * MINUTE, "c2"),
                confirmation(NOON + DAY + MINUTE, "c3"),
            ],
        },
        {("repeated", "high", "c2")},
    ),
    (
        "confirmation_repeated",
        "one that failed confirmed nothing, and one after an opt-in is no confirmation of an opt-out",
        {
            "consent_events": [STOP, act("opt_in", NOON + HOUR, "back", actor="contact")],
            "messages": [
                confirmation(NOON + MINUTE, "failed", status="failed"),
                confirmation(NOON + 2 * MINUTE, "c2"),
                confirmation(NOON + HOUR + MINUTE, "welcome"),
            ],
        },
        set(),
    ),
    (
        "confirmation_with_marketing",
        "an offer in the confirmation",
        {
            "consent_events": [STOP],
            "messages": [confirmation(NOON + MINUTE, "c1", body="Sorry to see you go! 20% off if you stay.")],
        },
        {("marketing_text", "high", "c1")},
    ),
    (
        "confirmation_missing",
        "others are confirmed on this channel, this one is not",
        {
            "consent_events": [STOP, act("opt_out", NOON, "stop2", contact="bob")],
            "messages": [CONFIRMED, LATER],
        },
        {("no_confirmation", "notice", "stop2")},
    ),
    (
        "confirmation_missing",
        "a click and a call need none, and nobody is confirmed on this channel",
        {
            "consent_events": [
                act("opt_out", NOON, "click", method="link"),
                act("opt_out", NOON, "call", contact="bob", actor="operator"),
                act("opt_out", NOON, "word", contact="eve", channel="rcs"),
            ],
            "messages": [LATER],
        },
        set(),
    ),
    (
        "consent_from_forbidden_source",
        "bought, scraped, and a box ticked beforehand",
        {
            "consent_events": [
                act("opt_in", NOON, "bought", source_type="purchased", prechecked=True),
                act("opt_in_confirmed", NOON, "scraped", source_type="scraped"),
                act("opt_in", NOON, "ticked", source_type="own_web", prechecked=True),
                act("opt_in", NOON, "asked", source_type="own_web", prechecked=False),
                act("opt_in_requested", NOON, "only asked for", source_type="purchased"),
            ]
        },
        {("purchased", "high", "bought"), ("scraped", "high", "scraped"), ("prechecked_box", "high", "ticked")},
    ),
    (
        "contact_still_listed",
        "listed after the opt-out was processed; the newest list counts",
        {
            "consent_events": [STOP, act("opt_out", NOON, "stop2", contact="bob", processed_at=NOON)],
            "contacts": [
                listing(listed_at=NOON + DAY),
                listing(contact="bob", listed_at=NOON + DAY),
                listing(contact="bob", listed=False, listed_at=NOON + 2 * DAY),
            ],
        },
        {("still_listed", "warning", "stop")},
    ),
    (
        "contact_still_listed",
        "listed before the opt-out, at the instant it was processed, and after coming back",
        {
            "consent_events": [
                STOP,
                act("opt_out", NOON, "stop2", contact="bob", processed_at=NOON + HOUR),
                act("opt_out", NOON, "stop3", contact="eve", processed_at=NOON),
                act("opt_in", NOON + DAY, "back", contact="eve"),
            ],
            "contacts": [
                listing(listed_at=NOON - DAY),
                listing(contact="bob", listed_at=NOON + HOUR),
                listing(contact="eve", listed_at=NOON + 2 * DAY),
            ],
        },
        set(),
    ),
    (
        "opt_in_without_act",
        "an import undoes an opt-out; with no actor named its method tells",
        {
            "consent_events": [
                STOP,
                act("opt_in", NOON + DAY, "import", actor="import"),
                act("opt_out", NOON, "stop2", contact="bob"),
                act("opt_in", NOON + DAY, "unnamed", contact="bob", method="import"),
            ]
        },
        {("import", "high", "import"), ("import", "high", "unnamed")},
    ),
    (
        "opt_in_without_act",
        "the contact's own act, one at the same instant, one that undoes nothing",
        {
            "consent_events": [
                STOP,
                act("opt_in", NOON + DAY, "own", actor="contact"),
                act("opt_in", NOON + 2 * DAY, "import", actor="import"),
                act("opt_out", NOON, "stop2", contact="bob"),
                act("opt_in", NOON + DAY, "form", contact="bob", actor="contact"),
                act("opt_in", NOON + DAY, "sync", contact="bob", actor="system"),
                act("opt_in", NOON, "first", contact="eve", actor="operator"),
                act("opt_out", NOON, "stop4", contact="joe"),
                act("opt_in", NOON + DAY, "import 2", contact="joe", actor="import"),
                act("opt_in", NOON + DAY, "nobody named", contact="joe", method="link"),
            ]
        },
        set(),
    ),
    (
        "opt_out_not_honoured_in_time",
        "processed a second after 48 hours, exactly at them, and never",
        {
            "consent_events": [
                act("opt_out", NOON, "late", processed_at=NOON + 2 * DAY + timedelta(seconds=1)),
                act("opt_out", NOON, "just", contact="bob", processed_at=NOON + 2 * DAY),
                act("opt_out", NOON, "never", contact="eve"),
                act("opt_out", NOON, "took back", contact="joe"),
                act("opt_in", NOON + DAY, "joe is back", contact="joe", actor="contact"),
            ],
            "messages": [LATER],
        },
        {("processed_late", "high", "late"), ("not_processed", "warning", "never")},
    ),
]


@pytest.mark.parametrize(
    ("rule", "shows", "rows", "expected"), EXAMPLES, ids=[f"{rule}: {shows}" for rule, shows, _, _ in EXAMPLES]
)
def test_a_rule_finds_what_the_example_shows(
    rule: str, shows: str, rows: Record, expected: set[tuple[str, str, str]], tmp_path: Path
) -> None:
    history = History()
    for table in ("messages", "inbound_messages", "consent_events", "campaigns", "contacts"):
        history.rows[table] = rows.get(table, [])
    with DuckDBEngine() as engine:
        build_audited(engine, history, Policy(scope="channel", default_deadline="48h"), [], tmp_path)
        found = engine.rows(
            "select finding_class, severity, coalesce(message_id, event_id, campaign_id) from audits.findings"
            f" where rule = '{rule}'"
        )
    assert len(found) == len(set(found)), shows
    assert set(found) == expected, shows
