"""Any file through a column map: the shipped samples, derived events, codes, constants, epochs and wrong maps."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars
import pytest

from pipelines.errors import ConfigurationError, UnreadableInputError
from tests.support.deliveries import deliver, deliver_sample

SHOP = """
timezone = "America/New_York"
null_values = ["-"]
[source.columns]
message_id = "msg no"
channel = { constant = "sms" }
contact = "phone"
person_id = "customer"
program = "list"
message_class = "kind"
sent_at = "sent"
status = "state"
body = "raw"
[source.values.message_class]
promo = "marketing"
receipt = "transactional"
[source.values.status]
OK = "delivered"
READ = "read"
FAIL = "failed"
[[source.events]]
event_type = "opt_out"
requested_at = "unsubscribed at"
reason_text = "why"
method = { constant = "link" }
[[source.events]]
event_type = "complaint"
requested_at = "complained at"
[policy]
default_country = "US"
"""
PUSH = """
time_unit = "ms"
[source.columns]
message_id = "push"
channel = { constant = "push" }
contact = "uid"
sent_at = "ts"
body = "title"
"""
PLAIN = """
[source.columns]
message_id = "id"
channel = { constant = "sms" }
contact = "to"
sent_at = "at"
"""


def test_shop_sample_messages(tmp_path: Path) -> None:
    delivered = deliver_sample(tmp_path, "generic", "shop_messages.csv", SHOP)
    # 15 rows that parse, 5 events in them and one row with too few cells: 21 records.
    assert delivered.counts == [(21, 14, 1, 6)]
    assert delivered.loads[0].tables == {"messages": 10, "consent_events": 4}
    rows = delivered.rows("messages")
    assert (rows[0]["contact"], rows[0]["person_id"], rows[0]["program"]) == ("+12025550140", "C0", "vip")
    assert rows[0]["sent_at"] == datetime(2026, 10, 1, 13, 30, tzinfo=UTC)
    assert [row["status"] for row in rows[:4]] == ["delivered", "read", "failed", None]
    assert [row["message_class"] for row in rows] == ["marketing"] * 8 + ["transactional", "marketing"]
    assert rows[8]["body"] == "Your receipt"  # a column called raw is theirs, not the reader's
    reasons = [(reason, column) for _, reason, column in delivered.reasons()]
    assert sorted(reasons, key=str) == [
        ("malformed_row", None),
        ("required_value_missing", "contact"),
        ("timestamp_ambiguous", "sent_at"),
        ("timestamp_nonexistent", "sent_at"),
        ("timestamp_unreadable", "requested_at"),
        ("value_not_allowed", "status"),
    ]


def test_shop_sample_events(tmp_path: Path) -> None:
    delivered = deliver_sample(tmp_path, "generic", "shop_messages.csv", SHOP)
    found = {
        (row["row_number"], row["event_type"], row["contact"], row["message_id"], row["method"], row["reason_text"])
        for row in delivered.rows("consent_events")
    }
    assert found == {
        (2, "opt_out", "+12025550141", "1001", "link", "zu viel"),
        (6, "opt_out", "+12025550145", "1005", "link", None),
        (6, "complaint", "+12025550145", "1005", None, None),
        (14, "opt_out", "+12025550149", "1012", "link", None),  # kept although its message is refused
    }
    events = delivered.rows("consent_events")
    assert {row["processed_at"] for row in events} == {None}
    assert events[0]["requested_at"] == datetime(2026, 10, 3, 22, tzinfo=UTC)
    assert {(row["person_id"], row["program"]) for row in events} == {("C1", "vip"), ("C5", "vip"), ("C9", "vip")}


def test_push_sample_reads_milliseconds(tmp_path: Path) -> None:
    delivered = deliver_sample(tmp_path, "generic", "app_push.jsonl", PUSH)
    assert delivered.counts == [(13, 7, 1, 5)]
    rows = delivered.rows("messages")
    assert (rows[0]["contact"], rows[0]["body"]) == ("Token-001-aBc", "Neu im Laden 🛍")
    assert rows[1]["sent_at"] - rows[0]["sent_at"] == timedelta(minutes=1)
    assert rows[6]["sent_at"] == datetime.fromtimestamp(1790000000, UTC) + timedelta(microseconds=500700)
    assert delivered.reasons() == [
        (8, "timestamp_implausible", "sent_at"),
        (9, "timestamp_unreadable", "sent_at"),
        (10, "required_value_missing", "sent_at"),
        (11, "required_value_missing", "contact"),
        (13, "malformed_json", None),
    ]


def test_a_repeated_event_does_not_take_its_neighbour_along(tmp_path: Path) -> None:
    """One row says an opt-out that an earlier file already said, and a complaint that is new."""
    options = PLAIN + "".join(
        f'[[source.events]]\nevent_type = "{kind}"\nrequested_at = "{column}"\n'
        for kind, column in (("opt_out", "left"), ("complaint", "complained"))
    )
    row = "1,+12025550101,2026-10-01T08:00:00Z,2026-10-02T08:00:00Z,"
    files: dict[str, str | bytes] = {
        "1.csv": f"id,to,at,left,complained\n{row}\n",
        "2.csv": f"id,to,at,left,complained\n{row}2026-10-03T08:00:00Z\n",
    }
    delivered = deliver(tmp_path, "generic", files, options)
    assert delivered.counts == [(2, 2, 0, 0), (3, 1, 2, 0)]
    assert [row["event_type"] for row in delivered.rows("consent_events")] == ["opt_out", "complaint"]


def test_parquet_instants_keep_their_type(tmp_path: Path) -> None:
    instant = datetime(2026, 10, 1, 8, 0, 0, 123456, tzinfo=UTC)
    frame = polars.DataFrame(
        {"id": [1, 2], "to": [12025550101, 12025550102], "at": [instant, None], "left": [None, instant]},
        schema_overrides={"left": polars.Datetime("us", "UTC")},
    )
    frame.write_parquet(tmp_path / "m.parquet")
    options = PLAIN.replace("[source.columns]", 'null_values = ["0"]\ntime_unit = "s"\n[source.columns]')
    options += 'body = "at"\n[[source.events]]\nevent_type = "opt_out"\nrequested_at = "left"\n'
    options += '[policy]\ndefault_country = "US"\n'
    content = (tmp_path / "m.parquet").read_bytes()
    delivered = deliver(tmp_path / "home", "generic", {"m.parquet": content}, options)
    assert [(row["message_id"], row["sent_at"]) for row in delivered.rows("messages")] == [("1", instant)]
    assert str(delivered.rows("messages")[0]["body"]).startswith("2026-10-01 08:00:00.123456")
    assert [(row["message_id"], row["requested_at"]) for row in delivered.rows("consent_events")] == [("2", instant)]
    assert delivered.reasons() == [(2, "required_value_missing", "sent_at")]


def test_seconds_and_written_times_may_stand_in_one_column(tmp_path: Path) -> None:
    times = ["1790000000", "1790000000.25", "2026-09-21T14:13:20Z", "-1", "1e400", "nan", "inf", "soon"]
    rows = [f"{place},+12025550101,{text}" for place, text in enumerate(times, start=1)]
    options = PLAIN.replace("[source.columns]", 'time_unit = "s"\n[source.columns]')
    delivered = deliver(tmp_path, "generic", {"m.csv": "\n".join(["id,to,at", *rows])}, options)
    first = datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
    assert [row["sent_at"] - first for row in delivered.rows("messages")] == [
        timedelta(0),
        timedelta(seconds=0.25),
        timedelta(0),
    ]
    reasons = [reason for _, reason, _ in delivered.reasons()]
    assert reasons == ["timestamp_implausible"] * 4 + ["timestamp_unreadable"]


def test_keys_that_some_objects_lack_are_empty(tmp_path: Path) -> None:
    lines = [
        {"id": 1, "to": "+12025550101", "at": "2026-10-01T08:00:00Z", "raw": "theirs"},
        {"to": "+12025550101", "at": "2026-10-01T08:00:00Z"},
    ]
    options = PLAIN + 'body = "raw"\n'
    delivered = deliver(tmp_path, "generic", {"m.jsonl": "\n".join(map(json.dumps, lines))}, options)
    assert [(row["message_id"], row["body"]) for row in delivered.rows("messages")] == [("1", "theirs")]
    assert delivered.reasons() == [(2, "required_value_missing", "message_id")]


def test_consent_events_may_carry_further_events(tmp_path: Path) -> None:
    options = """
table = "consent_events"
[source.columns]
channel = "how"
contact = "who"
event_type = { constant = "opt_out" }
requested_at = "left"
[[source.events]]
event_type = "opt_in"
requested_at = "back"
"""
    content = "how,who,left,back\nemail,a@example.com,2026-10-01T08:00:00Z,2026-10-02T08:00:00Z\n"
    delivered = deliver(tmp_path, "generic", {"e.csv": content}, options)
    assert delivered.counts == [(2, 2, 0, 0)]
    assert {row["event_type"] for row in delivered.rows("consent_events")} == {"opt_out", "opt_in"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("", "has no [source.columns]"),
        (PLAIN + 'colour = "id"\n', "maps colour, which messages does not have"),
        (PLAIN.replace('sent_at = "at"', ""), "maps nothing to sent_at"),
        (PLAIN + '[[source.events]]\nevent_type = "opt_out"\nrequested_at = "at"\ncolour = "id"\n', "maps colour"),
    ],
)
def test_wrong_maps_are_configuration_errors(tmp_path: Path, options: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        deliver(tmp_path, "generic", {"m.csv": "id,to,at\n1,+12025550101,2026-10-01T08:00:00Z\n"}, options)
    assert told in str(refusal.value)


def test_a_column_that_the_file_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError) as refusal:
        deliver(tmp_path, "generic", {"m.csv": "id,to\n1,+12025550101\n"}, PLAIN)
    assert "has no column 'at', which heed.toml maps to sent_at" in str(refusal.value)
