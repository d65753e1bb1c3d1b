"""The checks in sql/checks that are more than a filter, by example and against the slow reference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from pipelines import sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from tests.support import reference_spans as reference
from tests.support.working_database import insert, sound_database, working_database

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


def inside(engine: DuckDBEngine) -> set[str]:
    """The messages that the independent reckoning places inside."""
    rows = engine.rows(sqlfiles.read("checks.opted_out_contacts").text)
    assert all(is_inside for _, _, is_inside, _ in rows), "no finding was planted"
    return {message_id for _, message_id, _, _ in rows}


# The acts, as minutes after noon and event type; the minute of the message; whether it is inside.
MOMENTS = [
    ([(0, "opt_out")], 1, True),
    ([(0, "opt_out")], 0, False),
    ([(0, "opt_out")], -1, False),
    ([(0, "complaint")], 1, True),
    ([(0, "opt_in")], 1, False),
    ([(0, "opt_out"), (5, "opt_in")], 4, True),
    ([(0, "opt_out"), (5, "opt_in")], 5, False),
    ([(0, "opt_out"), (5, "opt_in")], 6, False),
    ([(0, "opt_out"), (5, "opt_in_confirmed")], 6, False),
    ([(0, "opt_out"), (5, "opt_in_requested")], 6, True),
    ([(0, "opt_out"), (5, "unblock")], 6, True),
    # An opt-out at the instant of an opt-in is the later act, and begins a new span there.
    ([(0, "opt_out"), (5, "opt_in"), (5, "opt_out")], 6, True),
    ([(0, "opt_out"), (5, "opt_in"), (5, "opt_out")], 5, False),
    ([(5, "opt_in"), (5, "opt_out")], 6, True),
    # Repeating an opt-out changes nothing, not even at the instant of the repeat.
    ([(0, "opt_out"), (5, "opt_out")], 5, True),
    ([(0, "block")], 1, True),
    ([(0, "block"), (5, "unblock")], 6, False),
    ([(0, "block"), (5, "opt_in")], 6, False),
    # The two kinds are kept apart: unblocking does not undo an opt-out.
    ([(0, "opt_out"), (1, "block"), (5, "unblock")], 6, True),
    ([(0, "opt_out"), (1, "block"), (5, "opt_in")], 6, False),
]


@pytest.mark.parametrize(("acts", "minute", "expected"), MOMENTS)
def test_a_message_is_inside_strictly_between_both_ends(
    acts: list[tuple[int, str]], minute: int, expected: bool
) -> None:
    with working_database() as engine:
        insert(engine, "run.parameters", {})
        for number, (at, event_type) in enumerate(acts):
            requested_at = NOON + timedelta(minutes=at)
            event = {"event_id": f"e{number}", "event_type": event_type, "requested_at": requested_at}
            insert(engine, "core.consent_events", event)
        insert(engine, "core.messages", {"message_id": "m", "sent_at": NOON + timedelta(minutes=minute)})
        assert inside(engine) == ({"m"} if expected else set())


# The scope; how the opt-out differs from one of contact 1, sms and program news; the message; whether it is inside.
SCOPES = [
    ("channel", {}, {}, True),
    ("channel", {}, {"program": "offers"}, True),
    ("channel", {}, {"channel": "email"}, False),
    ("channel", {"channel": "*"}, {"channel": "email"}, True),
    ("channel", {}, {"contact_key": 2}, False),
    ("program", {}, {"program": "news"}, True),
    ("program", {}, {"program": "offers"}, False),
    ("program", {"program": "*"}, {"program": "offers"}, True),
    ("program", {"channel": "*"}, {"program": "news", "channel": "email"}, True),
    ("program", {"program": "*"}, {"channel": "email"}, False),
    # Contacts 1 and 2 are one person, 3 is another.
    ("person", {}, {"contact_key": 2, "channel": "email", "program": "offers"}, True),
    ("person", {"contact_key": 2}, {}, True),
    ("person", {}, {"contact_key": 3}, False),
    ("channel", {}, {"message_class": "unknown"}, True),
    ("channel", {}, {"message_class": "transactional"}, False),
    ("channel", {}, {"message_class": "confirmation"}, False),
    ("channel", {}, {"status": "suppressed"}, True),
]


@pytest.mark.parametrize(("scope", "event", "message", "expected"), SCOPES)
def test_the_scope_says_which_messages_an_opt_out_is_about(
    scope: str, event: dict[str, object], message: dict[str, object], expected: bool
) -> None:
    with working_database() as engine:
        insert(engine, "run.parameters", {"scope": scope})
        for contact, person in ((1, "ann"), (2, "ann"), (3, "bob")):
            insert(engine, "core.contacts", {"contact_key": contact, "person_key": person})
        insert(engine, "core.consent_events", {"event_id": "e", "program": "news", "requested_at": NOON} | event)
        insert(engine, "core.messages", {"message_id": "m", "sent_at": NOON + timedelta(minutes=1)} | message)
        assert inside(engine) == ({"m"} if expected else set())


@pytest.mark.parametrize("scope", ["channel", "program", "person"])
def test_the_reckoning_agrees_with_the_reference(scope: str) -> None:
    # Few contacts, channels and minutes, so that ties and switches back and forth are common.
    random = Random(scope)
    person_of = {"1": "1", "2": "1", "3": "3"}

    def instant() -> datetime:
        return NOON + timedelta(minutes=random.randrange(40))

    def place(every: str) -> tuple[str, str, str]:
        channels, programs = ["sms", "email", every], ["news", "offers", every]
        return random.choice(list(person_of)), random.choice(channels), random.choice(programs)

    inside_count = 0
    for _ in range(5):
        events = []
        for number in range(random.randrange(1, 40)):
            contact, channel, program = place("*")
            event_type = random.choice(
                ["opt_in", "opt_in_requested", "opt_in_confirmed", "opt_out", "block", "unblock", "complaint"]
            )
            event_id = f"e{number}"
            event = reference.Event("shop", event_id, channel, contact, None, program, event_type, instant(), None)
            events.append(event)
        messages = []
        for number in range(60):
            contact, channel, program = place("whatsapp")
            message_class = random.choice(["marketing", "marketing", "unknown", "transactional"])
            message_id = f"m{number}"
            message = reference.Message(
                "shop", message_id, channel, contact, None, program, None, message_class, instant(), "sent"
            )
            messages.append(message)
        policy = reference.Policy(scope=scope)
        spans = reference.spans(messages, events, person_of, policy)
        expected = {found.message.message_id for found in reference.findings(messages, spans, person_of, policy)}
        with working_database() as engine:
            insert(engine, "run.parameters", {"scope": scope})
            for contact, person in person_of.items():
                insert(engine, "core.contacts", {"contact_key": int(contact), "person_key": person})
            for event in events:
                row = {"event_id": event.event_id, "contact_key": int(event.contact), "channel": event.channel}
                row |= {"program": event.program, "event_type": event.event_type, "requested_at": event.requested_at}
                insert(engine, "core.consent_events", row)
            for message in messages:
                row = {"message_id": message.message_id, "contact_key": int(message.contact)}
                row |= {"channel": message.channel, "program": message.program, "sent_at": message.sent_at}
                insert(engine, "core.messages", row | {"message_class": message.message_class})
            assert inside(engine) == expected
        inside_count += len(expected)
    assert 30 < inside_count < 270, "of 300 messages, enough must be inside and enough outside"


NEWEST = "2026-10-20 00:00:00+00"


@pytest.mark.parametrize(
    ("relation", "row"),
    [
        # A later version of m1: core keeps the earliest sent_at.
        ("history.messages", {"message_id": "m1", "sent_at": NEWEST}),
        ("history.messages", {"message_id": "m1", "status_at": NEWEST}),
        ("history.consent_events", {"event_id": "e2", "requested_at": NEWEST}),
        ("history.consent_events", {"event_id": "e2", "processed_at": NEWEST}),
        ("history.inbound_messages", {"inbound_id": "i1", "received_at": NEWEST}),
        ("history.contacts", {"contact_key": 2, "listed_at": NEWEST}),
        ("history.campaigns", {"campaign_id": "c1", "started_at": NEWEST}),
    ],
)
def test_the_newest_record_is_looked_for_by_key_in_every_table(relation: str, row: dict[str, object]) -> None:
    with sound_database() as engine:
        insert(engine, relation, row | {"source": "shop", "load_id": "load-1"})
        engine.execute(f"update run.inputs set last_record_at = '{NEWEST}'")
        query = sqlfiles.read("checks.newest_record_is_in_core").text
        assert engine.rows(query) == []
        for table in ("messages", "consent_events", "inbound_messages", "contacts"):
            engine.execute(f"delete from core.{table}")
        # Campaigns have no relation of their own in core.
        assert len(engine.rows(query)) == (0 if relation == "history.campaigns" else 1)


def test_nothing_in_core_may_be_newer_than_what_was_delivered() -> None:
    with sound_database() as engine:
        query = sqlfiles.read("checks.newest_record_is_in_core").text
        engine.execute("update run.inputs set last_record_at = '2026-10-05 12:00:00+00'")
        assert len(engine.rows(query)) == 1
        engine.execute("update run.inputs set last_record_at = null")
        assert len(engine.rows(query)) == 1
