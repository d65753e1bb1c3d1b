"""One wrong planted in a clean home is one finding, the right one, and there is no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support import published
from tests.support.clean_home import OPT_IN_AT, CleanHome, somebodies
from tests.support.home import without_validation

#: What a plant is found as: rule, class, severity, and the id of the message or event (None: the campaign's).
Found = tuple[str, str, str, str | None]

FLORIDA, NEW_YORK, BRITAIN, INDIA = "+13055550101", "+12125550101", "+447700900101", "+911234567101"
#: Contacts who opted out in April: by text in Florida and Britain, by e-mail in the United States.
LEFT = {one.address: one.opted_out_at for one in somebodies() if one.opted_out_at is not None}
LEFT_FLORIDA, LEFT_BRITAIN, LEFT_MAIL = "+13055550105", "+447700900105", "us7@example.com"
#: A Tuesday noon in New York, long after all opt-outs.
NOON = datetime(2026, 5, 19, 16, 0, tzinfo=UTC)
NIGHT = datetime(2026, 5, 19, 7, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def last_event(contact: str, event_type: str) -> str:
    at = LEFT.get(contact) if event_type == "opt_out" else OPT_IN_AT
    assert at is not None
    return f"{event_type} {contact} {at:%m%d}"


# Each plant changes the clean home and says what has to be found.


def after_processing(home: CleanHome) -> Found:
    home.message(LEFT_FLORIDA, "sms", NOON, "planted")
    return "message_after_opt_out", "sent_after_processing", "critical", "planted"


def past_deadline(home: CleanHome) -> Found:
    # A block has no deadline of its own rule, so that nothing but the message is wrong.
    home.add(
        "consent_events",
        event_id="block",
        channel="sms",
        contact=FLORIDA,
        event_type="block",
        requested_at=NOON - 30 * DAY,
    )
    drop_messages(home, FLORIDA, NOON - 30 * DAY)
    home.message(FLORIDA, "sms", NOON, "planted")
    return "message_after_opt_out", "sent_past_deadline", "critical", "planted"


def in_flight(home: CleanHome) -> Found:
    at = LEFT[LEFT_FLORIDA]
    assert at is not None
    home.row("consent_events", event_id=last_event(LEFT_FLORIDA, "opt_out"))["processed_at"] = at + 2 * DAY
    home.message(LEFT_FLORIDA, "sms", at + DAY, "planted")
    return "message_after_opt_out", "sent_in_flight", "notice", "planted"


def suppressed(home: CleanHome) -> Found:
    home.message(LEFT_FLORIDA, "sms", NOON, "planted", status="suppressed")
    return "message_after_opt_out", "suppressed_by_provider", "warning", "planted"


def processed_late(home: CleanHome) -> Found:
    at = LEFT[LEFT_FLORIDA]
    assert at is not None
    event = last_event(LEFT_FLORIDA, "opt_out")
    home.row("consent_events", event_id=event)["processed_at"] = at + 20 * DAY
    return "opt_out_not_honoured_in_time", "processed_late", "high", event


def not_processed(home: CleanHome) -> Found:
    event = last_event(LEFT_MAIL, "opt_out")
    home.row("consent_events", event_id=event)["processed_at"] = None
    return "opt_out_not_honoured_in_time", "not_processed", "warning", event


def nobody_asked(home: CleanHome) -> Found:
    home.message("+13055550150", "sms", NOON, "planted")
    return "message_without_consent", "no_consent_on_record", "high", "planted"


def consent_taken_away(home: CleanHome) -> Found:
    """Of a contact with one message only, in Britain, where consent is a matter of warning."""
    home.message("+447700900150", "sms", NOON, "planted")
    return "message_without_consent", "no_consent_on_record", "warning", "planted"


def no_rule_asks(home: CleanHome) -> Found:
    home.message("+911234567150", "sms", NOON - timedelta(hours=6), "planted")
    return "message_without_consent", "no_consent_on_record", "notice", "planted"


def no_log(home: CleanHome) -> Found:
    home.message("+447700900150", "whatsapp", NOON, "planted")
    return "message_without_consent", "no_consent_log", "warning", "planted"


def no_log_and_no_rule(home: CleanHome) -> Found:
    home.message("token-0001", "push", NOON, "planted")
    return "message_without_consent", "no_consent_log", "notice", "planted"


def not_confirmed(home: CleanHome) -> Found:
    home.opt_in("+13055550150", "sms", OPT_IN_AT)
    home.tables["consent_events"].pop()
    home.message("+13055550150", "sms", NOON, "planted")
    return "message_before_confirmation", "only_requested", "high", "planted"


def bought(home: CleanHome) -> Found:
    event = last_event(BRITAIN, "opt_in_confirmed")
    home.row("consent_events", event_id=event)["source_type"] = "purchased"
    return "consent_from_forbidden_source", "purchased", "high", event


def scraped(home: CleanHome) -> Found:
    event = last_event(LEFT_MAIL, "opt_in_confirmed")
    home.row("consent_events", event_id=event)["source_type"] = "scraped"
    return "consent_from_forbidden_source", "scraped", "high", event


def prechecked(home: CleanHome) -> Found:
    event = last_event(INDIA, "opt_in_confirmed")
    home.row("consent_events", event_id=event)["prechecked"] = True
    return "consent_from_forbidden_source", "prechecked_box", "high", event


def at_night(home: CleanHome) -> Found:
    message = home.row("messages", message_id=f"{INDIA} 11")
    message["sent_at"] = datetime(2026, 5, 19, 15, 30, 1, tzinfo=UTC)  # a second past 21:00 in India
    return "message_in_quiet_hours", "certain", "warning", str(message["message_id"])


def at_night_it_seems(home: CleanHome) -> Found:
    home.opt_in("+12125550150", "sms", OPT_IN_AT)
    home.message("+12125550150", "sms", NIGHT, "planted")
    return "message_in_quiet_hours", "possible", "warning", "planted"


def at_night_perhaps(home: CleanHome) -> Found:
    """A toll-free number tells no area; the contacts table tells the country."""
    home.opt_in("+18005550150", "sms", OPT_IN_AT)
    home.add("contacts", contact="+18005550150", country="US", listed=True, listed_at=OPT_IN_AT)
    home.message("+18005550150", "sms", NIGHT, "planted")
    return "message_in_quiet_hours", "unknown", "notice", "planted"


def too_many(home: CleanHome) -> Found:
    for number in range(4):
        home.message(BRITAIN, "sms", NOON - DAY + timedelta(days=2, minutes=number), f"planted {number}")
    return "message_over_frequency_cap", "over_policy_cap", "warning", "planted 3"


def too_many_for_the_law(home: CleanHome) -> Found:
    for number in range(4):
        home.message(FLORIDA, "sms", NOON + timedelta(days=2, minutes=number), f"planted {number}")
    return "message_over_frequency_cap", "over_legal_cap", "warning", "planted 3"


def silent(home: CleanHome) -> Found:
    home.tables["messages"].remove(home.row("messages", message_id=f"confirmation {LEFT_FLORIDA}"))
    return "confirmation_missing", "no_confirmation", "notice", last_event(LEFT_FLORIDA, "opt_out")


def slow(home: CleanHome) -> Found:
    at = LEFT[LEFT_FLORIDA]
    assert at is not None
    message = home.row("messages", message_id=f"confirmation {LEFT_FLORIDA}")
    message["sent_at"] = at + timedelta(minutes=5, microseconds=1)
    return "confirmation_late", "late", "warning", str(message["message_id"])


def slow_the_second_time(home: CleanHome) -> Found:
    """Whoever asks again inside the span is answered again, and this time late."""
    home.opt_out(LEFT_FLORIDA, "sms", NOON)
    message = home.tables["messages"][-1]
    message |= {"message_id": "planted", "sent_at": NOON + timedelta(minutes=6)}
    return "confirmation_late", "late", "warning", "planted"


def twice(home: CleanHome) -> Found:
    message = home.row("messages", message_id=f"confirmation {LEFT_BRITAIN}")
    home.add("messages", **(message | {"message_id": "planted", "sent_at": message["sent_at"] + DAY}))
    return "confirmation_repeated", "repeated", "high", "planted"


def one_last_offer(home: CleanHome) -> Found:
    message = home.row("messages", message_id=f"confirmation {LEFT_FLORIDA}")
    message["body"] = "You are unsubscribed. Before you go: 20% off, shop now!"
    return "confirmation_with_marketing", "marketing_text", "high", str(message["message_id"])


def overheard(home: CleanHome) -> Found:
    reply(home, NEW_YORK, "STOP")
    return "opt_out_request_missed", "certain", "high", "planted"


def overheard_again(home: CleanHome) -> Found:
    reply(home, LEFT_FLORIDA, "STOP")
    return "opt_out_request_missed", "certain", "notice", "planted"


def overheard_it_seems(home: CleanHome) -> Found:
    reply(home, NEW_YORK, "why do you keep texting me")
    return "opt_out_request_missed", "possible", "warning", "planted"


def overheard_again_it_seems(home: CleanHome) -> Found:
    reply(home, LEFT_FLORIDA, "why do you keep texting me")
    return "opt_out_request_missed", "possible", "notice", "planted"


def undone(home: CleanHome) -> Found:
    home.opt_in(LEFT_FLORIDA, "sms", NOON)
    event = home.tables["consent_events"].pop()
    home.tables["consent_events"].pop()
    home.add("consent_events", **(event | {"actor": "import", "method": "import"}))
    return "opt_in_without_act", "import", "high", str(event["event_id"])


def undone_by_hand(home: CleanHome) -> Found:
    found = undone(home)
    home.row("consent_events", event_id=found[3])["actor"] = "operator"
    return "opt_in_without_act", "operator", "high", found[3]


def no_way_out(home: CleanHome) -> Found:
    message = home.row("messages", message_id=f"{BRITAIN} 11")
    message["body"] = "Spring news from our house."
    return "message_without_opt_out_instructions", "no_instructions", "warning", str(message["message_id"])


def box_left_unticked(home: CleanHome) -> Found:
    home.row("campaigns", campaign_id="week04", channel="email")["respects_opt_outs"] = False
    return "campaign_ignores_opt_outs", "suppression_off", "high", None


def still_listed(home: CleanHome) -> Found:
    home.row("contacts", contact=LEFT_FLORIDA)["listed"] = True
    return "contact_still_listed", "still_listed", "warning", last_event(LEFT_FLORIDA, "opt_out")


def drop_messages(home: CleanHome, contact: str, since: datetime) -> None:
    home.tables["messages"] = [
        row for row in home.tables["messages"] if row["contact"] != contact or row["sent_at"] < since
    ]


def reply(home: CleanHome, contact: str, body: str) -> None:
    home.add(
        "inbound_messages", inbound_id="planted", channel="sms", contact=contact, received_at=NOON - 7 * DAY, body=body
    )


PLANTS: tuple[Callable[[CleanHome], Found], ...] = (
    after_processing,
    past_deadline,
    in_flight,
    suppressed,
    processed_late,
    not_processed,
    nobody_asked,
    consent_taken_away,
    no_rule_asks,
    no_log,
    no_log_and_no_rule,
    not_confirmed,
    bought,
    scraped,
    prechecked,
    at_night,
    at_night_it_seems,
    at_night_perhaps,
    too_many,
    too_many_for_the_law,
    silent,
    slow,
    slow_the_second_time,
    twice,
    one_last_offer,
    overheard,
    overheard_again,
    overheard_it_seems,
    overheard_again_it_seems,
    undone,
    undone_by_hand,
    no_way_out,
    box_left_unticked,
    still_listed,
)


def found_in(path: Path, home: CleanHome) -> tuple[str, list[dict[str, Any]]]:
    """The verdict and the findings of a run of the home."""
    home.write(path)
    outcome = json.loads(published.heed(path, "run", "--json"))
    assert not any(one["quarantined"] for one in outcome["inputs"])
    return outcome["verdict"]["overall"], published.heed_rows(path, "findings")


def short(row: dict[str, Any]) -> Found:
    return row["rule"], row["finding_class"], row["severity"], row["message_id"] or row["event_id"]


def test_nothing_is_wrong_in_the_clean_home(tmp_path: Path) -> None:
    verdict, findings = found_in(tmp_path / "home", CleanHome())
    assert (verdict, [short(row) for row in findings]) == ("Pass", [])


def _plants() -> list[Any]:
    """Every plant; of a rule's several the first is tried at every keystroke, the others where there is time."""
    seen: set[str] = set()
    listed = []
    for plant in PLANTS:
        rule = plant(CleanHome())[0]
        listed.append(pytest.param(plant, marks=[pytest.mark.thorough] if rule in seen else [], id=plant.__name__))
        seen.add(rule)
    return listed


@pytest.mark.parametrize("plant", _plants())
def test_one_wrong_is_one_finding(
    plant: Callable[[CleanHome], Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_validation(monkeypatch)
    home = CleanHome()
    expected = plant(home)
    verdict, findings = found_in(tmp_path / "home", home)
    assert [short(row) for row in findings] == [expected]
    is_violation = expected[2] in ("critical", "high")
    assert (verdict == "Fail") == is_violation


def test_every_rule_is_planted() -> None:
    from pipelines import audit

    assert {plant(CleanHome())[0] for plant in PLANTS} == set(audit.rule_names())


def test_a_finding_about_a_repeated_request_passes_validation(tmp_path: Path) -> None:
    home = CleanHome()
    expected = slow_the_second_time(home)
    _, findings = found_in(tmp_path / "home", home)
    assert [short(row) for row in findings] == [expected]
