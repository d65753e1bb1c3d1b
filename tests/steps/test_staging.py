"""Text to typed rows: which times, numbers and words are read, and the one reason why a row is not."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars
import pytest

from tests.support.home import LOADED_AT, MESSAGE, Home, counts, source

GOOD = ("m", "sms", "+12025550101", "2026-10-05T12:00:00Z", "marketing", "delivered")
COLUMNS = MESSAGE.strip().split(",")


def one_message(path: Path, *settings: str, **changed: str) -> Home:
    """A home that has loaded one message, good but for what is changed; settings are lines of its source."""
    return messages(path, [changed], *settings)


def messages(path: Path, changes: Sequence[dict[str, str]], *settings: str) -> Home:
    """The same for several messages in one file."""
    rows = [dict(zip(COLUMNS, GOOD, strict=True)) | changed for changed in changes]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [",".join('"' + row.get(column, "").replace('"', '""') + '"' for column in columns) for row in rows]
    home = Home(path).configure(source("shop", "messages", "inbox/m.csv", *settings))
    home.deliver({"m.csv": "\n".join([",".join(columns), *lines]) + "\n"}).load()
    return home


def readings(path: Path, texts: Sequence[str], *settings: str) -> list[object]:
    """For each text as sent_at: the instant it was read as, or the reason why it was refused."""
    home = messages(
        path, [{"sent_at": text, "message_id": f"m{number}"} for number, text in enumerate(texts)], *settings
    )
    found: dict[int, object] = {row["row_number"]: row["sent_at"] for row in home.rows("messages")}
    assert {row["column"] for row in home.quarantined()} <= {"sent_at"}
    found |= {row["row_number"]: row["reason"] for row in home.quarantined()}
    return [found[number] for number in range(1, len(texts) + 1)]


def refusals(home: Home) -> dict[int, tuple[str, str]]:
    """Reason and column of each refused row, by its place."""
    return {row["row_number"]: (row["reason"], row["column"]) for row in home.quarantined()}


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, micro: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)


# What was written; the instant it means.
SPELLINGS = [
    ("2026-10-05T12:00:00Z", utc(2026, 10, 5, 12)),
    ("2026-10-05t12:00:00z", utc(2026, 10, 5, 12)),
    ("  2026-10-05 12:00:00Z ", utc(2026, 10, 5, 12)),
    ("2026-10-05 12:00:00 UTC", utc(2026, 10, 5, 12)),
    ("2026-10-05 12:00:00 GMT", utc(2026, 10, 5, 12)),
    ("2026-10-05 12:00:00+00", utc(2026, 10, 5, 12)),
    ("2026-10-05T12:00:00+02:00", utc(2026, 10, 5, 10)),
    ("2026-10-05T12:00:00 +0530", utc(2026, 10, 5, 6, 30)),
    ("2026-10-05T12:00:00-0930", utc(2026, 10, 5, 21, 30)),
    ("2026-10-05T12:00-05", utc(2026, 10, 5, 17)),
    ("2026-10-05T12:00Z", utc(2026, 10, 5, 12)),
    ("2026-10-05T12:00:00.5Z", utc(2026, 10, 5, 12, 0, 0, 500_000)),
    ("2026-10-05T12:00:00,25Z", utc(2026, 10, 5, 12, 0, 0, 250_000)),
    ("2026-10-05T12:00:00.123456789Z", utc(2026, 10, 5, 12, 0, 0, 123_456)),
]


def test_an_instant_with_its_offset_is_read(tmp_path: Path) -> None:
    assert readings(tmp_path, [text for text, _ in SPELLINGS]) == [instant for _, instant in SPELLINGS]


UNREADABLE = [
    "yesterday",
    "2026-10-05",
    "05/10/2026 12:00:00Z",
    "1759665600",
    "2026-13-05T12:00:00Z",
    "2026-02-30T12:00:00Z",
    "2026-10-05T25:00:00Z",
    "2026-10-05T12:00:61Z",
    "2026-10-05T12:00:00+99:99",  # an offset no clock keeps: not four days earlier
    "2026-10-05T12:00:00+02:60",
    "2026-10-05T12:00:00Z tomorrow",
    "2026-10-05T12:00:00 America/New_York",
]


def test_what_is_no_time_is_refused(tmp_path: Path) -> None:
    found = readings(tmp_path, UNREADABLE)
    assert dict(zip(UNREADABLE, found, strict=True)) == dict.fromkeys(UNREADABLE, "timestamp_unreadable")


# The source's time zone; a time without offset; the instant, or the reason why there is none.
LOCAL_TIMES = [
    (None, "2026-10-05 12:00:00", "timestamp_without_zone"),
    (None, "2026-10-05 12:00", "timestamp_without_zone"),
    ("UTC", "2026-10-05 12:00:00", utc(2026, 10, 5, 12)),
    ("-06:00", "2026-10-05T12:00:00.25", utc(2026, 10, 5, 18, 0, 0, 250_000)),
    ("UTC+5:30", "2026-10-05 12:00", utc(2026, 10, 5, 6, 30)),
    ("America/New_York", "2026-10-05 12:00:00", utc(2026, 10, 5, 16)),
    ("America/New_York", "2026-01-05 12:00:00", utc(2026, 1, 5, 17)),
    # The clock goes back from 02:00 to 01:00 on 1 November: 01:00 to 02:00 comes twice.
    ("America/New_York", "2026-11-01 00:59:59", utc(2026, 11, 1, 4, 59, 59)),
    ("America/New_York", "2026-11-01 01:00:00", "timestamp_ambiguous"),
    ("America/New_York", "2026-11-01 01:59:59.999999", "timestamp_ambiguous"),
    ("America/New_York", "2026-11-01 02:00:00", utc(2026, 11, 1, 7)),
    # It goes forward from 02:00 to 03:00 on 8 March: that hour is missing.
    ("America/New_York", "2026-03-08 01:59:59.999999", utc(2026, 3, 8, 6, 59, 59, 999_999)),
    ("America/New_York", "2026-03-08 02:00:00", "timestamp_nonexistent"),
    ("America/New_York", "2026-03-08 02:59:59", "timestamp_nonexistent"),
    ("America/New_York", "2026-03-08 03:00:00", utc(2026, 3, 8, 7)),
    # A fixed offset has neither, and an offset in the text goes before any zone.
    ("-05:00", "2026-11-01 01:30:00", utc(2026, 11, 1, 6, 30)),
    ("America/New_York", "2026-11-01T01:30:00-05:00", utc(2026, 11, 1, 6, 30)),
    ("America/New_York", "2026-11-01T01:30:00Z", utc(2026, 11, 1, 1, 30)),
    # Half an hour, and a zone where summer is in January.
    ("Australia/Lord_Howe", "2026-04-05 01:45:00", "timestamp_ambiguous"),
    ("Australia/Lord_Howe", "2026-10-04 02:15:00", "timestamp_nonexistent"),
    ("Australia/Lord_Howe", "2026-10-04 02:30:00", utc(2026, 10, 3, 15, 30)),
]


@pytest.mark.parametrize("timezone", dict.fromkeys(timezone for timezone, _, _ in LOCAL_TIMES))
def test_a_time_without_offset_is_read_in_the_source_s_zone(tmp_path: Path, timezone: str | None) -> None:
    expected = {text: instant for zone, text, instant in LOCAL_TIMES if zone == timezone}
    settings = [f'timezone = "{timezone}"'] if timezone else []
    assert dict(zip(expected, readings(tmp_path, list(expected), *settings), strict=True)) == expected


@pytest.mark.parametrize("timezone", ["America/New_York", "-05:00", "UTC"])
def test_a_time_before_2000_or_after_the_load_is_implausible(tmp_path: Path, timezone: str) -> None:
    texts = ["0001-01-01 00:00:00", "1800-01-01 00:00:00", "1999-12-31 12:00:00", "2026-11-22 12:00:00"]
    assert readings(tmp_path, texts, f'timezone = "{timezone}"') == ["timestamp_implausible"] * 4


def test_plausible_times_end_one_day_after_the_load(tmp_path: Path) -> None:
    last = LOADED_AT + timedelta(days=1)
    rows = [
        f"m{number},sms,+12025550101,{at.isoformat()},,"
        for number, at in enumerate([utc(2000, 1, 1), last, last + timedelta(microseconds=1)])
    ]
    before = "m9,sms,+12025550101,1999-12-31T23:59:59.999999Z,,"
    home = Home(tmp_path).configure(source("shop", "messages", "inbox/m.csv"))
    home.deliver({"m.csv": MESSAGE + "\n".join([*rows, before]) + "\n"}).load()
    assert [row["sent_at"] for row in home.rows("messages")] == [utc(2000, 1, 1), last]
    assert [row["reason"] for row in home.quarantined()] == ["timestamp_implausible"] * 2


def test_other_times_of_a_row_are_checked_too(tmp_path: Path) -> None:
    home = one_message(tmp_path, status_at="2026-10-05 12:00:00")
    assert refusals(home) == {1: ("timestamp_without_zone", "status_at")}


# What is changed in a good row; the reason and the column; None where it is taken.
VALUES: list[tuple[dict[str, str], tuple[str, str] | None]] = [
    ({}, None),
    ({"message_id": ""}, ("required_value_missing", "message_id")),
    ({"message_id": " \t "}, ("required_value_missing", "message_id")),
    ({"contact": ""}, ("required_value_missing", "contact")),
    ({"sent_at": ""}, ("required_value_missing", "sent_at")),
    ({"channel": ""}, ("required_value_missing", "channel")),
    ({"channel": "fax"}, ("value_not_allowed", "channel")),
    ({"channel": "*"}, ("value_not_allowed", "channel")),
    ({"channel": " SMS "}, None),
    ({"channel": "MMS"}, None),
    ({"status": "bounced"}, ("value_not_allowed", "status")),
    ({"status": "Read"}, None),
    ({"message_class": "promotional"}, ("value_not_allowed", "message_class")),
    ({"message_class": "", "status": ""}, None),
    ({"price": "0.0075"}, None),
    ({"price": "-1e-3"}, None),
    ({"price": "0,0075"}, ("number_unreadable", "price")),
    ({"price": "free"}, ("number_unreadable", "price")),
    ({"price": "inf"}, ("number_unreadable", "price")),
    ({"price": "nan"}, ("number_unreadable", "price")),
    ({"price": "1e999"}, ("number_unreadable", "price")),
]


def test_a_row_with_a_wrong_value_is_refused_for_one_reason(tmp_path: Path) -> None:
    home = messages(tmp_path, [{"message_id": f"m{number}"} | row for number, (row, _) in enumerate(VALUES)])
    expected = {number: refusal for number, (_, refusal) in enumerate(VALUES, start=1) if refusal}
    assert refusals(home) == expected
    assert counts(home.ledger.loads) == [(len(VALUES), len(VALUES) - len(expected), 0, len(expected))]


def test_a_row_with_several_faults_has_the_first_one(tmp_path: Path) -> None:
    home = one_message(tmp_path, message_id="", channel="fax", sent_at="never")
    assert refusals(home) == {1: ("required_value_missing", "message_id")}


def test_a_boolean_may_be_spelled_in_several_ways(tmp_path: Path) -> None:
    spelled = {"TRUE": True, "y": True, "1": True, "Yes": True, "0": False, "f": False, "no": False, "": None}
    lines = [f"contact{number}@example.com,{text}" for number, text in enumerate([*spelled, "maybe", "2"])]
    home = Home(tmp_path).configure(source("list", "contacts", "inbox/c.csv"))
    home.deliver({"c.csv": "\n".join(["contact,listed", *lines])}).load()
    assert [row["listed"] for row in home.rows("contacts")] == list(spelled.values())
    assert refusals(home) == {9: ("boolean_unreadable", "listed"), 10: ("boolean_unreadable", "listed")}


def test_text_is_trimmed_and_free_text_is_not(tmp_path: Path) -> None:
    home = one_message(tmp_path, message_id="\u00a0m1\t", campaign_id="  spring  ", body="  Sale!  \n")
    assert [(row["message_id"], row["campaign_id"], row["body"]) for row in home.rows("messages")] == [
        ("m1", "spring", "  Sale!  \n")
    ]


def test_a_refused_row_keeps_its_text_and_its_place(tmp_path: Path) -> None:
    row = "m{},sms,+12025550101,{},marketing,delivered\n"
    home = Home(tmp_path).configure(source("shop", "messages", "inbox/m*"))
    home.deliver({"m.csv": MESSAGE + row.format(1, "2026-10-05T12:00:00Z") + row.format(2, "noon")})
    home.deliver({"m.jsonl": '{"message_id": "m3"}\n\n{"message_id": "m4", "contact": 7}\n{"message_id": m5}\n'})
    assert counts(home.load()[0]) == [(2, 1, 0, 1), (3, 0, 0, 3)]
    in_csv, *in_json = home.quarantined()
    raw = (
        '{"message_id":"m2","channel":"sms","contact":"+12025550101","sent_at":"noon","message_class":"marketing",'
        '"status":"delivered"}'
    )
    assert in_csv == {
        "row_number": 2, "table": "messages", "reason": "timestamp_unreadable", "column": "sent_at", "raw": raw,
    }  # fmt: skip
    assert [(row["row_number"], row["reason"], row["raw"]) for row in in_json] == [
        (1, "required_value_missing", '{"message_id": "m3"}'),
        (3, "required_value_missing", '{"message_id": "m4", "contact": 7}'),
        (4, "malformed_json", '{"message_id": m5}'),
    ]


def parquet(**columns: Any) -> bytes:
    """A Parquet file of one good message but for the columns given."""
    values = {name: [value] for name, value in zip(COLUMNS, GOOD, strict=True)} | columns
    buffer = io.BytesIO()
    polars.DataFrame(values).write_parquet(buffer)
    return buffer.getvalue()


NOON = utc(2026, 10, 5, 12).replace(tzinfo=None)
EASTERN = 'timezone = "America/New_York"'
TYPED = [
    ([], polars.Series([NOON], dtype=polars.Datetime("us", "UTC")), utc(2026, 10, 5, 12)),
    ([], polars.Series([NOON], dtype=polars.Datetime("ms", "UTC")), utc(2026, 10, 5, 12)),
    ([], polars.Series([NOON], dtype=polars.Datetime("ns", "Asia/Kolkata")), utc(2026, 10, 5, 12)),
    # A naive timestamp is a local time, whatever its unit.
    ([], polars.Series([NOON], dtype=polars.Datetime("us")), "timestamp_without_zone"),
    ([EASTERN], polars.Series([NOON], dtype=polars.Datetime("us")), utc(2026, 10, 5, 16)),
    ([EASTERN], polars.Series([NOON], dtype=polars.Datetime("ms")), utc(2026, 10, 5, 16)),
    ([EASTERN], polars.Series([NOON], dtype=polars.Datetime("ns")), utc(2026, 10, 5, 16)),
    # Numbers have no unit, and dates no time.
    ([EASTERN], polars.Series([1_759_665_600]), "timestamp_unreadable"),
    ([EASTERN], polars.Series([1_759_665_600.5]), "timestamp_unreadable"),
    ([EASTERN], polars.Series([NOON.date()]), "timestamp_unreadable"),
    ([], polars.Series([NOON.replace(year=1999)], dtype=polars.Datetime("us", "UTC")), "timestamp_implausible"),
    ([], polars.Series([None], dtype=polars.Datetime("us", "UTC")), "required_value_missing"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "sent_at", "expected"), TYPED)
def test_typed_times_of_parquet(tmp_path: Path, settings: list[str], sent_at: polars.Series, expected: object) -> None:
    home = Home(tmp_path).configure(source("shop", "messages", "inbox/m.parquet", *settings))
    home.deliver({"m.parquet": parquet(sent_at=sent_at)}).load()
    found = [row["reason"] for row in home.quarantined()] or [row["sent_at"] for row in home.rows("messages")]
    assert found == [expected]


def test_typed_values_of_parquet_become_text(tmp_path: Path) -> None:
    columns = {"message_id": [17], "campaign_id": [20261005], "price": [0.5], "sender": [None]}
    home = Home(tmp_path).configure(source("shop", "messages", "inbox/m.parquet"))
    home.deliver({"m.parquet": parquet(**columns)}).load()
    assert [(row["message_id"], row["campaign_id"], row["price"], row["sender"]) for row in home.rows("messages")] == [
        ("17", "20261005", 0.5, None)
    ]
