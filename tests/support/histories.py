"""Tiny histories on a coarse grid of time, where ties, boundaries and repeated acts are the rule.

A history is a few contacts' message and consent rows, as the load step accepts them: versions not yet merged. The
histories of one list share no address, no person and no key, so that thousands can be judged at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from tests.support.reference_reading import COLUMNS, Row
from tests.support.reference_spans import Policy

# Six-hour steps across a change of clocks in New York, a change of month, and one of (ISO) years.
_STARTS = (datetime(2026, 3, 6, tzinfo=UTC), datetime(2026, 2, 27, tzinfo=UTC), datetime(2025, 12, 27, tzinfo=UTC))
_STEP = timedelta(hours=6)
_STEPS = 20


@dataclass
class History:
    """Rows of the three tables that know people, before merging."""

    rows: dict[str, list[Row]] = field(
        default_factory=lambda: {"messages": [], "consent_events": [], "contacts": []},
    )

    def __str__(self) -> str:
        lines = []
        for table, rows in self.rows.items():
            for row in rows:
                values = {column: value for column, value in row.items() if value is not None}
                lines.append(f"{table}: " + ", ".join(f"{column} {value}" for column, value in values.items()))
        return "\n".join(lines)


def random_policy(random: Random, scope: str) -> Policy:
    """A policy; a deadline in hours or days falls on the grid."""
    return Policy(
        scope=scope,
        default_deadline=random.choice(["0h", "6h", "12h", "1d", "2d", "1bd", "3bd"]),
        report_timezone=random.choice(["UTC", "America/New_York", "Asia/Kolkata"]),
    )


def random_histories(random: Random, count: int, *, event_count: int = 7, message_count: int = 7) -> list[History]:
    """So many independent histories of up to so many rows each."""
    return [random_history(random, f"{number:05d}", event_count, message_count) for number in range(count)]


def random_history(random: Random, prefix: str, event_count: int, message_count: int) -> History:
    """One history; every name in it begins with `prefix`."""
    history = History()
    start = random.choice(_STARTS)
    contacts = [f"{prefix}{letter}" for letter in "abc"[: random.randint(1, 3)]]
    channels = ["sms", "email", "push"][: random.randint(1, 3)]
    programs = [None, "news", "sale"][: random.randint(1, 3)]
    has_persons = random.random() < 0.6
    person_ids = [None, *(f"{prefix}p{number}" for number in range(3 if has_persons else 0))]

    def instant() -> datetime:
        return start + random.randrange(_STEPS) * _STEP + timedelta(microseconds=random.choice([0, 0, 0, 0, 1]))

    def row(table: str, **values: object) -> Row:
        empty: Row = dict.fromkeys(COLUMNS[table])
        shared = {"contact": random.choice(contacts), "person_id": random.choice(person_ids)}
        return {"source": random.choice(["one", "two"])} | empty | shared | values

    for number in range(random.randint(0, event_count)):
        requested_at = instant()
        event = row(
            "consent_events",
            event_id=f"{prefix}e{number}",
            channel=random.choice(["*", *channels, *channels]),
            program=random.choice(["*", *programs]),
            event_type=_event_type(random),
            requested_at=requested_at,
            processed_at=random.choice([None, None, requested_at + random.choice([-1, 0, 0, 1, 2, 5]) * _STEP]),
            reason_code=random.choice([None, "content", "privacy", "too_frequent"]),
        )
        history.rows["consent_events"].append(event)
        if random.random() < 0.15:
            again = event | {"requested_at": instant(), "processed_at": random.choice([None, instant()])}
            again |= {"program": random.choice(["*", *programs]), "channel": random.choice(["*", *channels])}
            history.rows["consent_events"].append(again)
    for number in range(random.randint(0, message_count)):
        message = row(
            "messages",
            message_id=f"{prefix}m{number}",
            channel=random.choice(channels),
            program=random.choice(programs),
            campaign_id=random.choice([None, f"{prefix}c", "spring"]),
            message_class=random.choice([None, "marketing", "marketing", "unknown", "transactional", "confirmation"]),
            sent_at=instant(),
            status=_status(random),
        )
        history.rows["messages"].append(message)
        if random.random() < 0.3:
            classes = [None, "marketing", "transactional"]
            again = message | {"status": _status(random), "message_class": random.choice(classes)}
            if random.random() < 0.5:
                again |= {"sent_at": instant(), "contact": random.choice(contacts), "program": random.choice(programs)}
            history.rows["messages"].append(again)
    if random.random() < 0.3:
        history.rows["contacts"].append(row("contacts"))
    return history


def _event_type(random: Random) -> str:
    weights = {
        "opt_out": 8,
        "complaint": 2,
        "opt_in": 4,
        "opt_in_confirmed": 2,
        "opt_in_requested": 2,
        "block": 4,
        "unblock": 2,
    }
    return random.choices(list(weights), list(weights.values()))[0]


def _status(random: Random) -> str | None:
    return random.choice([None, "accepted", "sent", "delivered", "read", "undelivered", "failed", "suppressed"])


def joined(histories: Sequence[History]) -> History:
    """All rows of several histories as one."""
    whole = History()
    for history in histories:
        for table, rows in history.rows.items():
            whole.rows[table] += rows
    return whole
