"""WhatsApp Cloud API webhooks: the shipped sample, public payloads of every type, and hostile variants."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import UnreadableInputError
from tests.support.deliveries import Delivered, deliver, deliver_sample

PEER_CASES = Path(__file__).resolve().parents[2].parent / "shared" / "peer-cases" / "whatsapp_cloud"
START = 1790000000  # 2026-09-21 14:13:20 UTC
USER = "US.1000000000000000061"


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


def taken(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def envelope(value: object, field: object = "messages") -> dict[str, object]:
    changes = [{"field": field, "value": value}]
    return {"object": "whatsapp_business_account", "entry": [{"id": "200000000000002", "changes": changes}]}


def status(**keys: object) -> dict[str, object]:
    known = {"id": "wamid.1", "status": "sent", "timestamp": str(START), "recipient_id": "12025550161"}
    return {name: value for name, value in (known | keys).items() if value is not ...}


def statuses(*items: object, **value: object) -> dict[str, object]:
    return envelope({"metadata": {"phone_number_id": "100000000000001"}, "statuses": list(items)} | value)


def preference(**keys: object) -> dict[str, object]:
    known = {"wa_id": "12025550161", "category": "marketing_messages", "value": "stop", "timestamp": START}
    return envelope({"user_preferences": [known | keys]}, "user_preferences")


def delivered_lines(home: Path, *lines: object) -> Delivered:
    return deliver(home, "whatsapp_cloud", {"webhooks.jsonl": "\n".join(map(json.dumps, lines))})


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    return deliver_sample(tmp_path_factory.mktemp("home"), "whatsapp_cloud", "webhooks.jsonl")


def test_sample_accounts_for_every_item(sample: Delivered) -> None:
    # 31 lines; line 4 holds three statuses, line 6 a suppressed message that is also an opt-out: 34 records.
    assert sample.counts == [(34, 21, 1, 12)]
    assert sample.loads[0].tables == {"messages": 12, "inbound_messages": 5, "consent_events": 4}
    assert sample.reasons() == [
        (18, "unsupported_event", None),
        (21, "unsupported_event", None),
        (22, "required_value_missing", "status"),
        (23, "timestamp_implausible", "sent_at"),
        (24, "timestamp_unreadable", "sent_at"),
        (25, "required_value_missing", "contact"),
        (26, "unsupported_event", None),
        (27, "unsupported_event", None),
        (28, "unsupported_event", None),
        (29, "unsupported_event", None),
        (30, "unsupported_event", None),
        (31, "malformed_json", None),
    ]
    assert "VERIFIED_ACCOUNT" in sample.quarantine()[7]["raw"]


def test_sample_messages(sample: Delivered) -> None:
    found = taken(sample.rows("messages"), "row_number", "contact", "status", "message_class", "error_code")
    assert sorted(found, key=lambda row: row[:3]) == [
        (1, "+12025550161", "sent", "marketing", None),
        (2, "+12025550161", "delivered", "marketing", None),
        (3, "+12025550161", "read", "marketing", None),
        (4, "+12025550162", "delivered", "marketing", None),
        (4, "+12025550162", "sent", "marketing", None),
        (4, "+12025550163", "sent", "transactional", None),
        (6, "+12025550161", "suppressed", None, "131050"),
        (7, USER, "sent", "marketing", None),
        (9, "+12025550164", "failed", None, "131049"),
        (10, "+12025550165", "failed", None, "130472"),
        (11, "+447700900161", "read", "transactional", None),
        (12, "120363000000000001", "sent", "marketing", None),  # a group
    ]
    first = sample.rows("messages")[0]
    assert (first["channel"], first["sender"], first["program"]) == ("whatsapp", "100000000000001", None)
    assert first["sent_at"] == first["status_at"] == moment(0)


def test_sample_links_the_two_ids_of_a_contact(sample: Delivered) -> None:
    people = {row["contact"]: row["person_id"] for row in sample.rows("messages")}
    assert (people["+12025550161"], people[USER]) == (USER, USER)
    assert people["+12025550162"] is None
    assert people["120363000000000001"] is None


def test_sample_consent_events(sample: Delivered) -> None:
    events = sample.rows("consent_events")
    assert taken(events, "row_number", "contact", "event_type", "method", "requested_at") == [
        (5, "+12025550161", "opt_out", "preference_center", moment(4000)),
        (6, "+12025550161", "opt_out", "provider", moment(90000)),
        (8, "+12025550161", "opt_in", "preference_center", moment(200000)),
        (19, "+12025550167", "opt_out", "preference_center", moment(84)),
    ]
    assert [event["processed_at"] for event in events] == [event["requested_at"] for event in events]
    assert {event["actor"] for event in events} == {"contact"}
    assert (events[1]["event_id"], events[1]["message_id"]) == ("wamid.SAMPLE0004:131050", "wamid.SAMPLE0004")
    assert taken(events, "person_id", "reason_text")[0] == (USER, "User requested to stop marketing messages")
    assert events[2]["reason_text"] is None


def test_sample_inbound_messages(sample: Delivered) -> None:
    assert taken(sample.rows("inbound_messages"), "contact", "body", "button") == [
        ("+12025550162", "STOP", None),
        ("+12025550162", "Stop promotions", "unsubscribe"),
        ("+12025550163", "Fewer messages", "freq-less"),
        ("+12025550163", "👎", None),
        ("+12025550163", "بطاقة", None),
    ]


def test_payloads_that_others_published(tmp_path: Path) -> None:
    if not PEER_CASES.is_dir():
        pytest.skip(f"{PEER_CASES} is not here: other projects' payloads are not part of this one")
    inbound = json.loads((PEER_CASES / "message.json").read_text(encoding="utf-8"))
    outbound = json.loads((PEER_CASES / "message_status.json").read_text(encoding="utf-8"))
    delivered = delivered_lines(tmp_path, *inbound.values(), *outbound.values())
    assert delivered.loads[0].quarantined_count == 0
    assert delivered.loads[0].read_count == len(inbound) + len(outbound)
    texts = {row["row_number"]: row["body"] for row in delivered.rows("inbound_messages")}
    for line, name in enumerate(inbound, start=1):
        item = inbound[name]["entry"][0]["changes"][0]["value"]["messages"][0]
        text = item.get("text", {}).get("body") or item.get("reaction", {}).get("emoji")
        if text:
            assert texts[line] == text
    messages = delivered.rows("messages")
    assert {row["contact"] for row in messages} == {"+972987654321", "fowefinoewcnw"}
    assert {row["person_id"] for row in messages if row["contact"].startswith("+")} == {"US.13491208655302741918"}
    # Of the 7, "sent" came twice, and "played" reads as the "read" of the same second.
    assert [row["status"] for row in messages] == ["sent", "delivered", "read", "failed", "read"]


def test_several_records_of_one_line_stay_apart(tmp_path: Path) -> None:
    first, second, third = (status(id=f"wamid.{number}") for number in (1, 2, 3))
    delivered = delivered_lines(tmp_path, statuses(first), statuses(first, second), statuses(third, third))
    assert delivered.counts == [(5, 3, 2, 0)]
    assert [row["message_id"] for row in delivered.rows("messages")] == ["wamid.1", "wamid.2", "wamid.3"]


def test_statuses_and_categories(tmp_path: Path) -> None:
    stopped = [{"code": 1}, {"code": 131050}]
    cases: list[tuple[dict[str, object], str, str | None, str | None]] = [
        ({"status": "DELIVERED", "pricing": {"category": "Marketing"}}, "delivered", "marketing", None),
        ({"status": "played", "pricing": {"category": "marketing_lite"}}, "read", "marketing", None),
        ({"pricing": {"category": "authentication-international"}}, "sent", "transactional", None),
        ({"pricing": {"category": "referral_conversion"}}, "sent", "transactional", None),
        ({"pricing": {"category": "something_new"}}, "sent", None, None),
        ({"pricing": None}, "sent", None, None),
        ({"status": "failed", "errors": stopped}, "suppressed", None, "131050"),
        ({"status": "failed", "errors": [{"code": "131050"}]}, "suppressed", None, "131050"),
        ({"status": "failed", "errors": []}, "failed", None, None),
        ({"status": "failed", "errors": "131050"}, "failed", None, None),
        ({"status": "delivered", "errors": stopped}, "delivered", None, "1"),
    ]
    items = [status(id=f"wamid.{number}", **keys) for number, (keys, *_) in enumerate(cases)]
    delivered = delivered_lines(tmp_path, *map(statuses, items))
    found = taken(delivered.rows("messages"), "status", "message_class", "error_code")
    assert found == [case[1:] for case in cases]
    assert [event["message_id"] for event in delivered.rows("consent_events")] == ["wamid.6", "wamid.7"]


def test_identities(tmp_path: Path) -> None:
    """What a status says of its recipient, the contacts beside it, and the contact and person it is."""
    number, other = "12025550161", "12025550162"
    cases: list[tuple[dict[str, object], object, str, str | None]] = [
        ({"recipient_id": number}, [{"wa_id": number, "user_id": USER}], f"+{number}", USER),
        ({"recipient_id": int(number)}, [{"wa_id": int(number), "user_id": USER}], f"+{number}", USER),
        ({"recipient_id": number}, [{"wa_id": other, "user_id": "US.9"}], f"+{number}", None),
        ({"recipient_id": number, "recipient_user_id": USER}, None, f"+{number}", USER),
        ({"recipient_id": ..., "recipient_user_id": USER}, [{"user_id": USER}], USER, USER),
        ({"recipient_id": "", "recipient_participant_id": number}, {}, f"+{number}", None),
        ({"recipient_id": None, "recipient_participant_user_id": USER}, [None, 3], USER, USER),
        ({"recipient_id": USER}, [{"wa_id": USER}], USER, USER),
        ({"recipient_id": "12036300", "recipient_type": "group"}, [{"wa_id": "12036300"}], "12036300", None),
        ({"recipient_id": f"+{number}", "recipient_type": "individual"}, [], f"+{number}", None),
    ]
    lines = [
        statuses(status(id=f"wamid.{place}", **keys), contacts=contacts)
        for place, (keys, contacts, _, _) in enumerate(cases)
    ]
    delivered = delivered_lines(tmp_path, *lines)
    assert taken(delivered.rows("messages"), "contact", "person_id") == [case[2:] for case in cases]


def test_preferences(tmp_path: Path) -> None:
    beside = [{"wa_id": "12025550169", "user_id": "US.9"}, {"wa_id": "12025550161", "user_id": USER}]
    named = preference()
    named["entry"][0]["changes"][0]["value"]["contacts"] = beside  # type: ignore[index]
    delivered = delivered_lines(
        tmp_path,
        named,
        preference(value="Resume", timestamp=str(START + 60)),
        preference(wa_id=None, user_id=USER, timestamp=START + 70),
        preference(value="signup"),
        preference(value=None),
        preference(category="utility_messages"),
        preference(timestamp=None),
        preference(timestamp=10**40),
        preference(),
    )
    assert taken(delivered.rows("consent_events"), "contact", "person_id", "event_type", "requested_at") == [
        ("+12025550161", USER, "opt_out", moment(0)),
        ("+12025550161", None, "opt_in", moment(60)),
        (USER, USER, "opt_out", moment(70)),
        ("+12025550161", None, "opt_out", moment(0)),
    ]
    assert delivered.reasons() == [
        (4, "unsupported_event", None),
        (5, "unsupported_event", None),
        (6, "unsupported_event", None),
        (7, "required_value_missing", "requested_at"),
        (8, "timestamp_implausible", "requested_at"),
    ]
    # Ids that heed derives do not hold the number.
    assert all("2025550161" not in row["event_id"] for row in delivered.rows("consent_events"))


def test_hostile_lines_are_refused_one_by_one(tmp_path: Path) -> None:
    whole = statuses(status())
    lines: list[object] = [
        whole,
        {},
        {"entry": None},
        {"entry": {"changes": []}},
        {"object": "whatsapp_business_account", "entry": [None, 7, {"changes": None}, {"changes": [None]}]},
        envelope(None),
        envelope([], None),
        envelope({"statuses": [None, "x", []], "messages": {}, "contacts": "none"}),
        envelope({"statuses": [status()]}, "calls"),
        statuses(status(type="payment", status="captured")),
        statuses(status(status={"is": "sent"})),
        statuses(status(id=["wamid"])),
        statuses(status(recipient_id={"number": "12025550161"})),
        statuses(status(timestamp=-1)),
        statuses(status(timestamp=True)),
        statuses(status(timestamp=1e300)),
        statuses(status(id="wamid.17", timestamp=START + 0.25)),
        [whole],
        "whole",
        None,
    ]
    delivered = delivered_lines(tmp_path, *lines)
    assert taken(delivered.rows("messages"), "message_id", "sent_at") == [
        ("wamid.1", moment(0)),
        ("wamid.17", moment(0.25)),
    ]
    reasons: dict[int, list[str]] = {}
    for place, reason, _ in delivered.reasons():
        reasons.setdefault(place, []).append(reason)
    assert reasons == {
        **{place: ["unsupported_event"] for place in (2, 3, 4, 5, 6, 7, 9, 10)},
        8: ["unsupported_event"] * 3,
        11: ["value_not_allowed"],
        12: ["required_value_missing"],
        13: ["required_value_missing"],
        14: ["timestamp_implausible"],
        15: ["timestamp_unreadable"],
        16: ["timestamp_implausible"],
        18: ["malformed_json"],
        19: ["malformed_json"],
        20: ["malformed_json"],
    }


def test_a_list_of_envelopes_and_a_packed_file(tmp_path: Path) -> None:
    envelopes = [statuses(status(id=f"wamid.{number}")) for number in range(3)]
    files: dict[str, str | bytes] = {
        "list.json": json.dumps(envelopes, indent=1),
        "lines.jsonl.gz": "\n".join(map(json.dumps, envelopes)),
    }
    delivered = deliver(tmp_path, "whatsapp_cloud", files)
    assert delivered.counts == [(3, 3, 0, 0), (3, 0, 3, 0)]


def test_files_without_an_envelope_are_not_read(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError) as refusal:
        deliver(tmp_path, "whatsapp_cloud", {"other.jsonl": '{"event": "delivered"}\n{"event": "open"}\n'})
    assert "none of its 2 objects has an entry" in str(refusal.value)


def test_an_empty_file_holds_no_rows(tmp_path: Path) -> None:
    assert deliver(tmp_path, "whatsapp_cloud", {"empty.jsonl": "\n\n"}).counts == [(0, 0, 0, 0)]
