"""Twilio's logs in every layout it delivers, the shipped samples, a public warehouse table, and hostile variants."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars
import pytest

from pipelines.errors import UnreadableInputError
from pipelines.resources import reference_folder
from tests.support.deliveries import SAMPLES, Delivered, deliver, deliver_sample

PEER_CASES = Path(__file__).resolve().parents[2].parent / "shared" / "peer-cases" / "twilio"
CONSOLE = "From,To,Body,Status,SentDate,ApiVersion,NumSegments,ErrorCode,AccountSid,Sid,Direction,Price,PriceUnit"
OWN = "+12025550199"
CONTACT = "+12025550101"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def taken(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def console(*rows: dict[str, str]) -> str:
    """A Console export whose rows are delivered and outbound unless their cells say otherwise; Sids count from SM1."""
    cells = {"Body": "News", "Status": "delivered", "SentDate": "2026-10-01T14:00:00Z", "ErrorCode": ""}
    cells |= {"From": OWN, "To": CONTACT, "Direction": "outbound-api"}
    text = io.StringIO()
    writer = csv.DictWriter(text, ["Sid", *cells])
    writer.writeheader()
    writer.writerows({"Sid": f"SM{number}"} | cells | row for number, row in enumerate(rows, start=1))
    return text.getvalue()


def inbound(body: str) -> dict[str, str]:
    return {"From": CONTACT, "To": OWN, "Body": body, "Status": "received", "Direction": "inbound"}


def message(**keys: object) -> dict[str, object]:
    """A REST message, delivered and outbound unless `keys` say otherwise."""
    return {
        "sid": "SM1",
        "from": OWN,
        "to": CONTACT,
        "body": "News",
        "direction": "outbound-api",
        "status": "delivered",
        "date_created": "Tue, 14 Feb 2023 14:03:30 +0000",
        "date_sent": "Tue, 14 Feb 2023 14:03:33 +0000",
        "date_updated": "Tue, 14 Feb 2023 16:08:15 +0000",
        "error_code": None,
    } | keys


@pytest.fixture(scope="module")
def console_log(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    return deliver_sample(tmp_path_factory.mktemp("home"), "twilio", "console.csv")


def test_console_sample_accounts_for_every_row(console_log: Delivered) -> None:
    delivered = console_log
    # 28 rows, of which 5 keyword texts are two records: 33 = 24 + 1 repeat + 8 refused.
    assert delivered.counts == [(33, 24, 1, 8)]
    assert delivered.loads[0].tables == {"messages": 11, "inbound_messages": 8, "consent_events": 5}
    assert delivered.reasons()[:7] == [
        (21, "timestamp_without_zone", "sent_at"),
        (22, "timestamp_unreadable", "sent_at"),
        (23, "required_value_missing", "contact"),
        (24, "unsupported_event", "direction"),
        (25, "required_value_missing", "direction"),
        (26, "value_not_allowed", "status"),
        (27, "number_unreadable", "price"),
    ]
    assert delivered.reasons()[7][1] == "malformed_row"
    assert json.loads(delivered.quarantine()[3]["raw"])["Direction"] == "sideways"


def test_console_sample_messages(console_log: Delivered) -> None:
    rows = {row["message_id"][-2:]: row for row in console_log.rows("messages")}
    assert rows["01"]["contact"] == CONTACT
    assert rows["01"]["sender"] == OWN
    assert rows["01"]["sent_at"] == at("2026-10-01T14:00:00")
    assert (rows["01"]["price"], rows["01"]["currency"]) == (0.0079, "USD")
    assert (rows["04"]["status"], rows["04"]["error_code"]) == ("undelivered", "30003")
    assert (rows["09"]["status"], rows["09"]["error_code"]) == ("suppressed", "21610")
    assert [number for number, row in rows.items() if row["message_class"]] == ["06"]
    assert rows["06"]["message_class"] == "confirmation"
    assert (rows["0f"]["channel"], rows["0f"]["contact"], rows["0f"]["status"]) == ("whatsapp", "+447700900015", "read")
    assert rows["13"]["body"] == 'Hello, "Ann"\nyour code is 1234'


def test_console_sample_keywords(console_log: Delivered) -> None:
    delivered = console_log
    events = delivered.rows("consent_events")
    assert taken(events, "row_number", "channel", "contact", "event_type") == [
        (5, "sms", CONTACT, "opt_out"),
        (7, "sms", "+12025550102", "opt_out"),
        (12, "sms", CONTACT, "opt_in"),
        (16, "whatsapp", "+447700900015", "opt_out"),
        (18, "sms", "+12025550106", "opt_out"),
    ]
    # Twilio blocks a bare keyword to a long code at once; nothing says so of "stop!", WhatsApp or a lone short code.
    assert [event["processed_at"] for event in events] == [
        events[0]["requested_at"],
        None,
        events[2]["requested_at"],
        None,
        None,
    ]
    assert {(event["method"], event["actor"]) for event in events} == {("keyword", "contact")}
    assert events[0]["event_id"] == "SM00000000000000000000000000000005:opt_out"
    contacts = [row["contact"] for row in delivered.rows("inbound_messages")]
    assert contacts == [
        CONTACT,
        "+12025550102",
        "+12025550103",
        CONTACT,
        "+12025550105",
        "+447700900015",
        "US.1234567890",
        "+12025550106",
    ]


def test_older_console_dump_in_another_order(tmp_path: Path) -> None:
    delivered = deliver_sample(tmp_path, "twilio", "console_older.csv")
    assert delivered.counts == [(5, 5, 0, 0)]
    assert taken(delivered.rows("messages"), "status", "error_code") == [("delivered", None), ("failed", None)]
    assert taken(delivered.rows("consent_events"), "contact", "requested_at") == [
        ("+12025550111", at("2026-04-01T12:30:00"))
    ]


def test_rest_page(tmp_path: Path) -> None:
    delivered = deliver_sample(tmp_path, "twilio", "messages.json")
    assert delivered.counts == [(15, 12, 0, 3)]
    assert taken(delivered.rows("messages"), "row_number", "channel", "status", "sent_at", "price") == [
        (1, "sms", "delivered", at("2026-10-08T16:00:02"), 0.0079),
        (2, "sms", "delivered", at("2026-10-08T16:00:03"), 0.0079),
        (3, "sms", "accepted", at("2026-10-08T16:00:01"), None),
        (4, "sms", "failed", at("2026-10-08T16:00:01"), None),
        (5, "sms", "suppressed", at("2026-10-08T16:00:01"), None),
        (8, "rcs", "read", at("2026-10-08T16:00:05"), 0.0079),
    ]
    assert {row["program"] for row in delivered.rows("messages")} == {"MG00000000000000000000000000000007"}
    # A short code of a messaging service is Twilio's to block; Messenger is not.
    assert taken(delivered.rows("consent_events"), "row_number", "channel", "contact", "processed_at") == [
        (6, "sms", "+12025550121", at("2026-10-08T17:00:00")),
        (7, "sms", "+12025550122", at("2026-10-08T17:01:00")),
        (9, "messenger", "1234567890123", None),
    ]
    assert [reason for _, reason, _ in delivered.reasons()] == [
        "required_value_missing",
        "timestamp_unreadable",
        "malformed_json",
    ]
    assert '"To nobody"' in delivered.quarantine()[0]["raw"]


def test_bulk_export(tmp_path: Path) -> None:
    delivered = deliver_sample(tmp_path, "twilio", "2026-11-02.json.gz")
    assert delivered.counts == [(13, 10, 1, 2)]
    assert [row["status"] for row in delivered.rows("messages")] == ["delivered"] * 6 + ["suppressed"]
    assert delivered.reasons() == [(11, "malformed_json", None), (13, "timestamp_implausible", "sent_at")]


def test_warehouse_table_keeps_digests_out_and_reads_keywords(tmp_path: Path) -> None:
    delivered = deliver_sample(tmp_path, "twilio", "warehouse_message.csv")
    assert delivered.counts == [(11, 10, 0, 1)]
    messages = delivered.rows("messages")
    assert messages[0]["contact"] == "+12025550141"
    assert messages[0]["sent_at"] == at("2026-11-05T10:00:00.768")
    assert [row["status"] for row in messages] == ["delivered"] * 5 + ["accepted", "suppressed"]
    assert {row["body"] for row in messages} == {None}
    assert taken(delivered.rows("inbound_messages"), "contact", "body") == [
        ("+12025550141", None),
        ("+12025550142", "Stop"),
    ]
    assert [row["contact"] for row in delivered.rows("consent_events")] == ["+12025550142"]


def test_warehouse_table_that_others_published(tmp_path: Path) -> None:
    file = PEER_CASES / "twilio_message_data.csv"
    if not file.is_file():
        pytest.skip(f"{file.parent} is not here: other projects' payloads are not part of this one")
    delivered = deliver(tmp_path, "twilio", {file.name: file.read_bytes()})
    assert delivered.counts == [(10, 10, 0, 0)]
    assert set(
        taken(delivered.rows("messages"), "contact", "sender", "sent_at", "status", "price", "currency", "body")
    ) == {("+15555555555", "+15555555555", at("2023-05-09T23:17:40.768"), "delivered", 0.0158, "USD", None)}


def test_warehouse_table_as_parquet(tmp_path: Path) -> None:
    frame = polars.DataFrame(
        {
            "id": ["SM1", "SM2"],
            "from": [12025550199, 12025550199],
            "to": [12025550101, 12025550102],
            "direction": ["outbound-api", "outbound-api"],
            "status": ["delivered", "failed"],
            "error_code": [None, 21610],
            "created_at": [datetime(2026, 10, 1, 8, tzinfo=UTC)] * 2,
            "date_sent": [datetime(2026, 10, 1, 9, 0, 0, 123456, tzinfo=UTC), None],
        }
    )
    frame.write_parquet(tmp_path / "message.parquet")
    delivered = deliver(tmp_path / "home", "twilio", {"message.parquet": (tmp_path / "message.parquet").read_bytes()})
    assert taken(delivered.rows("messages"), "contact", "status", "sent_at") == [
        (CONTACT, "delivered", at("2026-10-01T09:00:00.123456")),
        ("+12025550102", "suppressed", at("2026-10-01T08:00:00")),
    ]


def test_inbound_webhooks(tmp_path: Path) -> None:
    delivered = deliver_sample(tmp_path, "twilio", "inbound_webhooks.jsonl")
    assert delivered.counts == [(12, 8, 0, 4)]
    # OptOutType decides where it stands: a custom keyword is an opt-out, HELP is nothing.
    assert taken(delivered.rows("consent_events"), "row_number", "event_type", "processed_at") == [
        (1, "opt_out", at("2026-11-06T08:00:00.123")),
        (3, "opt_in", at("2026-11-06T08:02:00")),
        (5, "opt_out", None),
    ]
    assert taken(delivered.rows("inbound_messages"), "row_number", "button")[3] == (4, "Stop promotions")
    # Without a received time neither the text nor the opt-out can be placed; a status callback has no sending time.
    assert delivered.reasons() == [
        (6, "required_value_missing", "requested_at"),
        (6, "required_value_missing", "received_at"),
        (7, "required_value_missing", "sent_at"),
        (8, "malformed_json", None),
    ]


def test_keyword_texts(tmp_path: Path) -> None:
    """A text, the event it is, and whether Twilio says that it acts on it."""
    texts = [
        ("STOP", "opt_out", True),
        ("stop", "opt_out", True),
        (" Stop \n", "opt_out", True),
        ("OptOut", "opt_out", True),
        ("revoke", "opt_out", True),
        ("STOP.", "opt_out", False),
        ("«stop» 🛑", "opt_out", False),
        ("START", "opt_in", True),
        ("unstop", "opt_in", True),
        ("YES", None, None),
        ("STOP IT", None, None),
        ("nonstop", None, None),
        ("HELP", None, None),
        ("", None, None),
        ("🛑", None, None),
    ]
    delivered = deliver(tmp_path, "twilio", {"log.csv": console(*[inbound(body) for body, _, _ in texts])})
    assert [row["body"] or "" for row in delivered.rows("inbound_messages")] == [body for body, _, _ in texts]
    events = {row["row_number"]: row for row in delivered.rows("consent_events")}
    found = [(events[place]["event_type"], events[place]["processed_at"] is not None) for place in sorted(events)]
    assert found == [(event, is_processed) for _, event, is_processed in texts if event]
    assert sorted(events) == list(range(1, 10))


def test_keywords_are_reference_rows_with_sources() -> None:
    with (reference_folder() / "keywords.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["provider"] == "twilio"]
    opt_outs = {"STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT"}
    assert {row["keyword"] for row in rows if row["meaning"] == "opt_out"} == opt_outs
    assert {row["keyword"] for row in rows if row["meaning"] == "opt_in"} == {"START", "UNSTOP"}
    assert all(row["source"].startswith("https://") for row in rows)


def test_statuses(tmp_path: Path) -> None:
    statuses = [
        ("queued", "", "accepted"),
        ("accepted", "", "accepted"),
        ("scheduled", "", "accepted"),
        ("sending", "", "accepted"),
        ("Sent", "", "sent"),
        ("DELIVERED", "", "delivered"),
        ("partially_delivered", "", "delivered"),
        ("read", "", "read"),
        ("undelivered", "30007", "undelivered"),
        ("undelivered", "21610", "suppressed"),
        ("failed", "21610.0", "suppressed"),
        ("failed", "21611", "failed"),
        ("canceled", "", "failed"),
        ("delivered", "21610", "delivered"),
    ]
    rows = [{"Status": status, "ErrorCode": error} for status, error, _ in statuses]
    delivered = deliver(tmp_path, "twilio", {"log.csv": console(*rows)})
    assert [row["status"] for row in delivered.rows("messages")] == [expected for _, _, expected in statuses]
    assert delivered.rows("consent_events") == []  # 21610 says that an opt-out exists, not since when


def test_confirmations(tmp_path: Path) -> None:
    texts = [
        ("You have successfully been unsubscribed. Reply START to resubscribe.", "outbound-reply", "confirmation"),
        ("ACME: you have been unsubscribed and will get no more texts", "outbound-api", "confirmation"),
        ("NETWORK MSG: You replied with the word 'stop' which blocks all texts", "outbound-reply", "confirmation"),
        ("If you have opted out by mistake, reply START: 50 % off!", "outbound-api", None),
        ("Thanks, see you soon", "outbound-reply", None),
    ]
    rows = [{"Body": body, "Direction": direction} for body, direction, _ in texts]
    delivered = deliver(tmp_path, "twilio", {"log.csv": console(*rows)})
    assert [row["message_class"] for row in delivered.rows("messages")] == [expected for _, _, expected in texts]


def test_addresses(tmp_path: Path) -> None:
    addresses = [
        (OWN, "12025550101", "sms", CONTACT),
        (OWN, " +12025550101", "sms", CONTACT),
        ("24680", "+447700900001", "sms", "+447700900001"),
        (f"whatsapp:{OWN}", "WhatsApp:12025550101", "whatsapp", CONTACT),
        (f"whatsapp:{OWN}", "whatsapp:US.13491208655302741918", "whatsapp", "US.13491208655302741918"),
        ("rcs:agent", CONTACT, "rcs", CONTACT),
        ("messenger:12025550101", "messenger:12025550102", "messenger", "12025550102"),
        ("chat:agent", "chat:someone", "other", "someone"),
    ]
    rows = [{"From": sender, "To": recipient} for sender, recipient, _, _ in addresses]
    delivered = deliver(tmp_path, "twilio", {"log.csv": console(*rows)})
    assert taken(delivered.rows("messages"), "channel", "contact") == [address[2:] for address in addresses]


@pytest.mark.parametrize("shape", ["lines", "list", "page", "page_on_one_line", "pages", "indented"])
def test_json_shapes(tmp_path: Path, shape: str) -> None:
    messages = [message(sid="SM1"), message(sid="SM2")]
    content = {
        "lines": "\ufeff" + "\n\n".join(map(json.dumps, messages)),
        "list": json.dumps(messages, indent=2),
        "page": json.dumps({"messages": messages, "page": 0}, indent=2),
        "page_on_one_line": json.dumps({"page": 0, "messages": messages}),
        "pages": "\n".join(json.dumps({"messages": [one]}) for one in messages),
        "indented": "\n".join(json.dumps(one, indent=1) for one in messages),
    }[shape]
    delivered = deliver(tmp_path, "twilio", {"log.json": content})
    assert taken(delivered.rows("messages"), "message_id", "sent_at") == [
        ("SM1", at("2023-02-14T14:03:33")),
        ("SM2", at("2023-02-14T14:03:33")),
    ]


def test_dates(tmp_path: Path) -> None:
    dates = [
        ("Tue, 14 Feb 2023 14:03:33 +0000", "2023-02-14T14:03:33"),
        ("Tue, 14 Feb 2023 09:03:33 -0500", "2023-02-14T14:03:33"),
        ("14 Feb 2023 14:03:33 GMT", "2023-02-14T14:03:33"),
        ("2023-02-14T14:03:33Z", "2023-02-14T14:03:33"),
        ("2023-02-14T14:03:33.123456789Z", "2023-02-14T14:03:33.123456"),
        ("2023-02-14 14:03:33.5 UTC", "2023-02-14T14:03:33.5"),
    ]
    lines = [message(sid=f"SM{number}", date_sent=written) for number, (written, _) in enumerate(dates)]
    delivered = deliver(tmp_path, "twilio", {"log.jsonl": "\n".join(map(json.dumps, lines))})
    assert [row["sent_at"] for row in delivered.rows("messages")] == [at(expected) for _, expected in dates]


def test_hostile_json_rows_are_refused_one_by_one(tmp_path: Path) -> None:
    lines: list[object] = [
        message(),
        message(sid=None),
        message(to={"number": CONTACT}),
        message(date_sent=None, date_created=None),
        message(date_sent=12345678901234567890123),
        message(direction=["outbound-api"]),
        message(status=7),
        message(error_code=10**30, status="failed", sid="SM8"),
        {},
        {"sid": "SM10"},
        [message()],
        None,
        message(sid="SM13", body="\u202e\u0000x 日本"),
        {"SID": "SM14", "From": OWN, "to": CONTACT, "Direction": "OUTBOUND-API", "DateSent": "2026-10-01T00:00:00Z"},
    ]
    delivered = deliver(tmp_path, "twilio", {"log.jsonl": "\n".join(map(json.dumps, lines))})
    assert [row["message_id"] for row in delivered.rows("messages")][:1] == ["SM1"]
    assert {row["message_id"] for row in delivered.rows("messages")} >= {"SM8", "SM13", "SM14"}
    assert delivered.loads[0].read_count == len(lines)
    refused = {place: reason for place, reason, _ in delivered.reasons()}
    assert (
        refused.items()
        >= {
            2: "required_value_missing",
            4: "required_value_missing",
            5: "timestamp_unreadable",
            6: "unsupported_event",
            7: "value_not_allowed",
            9: "required_value_missing",
            11: "malformed_json",
            12: "malformed_json",
        }.items()
    )


def test_a_key_that_comes_late_in_the_file_counts(tmp_path: Path) -> None:
    hook = {"MessageSid": "SM0", "From": CONTACT, "To": OWN, "Body": "hello", "received_at": "2026-10-01T00:00:00Z"}
    lines = [hook | {"MessageSid": f"SM{number}"} for number in range(1, 1500)]
    lines.append(hook | {"MessageSid": "SM1500", "Body": "ARRET", "OptOutType": "STOP"})
    delivered = deliver(tmp_path, "twilio", {"hooks.jsonl.gz": "\n".join(map(json.dumps, lines))})
    assert taken(delivered.rows("consent_events"), "event_id", "row_number") == [("SM1500:opt_out", 1500)]


def test_the_same_text_from_two_logs_is_one_opt_out(tmp_path: Path) -> None:
    hook = {"MessageSid": "SM1", "From": CONTACT, "To": OWN, "Body": "STOP", "received_at": "2026-10-01T14:00:01Z"}
    delivered = deliver(tmp_path, "twilio", {"console.csv": console(inbound("STOP")), "hooks.jsonl": json.dumps(hook)})
    assert {event["event_id"] for event in delivered.rows("consent_events")} == {"SM1:opt_out"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("calls.csv", "Sid,From,To,Direction,Duration,StartTime\nCA1,+12025550199,+12025550101,outbound-api,5,x\n"),
        ("other.csv", "a,b\n1,2\n"),
        ("other.jsonl", '{"event": "delivered", "email": "reader@example.com"}'),
        ("cut.json", '{"messages": [{"sid": "SM1",\n "from": "+12025550199"'),
    ],
)
def test_other_files_are_not_read(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(UnreadableInputError) as refusal:
        deliver(tmp_path, "twilio", {name: content})
    assert name in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", ""), ("a.jsonl", ""), ("a.json", "[]"), ("a.csv", CONSOLE + "\n")]
)
def test_empty_files_hold_no_rows(tmp_path: Path, name: str, content: str) -> None:
    assert deliver(tmp_path, "twilio", {name: content}).counts == [(0, 0, 0, 0)]


def test_every_row_of_every_sample_is_a_record_or_refused(tmp_path: Path) -> None:
    rows = {"messages.json": 12, "warehouse_message.csv": 10, "inbound_webhooks.jsonl": 8, "console_older.csv": 4}
    for name, count in rows.items():
        delivered = deliver_sample(tmp_path / name, "twilio", name)
        places = {place for place, _, _ in delivered.reasons()}
        places |= {row["row_number"] for table in delivered.loads[0].tables for row in delivered.rows(table)}
        assert places == set(range(1, count + 1))
    assert {path.name for path in (SAMPLES / "twilio").iterdir()} >= set(rows)
