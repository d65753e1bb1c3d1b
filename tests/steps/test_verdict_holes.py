"""A clean home passes; take any evidence away, and the command says Cannot attest and why, and never Pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.home import Home, source, without_validation

START = datetime(2026, 7, 6, 14, tzinfo=UTC)
DAYS = 70
Row = dict[str, str]


@dataclass
class Logs:
    """The rows of the clean home by file; a file that is taken out is not written."""

    messages: list[Row] = field(default_factory=list)
    consents: list[Row] = field(default_factory=list)
    replies: list[Row] = field(default_factory=list)
    absent: set[str] = field(default_factory=set)
    limits: str = ""


def at(day: int, hours: int = 0) -> str:
    return (START + timedelta(days=day, hours=hours)).isoformat()


def clean() -> Logs:
    """Ten weeks in which somebody joins every day, and is written to, or leaves, every day, as it should be."""
    logs = Logs()
    audience = {"sms": [f"+12025550{number}" for number in range(100, 110)], "email": []}
    audience["email"] = [f"member{number}@example.com" for number in range(10)]
    for channel, contacts in audience.items():
        for contact in contacts:
            logs.consents.append(act(contact, channel, "opt_in", at(0)))
        for day in range(1, DAYS):
            contact = contacts[day % len(contacts)]
            row = {"message_id": f"{channel}{day}", "channel": channel, "contact": contact, "sent_at": at(day)}
            logs.messages.append(row | {"message_class": "marketing", "status": "delivered"})
    for day in range(1, DAYS):
        # Others join, and leave before anything is sent to them.
        contact = f"guest{day}@example.com"
        logs.consents.append(act(contact, "email", "opt_in", at(day)))
        if day % 3 == 0:
            logs.consents.append(act(contact, "email", "opt_out", at(day, 2)) | {"processed_at": at(day, 3)})
        reply = {"inbound_id": f"i{day}", "channel": "sms", "contact": "+12025550100", "received_at": at(day, 1)}
        logs.replies.append(reply | {"body": "Thank you!"})
    return logs


def act(contact: str, channel: str, event_type: str, instant: str) -> Row:
    row = {"event_id": f"{event_type} {contact}", "channel": channel, "contact": contact, "event_type": event_type}
    row |= {"requested_at": instant, "processed_at": instant if event_type == "opt_in" else ""}
    return row | {"method": "web_form", "actor": "contact", "source_type": "own_web"}


def verdict(path: Path, logs: Logs) -> dict[str, Any]:
    """What a run of a home of these logs says."""
    home = Home(path)
    tables = {"messages": ("shop", "messages"), "consents": ("crm", "consent_events")}
    tables["replies"] = ("gateway", "inbound_messages")
    sources = ""
    for name, (source_name, table) in tables.items():
        limits = [f'limits = "{logs.limits}"'] if logs.limits and name == "consents" else []
        sources += source(source_name, table, f"inbox/{name}*.csv", *limits)
        rows: list[Row] = getattr(logs, name)
        if name not in logs.absent:
            columns = list(rows[0])
            lines = [",".join(columns), *(",".join(row[column] for column in columns) for row in rows)]
            home.deliver({f"{name}.csv": "\n".join(lines) + "\n"})
    home.configure(sources)
    found: dict[str, Any] = home.run()["verdict"]
    return found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs without the seconds of validation."""
    without_validation(monkeypatch)


def test_the_clean_home_passes_in_every_cell(tmp_path: Path) -> None:
    found = verdict(tmp_path, clean())
    assert (found["overall"], found["reasons"]) == ("Pass", ["No violation, and no hole in the evidence."])
    assert {row["verdict"] for row in found["by_period"]} == {"Pass"}


def between(rows: list[Row], column: str, first: int, last: int) -> list[Row]:
    return [row for row in rows if not at(first) <= row[column] < at(last)]


def a_week_of_messages(logs: Logs) -> None:
    logs.messages = between(logs.messages, "sent_at", 30, 37)


def the_last_week_of_messages_by_sms(logs: Logs) -> None:
    late = [row for row in logs.messages if row["channel"] == "sms" and row["sent_at"] >= at(DAYS - 7)]
    logs.messages = [row for row in logs.messages if row not in late]


def a_month_of_consent_events(logs: Logs) -> None:
    logs.consents = between(logs.consents, "requested_at", 20, 50)


def a_week_of_replies(logs: Logs) -> None:
    logs.replies = between(logs.replies, "received_at", 30, 38)


def the_processing_of_one_opt_out(logs: Logs) -> None:
    next(row for row in logs.consents if row["event_type"] == "opt_out")["processed_at"] = ""


def all_opt_ins(logs: Logs) -> None:
    logs.consents = [row for row in logs.consents if row["event_type"] != "opt_in"]


def the_time_of_one_message(logs: Logs) -> None:
    logs.messages[40]["sent_at"] = "last Tuesday"


def the_contact_of_one_opt_out(logs: Logs) -> None:
    next(row for row in logs.consents if row["event_type"] == "opt_out")["contact"] = ""


def the_consent_log(logs: Logs) -> None:
    logs.absent.add("consents")


def the_log_of_replies(logs: Logs) -> None:
    logs.absent.add("replies")


def the_log_of_messages(logs: Logs) -> None:
    logs.absent.add("messages")


def the_addresses_of_messages(logs: Logs) -> None:
    for row in logs.messages:
        row["contact"] = f"id-{row['contact'][-4:]}"


def trust_in_the_consent_log(logs: Logs) -> None:
    logs.limits = "It logs the first opt-out of a contact only."


def the_addresses_of_opt_outs(logs: Logs) -> None:
    for row in logs.consents:
        if row["event_type"] == "opt_out":
            row["contact"] = f"id-{row['contact'].split('@')[0]}"


REMOVALS: list[tuple[Callable[[Logs], None], list[str]]] = [
    (a_week_of_messages, ["Silences longer than the rhythm of their source explains: 2, the longest of 8 days."]),
    (
        the_last_week_of_messages_by_sms,
        ["Silences longer than the rhythm of their source explains: 1, the longest of 7"],
    ),
    (a_month_of_consent_events, ["Silences of a consent log longer than its rhythm explains: 1, the longest of 31"]),
    (a_week_of_replies, ["Silences of a log of inbound messages longer than its rhythm explains: 1, the longest of 9"]),
    (the_processing_of_one_opt_out, ["Opt-outs without proof of processing: 1."]),
    (all_opt_ins, ["No opt-in is on record for messages that by law need one: 69."]),
    (the_time_of_one_message, ["Rows quarantined, any of which may be a lost opt-out: 1."]),
    (the_contact_of_one_opt_out, ["Rows quarantined, any of which may be a lost opt-out: 1."]),
    (
        the_consent_log,
        [
            "Source crm is configured, and nothing of it is on record.",
            "No consent event is on record: opt-outs cannot be checked.",
        ],
    ),
    (the_log_of_replies, ["Source gateway is configured, and nothing of it is on record."]),
    (the_log_of_messages, ["Source shop is configured, and nothing of it is on record.", "No message is on record."]),
    (
        the_addresses_of_messages,
        ["Messages to addresses that are neither a phone number nor an e-mail address: 138."],
    ),
    (the_addresses_of_opt_outs, ["Opt-outs of ids that are neither a phone number nor an e-mail address: 23."]),
    (trust_in_the_consent_log, ["Source crm is known not to log every event."]),
]


@pytest.mark.parametrize(("remove", "told"), REMOVALS, ids=[remove.__name__ for remove, _ in REMOVALS])
def test_evidence_taken_away_is_a_hole_and_never_a_pass(
    remove: Callable[[Logs], None], told: list[str], tmp_path: Path
) -> None:
    logs = clean()
    remove(logs)
    found = verdict(tmp_path, logs)
    assert found["overall"] == "Cannot attest"
    for sentence in told:
        assert [reason for reason in found["reasons"] if reason.startswith(sentence)], found["reasons"]


def test_a_file_that_is_gone_after_it_was_loaded_is_no_hole(tmp_path: Path) -> None:
    assert verdict(tmp_path, clean())["overall"] == "Pass"
    (tmp_path / "inbox" / "consents.csv").unlink()
    logs = clean()
    logs.absent.add("consents")
    assert verdict(tmp_path, logs)["overall"] == "Pass"
