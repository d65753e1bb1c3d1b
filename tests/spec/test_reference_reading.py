"""How the plain-Python reference reads values, merges versions and accounts for files, against cases done by hand.

Times are written `DD HH:MM`, a day of March 2026 in UTC.
"""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.reference import answer, merged_events, merged_messages
from tests.support.reference_reading import Delivery, RejectedError, address, instant, read, words
from tests.support.reference_spans import Policy

LATEST = datetime(2026, 11, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.strptime(f"2026-03-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


# Merging


def message_row(**values: object) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(
        words("message_id channel contact person_id program campaign_id message_class status")
    )
    return row | {"source": "s", "message_id": "1", "channel": "sms", "contact": "a"} | values


@pytest.mark.parametrize(
    ("statuses", "furthest"),
    [
        (["accepted", "sent", None], "sent"),
        (["sent", "undelivered", "accepted"], "undelivered"),
        (["undelivered", "failed"], "failed"),
        (["failed", "suppressed"], "suppressed"),
        (["suppressed", "delivered"], "delivered"),
        (["read", "delivered"], "read"),
        (["accepted", None], "accepted"),
        ([None], "sent"),
    ],
)
def test_the_furthest_status_wins(statuses: list[str | None], furthest: str) -> None:
    rows = [message_row(status=status, sent_at=at(f"0{day} 10:00")) for day, status in enumerate(statuses, start=1)]
    assert [message.status for message in merged_messages(rows)] == [furthest]
    assert merged_messages(reversed(rows)) == merged_messages(rows)


def test_other_columns_come_from_the_earliest_version_that_has_a_value() -> None:
    rows = [
        message_row(sent_at=at("02 10:00"), program="late", campaign_id="z"),
        message_row(sent_at=at("01 10:00"), message_class="marketing"),
        message_row(sent_at=at("02 10:00"), program="also late", campaign_id="y"),
    ]
    (message,) = merged_messages(rows)
    assert (message.sent_at, message.program, message.campaign_id, message.message_class) == (
        at("01 10:00"),
        "also late",
        "y",
        "marketing",
    )
    assert merged_messages(rows[::-1]) == [message]


def test_versions_of_an_event_keep_its_earliest_times() -> None:
    def event_row(requested: str, processed: str | None) -> dict[str, object]:
        values = {"event_id": "e", "event_type": "opt_out", "reason_code": None, "reason_text": None}
        times = {"requested_at": at(requested), "processed_at": at(processed) if processed else None}
        return message_row(**values, **times)

    rows = [event_row("02 10:00", None), event_row("03 10:00", "05 10:00"), event_row("04 10:00", "04 10:00")]
    (event,) = merged_events(rows)
    assert (event.requested_at, event.processed_at, event.program) == (at("02 10:00"), at("04 10:00"), "*")


# Values


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-03-01T12:00:00Z", None, "2026-03-01T12:00:00"),
        ("2026-03-01 12:00:00 UTC", None, "2026-03-01T12:00:00"),
        ("2026-03-01T12:00:00.5+05:30", None, "2026-03-01T06:30:00.500000"),
        ("2026-03-01T12:00-0500", None, "2026-03-01T17:00:00"),
        ("2026-03-01T12:00:00-05", None, "2026-03-01T17:00:00"),
        ("2026-03-01T12:00:00.1234560", "America/New_York", "2026-03-01T17:00:00.123456"),
        ("2026-03-01 12:00:00", "-06:00", "2026-03-01T18:00:00"),
        ("2026-03-01T12:00:00", None, "timestamp_without_zone"),
        # Clocks in New York jump from 02:00 to 03:00 on 8 March 2026 and repeat 01:00 to 02:00 on 1 November.
        ("2026-03-08T02:30:00", "America/New_York", "timestamp_nonexistent"),
        ("2026-03-08T02:30:00", "-05:00", "2026-03-08T07:30:00"),
        ("2025-11-02T01:30:00", "America/New_York", "timestamp_ambiguous"),
        ("2026-03-01", None, "timestamp_unreadable"),
        ("1772366400", None, "timestamp_unreadable"),
        ("2026-02-30T12:00:00Z", None, "timestamp_unreadable"),
        ("1999-12-31T23:59:59Z", None, "timestamp_implausible"),
        ("2000-01-01T00:00:00Z", None, "2000-01-01T00:00:00"),
        ("2026-11-01T00:00:01Z", None, "timestamp_implausible"),
    ],
)
def test_times_are_read_or_refused(text: str, zone: str | None, expected: str) -> None:
    try:
        found = instant(text, zone, LATEST).replace(tzinfo=None).isoformat()
    except RejectedError as rejected:
        found = rejected.reason
    assert found == expected


@pytest.mark.parametrize(
    ("text", "channel", "country", "expected"),
    [
        ("+12025550123", "sms", None, "+12025550123"),
        (" +1 (202) 555-0123 ", "push", None, "+12025550123"),
        ("whatsapp:+12025550123", "whatsapp", None, "+12025550123"),
        ("tel:202.555.0123", "voice", "US", "+12025550123"),
        ("12025550123", "sms", "US", "+12025550123"),
        ("(202) 555-0123", "*", "US", "+12025550123"),
        ("2025550123", "sms", None, "2025550123"),
        ("2025550123", "push", "US", "2025550123"),
        ("07700 900123", "sms", "GB", "+447700900123"),
        (" Ann@Example.COM", "email", "US", "ann@example.com"),
        ("US.1349283012", "whatsapp", "US", "US.1349283012"),
        ("Token-AbC", "push", "US", "Token-AbC"),
        ("+12", "sms", None, "+12"),
    ],
)
def test_addresses_have_one_spelling(text: str, channel: str, country: str | None, expected: str) -> None:
    assert address(text, channel, country) == expected


# Files


def test_every_row_is_accepted_repeated_or_refused(tmp_path: Path) -> None:
    first, second, third = tmp_path / "a.csv", tmp_path / "b.jsonl.gz", tmp_path / "consent.csv"
    first.write_text(
        "sent_at,extra,contact,channel,message_id,body\n"
        '2026-03-01T10:00:00Z,x,+12025550101,SMS,1,"two\nlines"\n'
        '2026-03-01T11:00:00+01:00,y,+1 202 555 0101,mms,1,"two\nlines"\n'
        "2026-03-01T10:00:00Z,x,+12025550101,fax,2,\n"
        "2026-03-01T10:00:00Z,x,,sms,3,\n"
        "2026-03-01T10:00:00Z,x,+12025550101\n"
        '2026-03-01T10:00:00Z,x,"+12025550101"?,sms,4,\n'
        "\n"
        '2026-03-01T10:00:00Z,x,+12025550101,sms,4,"never closed\n',
        encoding="utf-8",
    )
    lines = [
        b'{"message_id": 1, "channel": "sms", "contact": "+12025550101", "sent_at": "2026-03-01T10:00:00Z", '
        b'"body": "two\\nlines"}',
        b'{"message_id": 1, "channel": "sms", "contact": "+12025550101", "sent_at": "2026-03-04T10:00:00Z", '
        b'"status": "READ"}',
        b"{not json}",
        b'{"message_id": "\xff", "channel": "sms"}',
    ]
    second.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    third.write_text(
        "\ufeffcontact,channel,event_type,requested_at,prechecked\n"
        "+12025550101,*,opt_out,2026-03-01T09:00:00,TRUE\n"
        "+12025550101,*,opt_out,2026-03-01T09:00:00,true\n"
        "+12025550101,*,opt_out,2026-03-01T09:00:00,maybe\n",
        encoding="utf-8",
    )
    deliveries = [
        Delivery("p", "messages", first),
        Delivery("p", "messages", second),
        Delivery("c", "consent_events", third, "UTC"),
    ]
    accounting = read(deliveries, None, LATEST).accounting

    def summary(path: Path) -> tuple[int, int, int, list[tuple[int, str, str]]]:
        account = accounting[path]
        return account.read, account.accepted, account.duplicate, account.quarantined

    assert summary(first) == (
        7,
        1,
        1,
        [
            (3, "value_not_allowed", "channel"),
            (4, "required_value_missing", "contact"),
            (5, "malformed_row", ""),
            (6, "malformed_row", ""),
            (7, "malformed_row", ""),
        ],
    )
    assert summary(second) == (4, 1, 1, [(3, "malformed_json", ""), (4, "not_utf8", "")])
    assert summary(third) == (3, 1, 1, [(3, "boolean_unreadable", "prechecked")])

    whole = answer(deliveries, Policy(default_deadline="1h"), LATEST)
    assert whole.as_of == datetime(2026, 3, 4, 10, tzinfo=UTC)
    (finding,) = whole.findings
    # Sent at its earliest version's time, at the very deadline, in the furthest status.
    assert (finding.finding_class, finding.message.status) == ("sent_in_flight", "read")
    assert finding.span.deadline_at - finding.span.begins_at == timedelta(hours=1)
