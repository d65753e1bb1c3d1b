"""Reads a sample's files once more, by slow and obvious code that shares nothing with what wrote them."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

KEYWORDS = {"STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT"}
HOLIDAYS = {
    "US": {"2026-05-25", "2026-06-19", "2026-07-03", "2026-09-07", "2026-10-12", "2026-11-11", "2026-11-26"},
    "GB": {"2026-05-04", "2026-05-25", "2026-12-25", "2026-12-28"},
    "": set[str](),
}
AREA_CODES = Path(__file__).resolve().parents[2] / "data" / "reference" / "area_codes.csv"
RANK = {"accepted": 0, "sent": 1, "undelivered": 2, "failed": 3, "suppressed": 4, "delivered": 5, "read": 6}
REACHED = {"accepted", "sent", "delivered", "read"}


@dataclass
class Event:
    """One consent event: (contact, channel) and when."""

    contact: str
    channel: str
    kind: str
    requested_at: datetime
    processed_at: datetime | None
    key: tuple[str, ...]
    origin: str = ""  # the word of its source_type, or prechecked


@dataclass
class Logs:
    """Everything the files say."""

    homes: dict[str, tuple[str, str]] = field(default_factory=dict)  # contact: country and time zone
    listed: dict[str, datetime] = field(default_factory=dict)  # contacts still on the list, and when
    messages: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    events: dict[tuple[str, ...], Event] = field(default_factory=dict)
    inbound: dict[str, str] = field(default_factory=dict)

    def message(self, source: str, message_id: str, **values: Any) -> None:
        """Adds one version of a message: the furthest status and the earliest time win."""
        known = self.messages.setdefault((source, message_id), {"class": "unknown", **values})
        known["sent_at"] = min(known["sent_at"], values["sent_at"])
        if RANK[values["status"]] > RANK[known["status"]]:
            known["status"] = values["status"]
        if values.get("class", "unknown") != "unknown":
            known["class"] = values["class"]

    def event(self, event: Event) -> None:
        """Adds one version of an event."""
        known = self.events.setdefault(event.key, event)
        known.processed_at = known.processed_at or event.processed_at


def _plain(contact: str) -> str:
    text = contact.strip()
    if "@" in text:
        return text.lower()
    if text.startswith(("US.", "fcm:")):
        return text
    digits = re.sub(r"\D", "", text)
    return f"+1{digits}" if len(digits) == 10 else f"+{digits}"


def instant(text: str) -> datetime | None:
    """An instant with offset in UTC; None for nothing."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _epoch(text: str | int) -> datetime:
    return datetime.fromtimestamp(int(text), UTC)


def _twilio_rows(home: Path) -> Iterator[dict[str, str]]:
    for path in sorted((home / "inbox/twilio").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                names = {"Sid": "sid", "From": "from", "To": "to", "Body": "body", "Direction": "direction"}
                yield {
                    **{ours: row[theirs] for theirs, ours in names.items()},
                    "status": row["Status"],
                    "error": row["ErrorCode"],
                    "at": row["SentDate"],
                }
    for path in sorted((home / "inbox/twilio").glob("*.json.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                yield {**row, "error": str(row["error_code"] or ""), "at": row["date_sent"]}


def _read_twilio(home: Path, logs: Logs) -> None:
    for row in _twilio_rows(home):
        if not row["to"]:
            continue
        sent_at = datetime.fromisoformat(row["at"]).astimezone(UTC)
        if row["direction"] == "inbound":
            contact, bare = _plain(row["from"]), row["body"].strip().upper()
            word = bare.rstrip(".!?")
            logs.inbound[row["sid"]] = row["body"]
            if word in KEYWORDS or word in {"START", "UNSTOP"}:
                kind = "opt_out" if word in KEYWORDS else "opt_in"
                # With punctuation it is a request all the same, without proof that the provider acted on it.
                logs.event(
                    Event(contact, "sms", kind, sent_at, sent_at if word == bare else None, ("twilio", row["sid"]))
                )
            continue
        status = "suppressed" if row["error"] == "21610" else row["status"]
        message_class = "confirmation" if row["direction"] == "outbound-reply" else "unknown"
        values = {"contact": _plain(row["to"]), "channel": "sms", "class": message_class}
        logs.message("twilio", row["sid"], sent_at=sent_at, status=status, **values)


def _read_whatsapp(home: Path, logs: Logs) -> None:
    for path in sorted((home / "inbox/whatsapp").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            value = json.loads(line)["entry"][0]["changes"][0]["value"]
            for choice in value.get("user_preferences", []):
                kind = "opt_out" if choice["value"] == "stop" else "opt_in"
                contact, when = _plain(choice.get("wa_id") or choice["user_id"]), _epoch(choice["timestamp"])
                logs.event(Event(contact, "whatsapp", kind, when, when, ("whatsapp", contact, kind, str(when))))
            for status in value.get("statuses", []):
                contact, when = (
                    status.get("recipient_id") or status.get("recipient_user_id"),
                    _epoch(status["timestamp"]),
                )
                if not contact or when.year < 2000:
                    continue
                blocked = any(error["code"] == 131050 for error in status.get("errors", []))
                category = status.get("pricing", {}).get("category")
                logs.message(
                    "whatsapp",
                    status["id"],
                    contact=_plain(contact),
                    channel="whatsapp",
                    sent_at=when,
                    status="suppressed" if blocked else status["status"],
                    **{"class": {"marketing": "marketing", "utility": "transactional", None: "unknown"}[category]},
                )
                if blocked:
                    key = ("whatsapp", contact, "131050", str(when))
                    logs.event(Event(_plain(contact), "whatsapp", "opt_out", when, when, key))


def _read_mail(home: Path, logs: Logs) -> None:
    classes = {"bulk": "marketing", "trigger": "marketing", "transactional": "transactional"}
    for path in sorted((home / "inbox/mail").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            for raw in csv.DictReader(lines):
                row = {name: "" if value == "NULL" else value for name, value in raw.items()}
                channel = {"email": "email", "mobile_push": "push", "web_push": "push"}.get(row["channel"])
                if not row["email"] or not channel or row["sent_at"].startswith("0000"):
                    continue
                contact = _plain(row["email"])
                logs.message(
                    "mail",
                    row["message_id"],
                    contact=contact,
                    channel=channel,
                    sent_at=datetime.fromisoformat(row["sent_at"]).replace(tzinfo=UTC),
                    status="delivered" if row["is_delivered"] == "t" else "undelivered",
                    **{"class": classes[row["message_type"]]},
                )
                done = row["suppressed_at"]
                processed_at = datetime.fromisoformat(done).replace(tzinfo=UTC) if done else None
                for kind, column in (("opt_out", "unsubscribed_at"), ("complaint", "complained_at")):
                    if row[column]:
                        when = datetime.fromisoformat(row[column]).replace(tzinfo=UTC)
                        logs.event(Event(contact, channel, kind, when, processed_at, ("mail", row["message_id"], kind)))


def _read_crm(home: Path, logs: Logs) -> None:
    for path in sorted((home / "inbox/crm").glob("consent_events*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                if row["event_id"].startswith("BAD"):
                    continue
                requested_at = instant(row["requested_at"])
                assert requested_at is not None
                key = ("crm", row["event_id"])
                processed_at = instant(row["processed_at"])
                contact = _plain(row["contact"])
                origin = "prechecked" if row["prechecked"] == "true" else row["source_type"]
                logs.event(Event(contact, row["channel"], row["event_type"], requested_at, processed_at, key, origin))
    for path in (home / "inbox/crm").glob("contacts*.csv"):
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if row["timezone"]:
                    logs.homes[_plain(row["contact"])] = (row["country"], row["timezone"])
                listed_at = instant(row["listed_at"])
                if row["listed"] == "true" and listed_at:
                    logs.listed[_plain(row["contact"])] = listed_at


def read(home: Path) -> Logs:
    """All messages and events of a sample."""
    logs = Logs()
    for reader in (_read_twilio, _read_whatsapp, _read_mail, _read_crm):
        reader(home, logs)
    return logs


@dataclass
class Span:
    """One opt-out span of a (contact, channel)."""

    begins_at: datetime
    processed_at: datetime | None
    acts: list[tuple[str, ...]]
    ends_at: datetime | None = None
    ties: list[tuple[str, ...]] = field(default_factory=list)  # further acts at the instant of the first


def spans_of(logs: Logs) -> dict[tuple[str, str], list[Span]]:
    """The opt-out spans of every (contact, channel)."""
    by_pair: dict[tuple[str, str], list[Event]] = {}
    reachable: dict[str, set[str]] = {}
    for message in logs.messages.values():
        reachable.setdefault(message["contact"], set()).add(message["channel"])
    for event in logs.events.values():
        reachable.setdefault(event.contact, set()).update({event.channel} - {"*"})
    for event in logs.events.values():
        for channel in reachable.get(event.contact, set()) if event.channel == "*" else {event.channel}:
            by_pair.setdefault((event.contact, channel), []).append(event)
    spans: dict[tuple[str, str], list[Span]] = {}
    for pair, events in by_pair.items():
        spans[pair] = []
        for event in sorted(events, key=lambda one: (one.requested_at, one.kind in {"opt_out", "complaint"})):
            is_open = bool(spans[pair]) and spans[pair][-1].ends_at is None
            if event.kind in {"opt_in", "opt_in_confirmed"} and is_open:
                spans[pair][-1].ends_at = event.requested_at
            if event.kind not in {"opt_out", "complaint"}:
                continue
            done = max(event.processed_at, event.requested_at) if event.processed_at else None
            if is_open:
                last = spans[pair][-1]
                last.acts.append(event.key)
                if event.requested_at == last.begins_at:
                    last.ties.append(event.key)
                last.processed_at = min(filter(None, [last.processed_at, done]), default=None)
            else:
                spans[pair].append(Span(event.requested_at, done, [event.key]))
    return spans


@cache
def _zones_of_areas() -> dict[str, list[str]]:
    zones: dict[str, list[str]] = {}
    with AREA_CODES.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            zones.setdefault(row["prefix"], []).append(row["timezone"])
    return zones


def place(logs: Logs, contact: str) -> tuple[str, list[str], bool]:
    """A contact's country (empty: not known), the time zones it may be in, and whether that is certain."""
    if contact in logs.homes:
        country, zone = logs.homes[contact]
        return country, [zone], True
    if contact.startswith("+44"):
        return "GB", ["Europe/London"], True
    if contact.startswith("+1"):
        return "US", _zones_of_areas()[contact[:5]], False
    return "", ["UTC"], False


def westmost(zones: list[str], when: datetime) -> datetime:
    """An instant by the clock furthest west."""
    return min((when.astimezone(ZoneInfo(zone)) for zone in zones), key=lambda local: local.replace(tzinfo=None))


def deadline(logs: Logs, contact: str, begins_at: datetime) -> datetime:
    """The end of the tenth business day after the request, where the contact is."""
    country, zones, _ = place(logs, contact)
    local = westmost(zones, begins_at)
    day: date = local.date()
    left = 10
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5 and day.isoformat() not in HOLIDAYS[country]
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), local.tzinfo)


def covering(spans: dict[tuple[str, str], list[Span]], message: dict[str, Any]) -> Span | None:
    """The span that a message is inside of."""
    sent_at = message["sent_at"]
    for span in spans.get((message["contact"], message["channel"]), []):
        if span.begins_at < sent_at and (span.ends_at is None or sent_at < span.ends_at):
            return span
    return None


def findings_of(logs: Logs, spans: dict[tuple[str, str], list[Span]]) -> Iterator[tuple[str, str, str, Span]]:
    """Every message after an opt-out: source, message_id, finding_class and its span."""
    for (source, message_id), message in logs.messages.items():
        span = covering(spans, message)
        if message["class"] not in {"marketing", "unknown"} or span is None:
            continue
        sent_at = message["sent_at"]
        if message["status"] == "suppressed":
            finding = "suppressed_by_provider"
        elif span.processed_at and sent_at > span.processed_at:
            finding = "sent_after_processing"
        else:
            due = deadline(logs, message["contact"], span.begins_at)
            finding = "sent_past_deadline" if sent_at > due else "sent_in_flight"
        yield source, message_id, finding, span


def other_findings(logs: Logs, spans: dict[tuple[str, str], list[Span]]) -> Iterator[tuple[str, str, str, str]]:
    """What four other rules find: rule, source, message_id or event_id, and finding_class.

    The marketing without consent, by night and from forbidden sources, and the opt-outs not applied in time.
    """
    consents: dict[tuple[str, str], datetime] = {}
    for event in logs.events.values():
        if event.kind in {"opt_in", "opt_in_confirmed"}:
            pair = (event.contact, event.channel)
            consents[pair] = min(consents.get(pair, event.requested_at), event.requested_at)
            if event.origin in {"purchased", "scraped", "prechecked"}:
                found = event.origin.replace("prechecked", "prechecked_box")
                yield "consent_from_forbidden_source", event.key[0], event.key[1], found
    for (source, message_id), message in logs.messages.items():
        if message["class"] not in {"marketing", "unknown"} or covering(spans, message):
            continue
        consented_at = consents.get((message["contact"], message["channel"]))
        if consented_at is None or consented_at > message["sent_at"]:
            yield "message_without_consent", source, message_id, "no_consent_on_record"
        country, zones, is_certain = place(logs, message["contact"])
        if message["channel"] == "sms" and country == "US" and westmost(zones, message["sent_at"]).hour < 8:
            yield "message_in_quiet_hours", source, message_id, "certain" if is_certain else "possible"
    as_of = max(event.requested_at for event in logs.events.values())
    for (contact, _), listed in spans.items():
        for span in listed:
            due = deadline(logs, contact, span.begins_at)
            # Of acts at the same instant, the one of the source that comes first in the alphabet begins the span.
            source, event_id = min(span.acts[:1] + span.ties)[:2]
            if span.processed_at and span.processed_at > due:
                yield "opt_out_not_honoured_in_time", source, event_id, "processed_late"
            if not span.processed_at and due < as_of and not (span.ends_at and span.ends_at <= due):
                yield "opt_out_not_honoured_in_time", source, event_id, "not_processed"
