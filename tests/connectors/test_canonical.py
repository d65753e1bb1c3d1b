"""Files that already have heed's own columns: the shipped samples, other formats and spellings, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import polars
import pytest

from pipelines.errors import ConfigurationError, UnreadableInputError
from tests.support.deliveries import deliver, deliver_sample

MESSAGES = 'table = "messages"'
HEADER = "message_id,channel,contact,sent_at"
ROW = "m1,sms,+12025550101,2026-10-01T08:00:00Z"


def test_messages_sample(tmp_path: Path) -> None:
    delivered = deliver_sample(tmp_path, "canonical", "messages.csv", MESSAGES)
    # 23 rows that parse and one with too few cells: 14 usable, one repeat, 8 refused values.
    assert delivered.counts == [(24, 14, 1, 9)]
    rows = delivered.rows("messages")
    assert [row["contact"] for row in rows[:3]] == ["+12025550110", "reader1@example.com", "+447700900102"]
    assert rows[0]["sent_at"] == datetime(2026, 10, 1, 13, 0, tzinfo=UTC)
    assert (rows[0]["program"], rows[0]["price"], rows[0]["body"]) == ("news", 0.01, "October news, part 1")
    assert (rows[12]["channel"], rows[12]["status"]) == ("sms", None)  # mms; an empty status stays empty
    assert (rows[13]["status"], rows[13]["body"]) == ("delivered", "two\nlines")
    assert rows[13]["sent_at"].microsecond == 123456
    assert [(reason, column) for _, reason, column in delivered.reasons()] == [
        ("required_value_missing", "contact"),
        ("value_not_allowed", "channel"),
        ("value_not_allowed", "status"),
        ("timestamp_without_zone", "sent_at"),
        ("timestamp_unreadable", "sent_at"),
        ("timestamp_implausible", "sent_at"),
        ("number_unreadable", "price"),
        ("required_value_missing", "message_id"),
        ("malformed_row", None),
    ]


def test_consent_events_sample(tmp_path: Path) -> None:
    delivered = deliver_sample(tmp_path, "canonical", "consent_events.jsonl", 'table = "consent_events"')
    assert delivered.counts == [(13, 7, 1, 5)]
    rows = delivered.rows("consent_events")
    assert [row["event_type"] for row in rows] == [
        "opt_in",
        "opt_out",
        "opt_out",
        "opt_out",
        "complaint",
        "opt_in_requested",
        "block",
    ]
    assert rows[1]["processed_at"] - rows[1]["requested_at"] == timedelta(hours=12)
    assert (rows[2]["reason_text"], rows[2]["processed_at"]) == ("Zu viele E-Mails 😕", None)
    assert (rows[3]["channel"], rows[3]["contact"]) == ("*", "+447700900102")
    assert [row["prechecked"] for row in rows] == [False, None, None, None, None, True, None]
    assert rows[6]["event_id"].startswith("derived-")
    assert [reason for _, reason, _ in delivered.reasons()] == [
        "value_not_allowed",
        "required_value_missing",
        "boolean_unreadable",
        "malformed_json",
        "malformed_json",
    ]


@pytest.mark.parametrize(
    ("table", "reason", "column"),
    [
        ("inbound_messages", "required_value_missing", "received_at"),
        ("campaigns", "boolean_unreadable", "respects_opt_outs"),
        ("contacts", "required_value_missing", "contact"),
    ],
)
def test_other_samples(tmp_path: Path, table: str, reason: str, column: str) -> None:
    delivered = deliver_sample(tmp_path, "canonical", f"{table}.csv", f'table = "{table}"')
    assert delivered.counts == [(4, 3, 0, 1)]
    assert delivered.reasons() == [(4, reason, column)]


def test_inbound_text_stays_as_written(tmp_path: Path) -> None:
    delivered = deliver_sample(tmp_path, "canonical", "inbound_messages.csv", 'table = "inbound_messages"')
    assert delivered.rows("inbound_messages")[1]["body"] == "  Stop, please\nnow  "


def test_formats_and_spellings_say_the_same(tmp_path: Path) -> None:
    """The same two messages in each format: one load is new, and each other one is nothing but repeats."""
    names = {"message_id": ["m1", "m2"], "Channel": ["sms", "sms"], "CONTACT ": ["+12025550101", "+12025550102"]}
    instants = [datetime(2026, 10, 1, 8, tzinfo=UTC), datetime(2026, 10, 1, 9, 30, 15, 123456, tzinfo=UTC)]
    objects = [
        {name: values[place] for name, values in names.items()} | {"Sent_At": instants[place].isoformat()}
        for place in range(2)
    ]
    frame = polars.DataFrame(names | {"Sent_At": instants})
    files: dict[str, str | bytes] = {
        "1.jsonl": "\n".join(map(json.dumps, objects)),
        "2.json": json.dumps(objects, indent=2),
        "3.json": "\n".join(json.dumps(one, indent=2) for one in objects),
        "4.csv": frame.select("Sent_At", *names).write_csv(datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ"),
        "5.tsv": frame.write_csv(separator="\t", datetime_format="%Y-%m-%d %H:%M:%S%.6f+00").replace("\n", "\r\n"),
        "6.csv.gz": "\ufeff" + frame.write_csv(separator=";", datetime_format="%Y-%m-%dT%H:%M:%S%.6f+0000"),
        "6.json": "\n".join(json.dumps([one]) for one in objects),
        "7.jsonl.gz": "\n\n".join(json.dumps(dict(reversed(one.items()))) for one in objects),
    }
    frame.write_parquet(tmp_path / "8.parquet")
    east = polars.col("Sent_At").dt.convert_time_zone("Asia/Tokyo")
    frame.with_columns(east).write_parquet(tmp_path / "9.parquet")
    files |= {name: (tmp_path / name).read_bytes() for name in ("8.parquet", "9.parquet")}
    delivered = deliver(tmp_path / "home", "canonical", files, MESSAGES)
    assert delivered.counts == [(2, 2, 0, 0)] + [(2, 0, 2, 0)] * 9
    assert [row["sent_at"] for row in delivered.rows("messages")] == instants


def test_times_without_offset_are_read_in_the_sources_zone(tmp_path: Path) -> None:
    rows = [
        "m1,sms,+12025550101,2026-10-01 08:00",
        "m2,sms,+12025550101,2026-10-01T08:00:00Z",
        "m3,sms,+12025550101,2026-03-29T02:30:00",
        "m4,sms,+12025550101,2026-10-25T02:30:00",
    ]
    delivered = deliver(
        tmp_path,
        "canonical",
        {"m.csv": "\n".join([HEADER, *rows])},
        MESSAGES + '\ntimezone = "Europe/Berlin"',
    )
    summer = timezone(timedelta(hours=2))
    assert [row["sent_at"] for row in delivered.rows("messages")] == [
        datetime(2026, 10, 1, 8, tzinfo=summer),
        datetime(2026, 10, 1, 8, tzinfo=UTC),
    ]
    assert [reason for _, reason, _ in delivered.reasons()] == ["timestamp_nonexistent", "timestamp_ambiguous"]


def test_json_that_is_no_object_or_holds_odd_values(tmp_path: Path) -> None:
    first = {"message_id": "m1", "channel": "sms", "contact": "+12025550101", "sent_at": "2026-10-01T08:00:00Z"}
    lines = [
        "\ufeff" + json.dumps(first),
        json.dumps(first | {"message_id": 123456789012345678901234567890, "price": 1.5, "body": "日本\u2028語"}),
        json.dumps(first | {"contact": None}),
        json.dumps([first]),
        '{"message_id": "m5"',
        json.dumps(first | {"message_id": "m6", "sent_at": 1790000000}),
    ]
    delivered = deliver(tmp_path, "canonical", {"m.jsonl": "\n".join(lines)}, MESSAGES)
    assert [row["message_id"] for row in delivered.rows("messages")] == ["m1", "123456789012345678901234567890"]
    assert delivered.rows("messages")[1]["body"] == "日本\u2028語"
    assert delivered.reasons() == [
        (3, "required_value_missing", "contact"),
        (4, "malformed_json", None),
        (5, "malformed_json", None),
        (6, "timestamp_unreadable", "sent_at"),
    ]


def test_a_file_that_begins_with_broken_lines_is_read_on(tmp_path: Path) -> None:
    whole = json.dumps(dict(zip(HEADER.split(","), ROW.split(","), strict=True)))
    delivered = deliver(
        tmp_path, "canonical", {"m.jsonl": f'{{"message_id": "m0",\n{{"message_id":\n{whole}\n'}, MESSAGES
    )
    assert delivered.counts == [(3, 1, 0, 2)]
    assert delivered.reasons() == [(1, "malformed_json", None), (2, "malformed_json", None)]


def test_a_first_key_of_several_bytes_is_text(tmp_path: Path) -> None:
    first = {"日": 1, "message_id": "m1", "channel": "sms", "contact": "+12025550101"}
    line = json.dumps(first | {"sent_at": "2026-10-01T08:00:00Z"}, ensure_ascii=False)
    assert deliver(tmp_path, "canonical", {"m.jsonl": line}, MESSAGES).counts == [(1, 1, 0, 0)]


def test_columns_called_like_a_readers_own_are_ignored(tmp_path: Path) -> None:
    content = f"raw,row_number,Reject_Reason,{HEADER}\nx,77,malformed_row,{ROW}\n"
    delivered = deliver(tmp_path, "canonical", {"m.csv": content}, MESSAGES)
    assert [(row["message_id"], row["row_number"]) for row in delivered.rows("messages")] == [("m1", 1)]


def test_empty_files_hold_no_rows(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"a.csv": "", "b.csv": HEADER + "\n", "c.jsonl": "\n", "d.json": "[]"}
    assert deliver(tmp_path, "canonical", files, MESSAGES).counts == [(0, 0, 0, 0)] * 4


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("m.csv", "message_id,channel,sent_at\n1,sms,2026-10-01T08:00:00Z\n", "has no column contact"),
        ("m.csv", f"{HEADER},Contact\n{ROW},x\n", "two columns called"),
        ("m.csv", f"{HEADER}\n{ROW}\n".encode("utf-16"), "UTF-16"),
        ("m.parquet", b"PAR1 and no more", "not a whole Parquet file"),
        ("m.json", '[{"message_id": "m1"}, {"message_id"', "cannot be read"),
        ("m.xlsx", b"PK", "no format heed knows"),
    ],
)
def test_files_that_cannot_be_read_say_why(tmp_path: Path, name: str, content: str | bytes, told: str) -> None:
    with pytest.raises(UnreadableInputError) as refusal:
        deliver(tmp_path, "canonical", {name: content}, MESSAGES)
    assert name in str(refusal.value)
    assert told in str(refusal.value)


def test_a_source_must_name_its_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        deliver(tmp_path, "canonical", {"m.csv": f"{HEADER}\n{ROW}\n"})
    assert "has no table" in str(refusal.value)
