"""Logs with a canary in every place where a provider may put an address or a person's words, and a search for them.

A canary is an address that stands in one place only, so that what leaks says where it came from. It is searched in
every spelling that could come out: with and without its country code, by its last digits, in base64 and hexadecimal.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.canonical import TABLES
from tests.support.home import Home, source


@dataclass
class Canaries:
    """The canaries that were put somewhere: what to search for, by where it stands."""

    planted: dict[str, tuple[bytes, ...]] = field(default_factory=dict)

    def phone(self, place: str) -> str:
        """A telephone number that stands in `place` only."""
        line = 100 + len(self.planted)
        assert line < 200, "the numbers kept for examples end with 0199"
        self.planted[place] = _spellings(f"2025550{line}", f"202 555-0{line}", f"555-0{line}", f"555 0{line}")
        return f"+12025550{line}"

    def email(self, place: str) -> str:
        """An e-mail address that stands in `place` only."""
        name = f"kanari{len(self.planted):03d}"
        self.planted[place] = _spellings(name, name.capitalize())
        return f"{name.capitalize()}@example.com"

    def token(self, place: str) -> str:
        """A push token that stands in `place` only."""
        name = f"tokn{len(self.planted):03d}kanari{len(self.planted):03d}"
        self.planted[place] = _spellings(name)
        return f"push:{name}:end"

    def words(self, place: str) -> str:
        """A text that names a person, a number and an e-mail address that stand in `place` only."""
        return f"I am {self.email(place + ', its e-mail')}, call {self.phone(place + ', its number')} please"

    def found(self, data: bytes) -> list[str]:
        """The places whose canaries are in `data`."""
        return [place for place, spellings in self.planted.items() if any(one in data for one in spellings)]


def _spellings(*texts: str) -> tuple[bytes, ...]:
    plain = [text.encode() for text in texts]
    coded = [base64.b64encode(one).rstrip(b"=")[:-1] for one in plain[:1]] + [one.hex().encode() for one in plain[:1]]
    wide = [one.decode().encode("utf-16-le") for one in plain[:1]]
    return tuple(plain + coded + wide)


SOURCES = "".join(source(table, table, f"inbox/{table}*") for table in TABLES)


def _csv(*rows: dict[str, str]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row if name))
    lines = [",".join(names)]
    for row in rows:
        cells = [row.get(name, "") for name in names] + ([row[""]] if "" in row else [])
        lines.append(",".join(f'"{cell}"' for cell in cells))
    return "\n".join(lines) + "\n"


def deliver(home: Home) -> Canaries:
    """Write heed.toml and the logs of a home, a canary in each place; returns what was planted."""
    put = Canaries()
    phone, email, token = put.phone("contact, a phone"), put.email("contact, an e-mail"), put.token("contact, a token")
    cut_off = f'{{"message_id": "n1", "contact": "{put.phone("a line that is no JSON")}"'
    nested = {"message_id": "n2", "channel": "sms", "contact": put.phone("an object"), "sent_at": put.words("a value")}
    campaign = {"campaign_id": "c1", "channel": "sms", "program": "news", "language": "en"}
    listed = {"contact": put.phone("contact on a list"), "person_id": put.phone("person_id of a list")}
    home.configure(f'{SOURCES}[monitoring]\ntextfile = "heed.prom"\n', 'default_country = "US"').deliver(
        {
            "messages.csv": _messages(put, phone, email, token),
            "messages_2.jsonl": f"{cut_off}\n{json.dumps(nested | {'sent_at': {'at': nested['sent_at']}})}\n",
            "inbound_messages.csv": _replies(put, phone),
            "consent_events.csv": _events(put, phone, email),
            "campaigns.csv": _csv(
                campaign | {"name": put.words("campaign name"), "template_text": put.words("template_text")}
            ),
            "contacts.csv": _csv(
                {"contact": phone, "person_id": "p1", "listed": "true", "listed_at": "2026-11-01T00:00:00Z"},
                listed | {"country": put.words("a country"), "timezone": put.words("a time zone")},
            ),
        }
    )
    return put


def _messages(put: Canaries, phone: str, email: str, token: str) -> str:
    sent = {"program": "news", "campaign_id": "c1", "message_class": "marketing", "sent_at": "2026-10-05T10:00:00Z"}
    return _csv(
        sent | {
            "message_id": "m1", "channel": "sms", "contact": phone, "person_id": put.email("person_id"),
            "status": "failed", "error_code": put.words("error_code"), "body": put.words("body"),
            "note": put.words("an unknown column"),
        },
        sent | {"message_id": "m2", "channel": "email", "contact": email, "body": put.words("body of an e-mail")},
        sent | {"message_id": "m3", "channel": "push", "contact": token, "person_id": "p3", "body": "hello"},
        sent | {"message_id": "m4", "channel": "sms", "contact": phone, "sent_at": "2026-10-20T10:00:00Z"},
        # Refused rows.
        sent | {
            "message_id": "m5", "channel": "sms", "contact": put.phone("contact of a refused row"),
            "sent_at": put.words("a time"),
        },
        sent | {"message_id": "m6", "channel": put.words("a channel"), "contact": put.phone("contact, no channel")},
        sent | {
            "message_id": "m7", "channel": "sms", "contact": phone, "message_class": put.words("a class"),
            "status": put.words("a status"),
        },
        sent | {"message_id": "m8", "channel": "sms", "contact": phone, "": put.words("a cell too many")},
    )  # fmt: skip


def _replies(put: Canaries, phone: str) -> str:
    at = {"received_at": "2026-10-06T10:00:00Z", "channel": "sms", "program": "news"}
    reply = {"inbound_id": "i1", "contact": phone, "body": f"please stop, {put.words('a reply')}"}
    return _csv(
        at | reply | {"button": put.words("a button")},
        at | {"inbound_id": "i2", "contact": put.phone("contact of a reply"), "body": "STOP"},
    )


def _events(put: Canaries, phone: str, email: str) -> str:
    left = {"event_type": "opt_out", "requested_at": "2026-10-06T10:00:00Z", "processed_at": "2026-10-07T10:00:00Z"}
    return _csv(
        {
            "event_id": "e1", "channel": "sms", "contact": phone, "person_id": "p1", "event_type": "opt_in",
            "requested_at": "2026-10-01T10:00:00Z", "source_type": "own_web",
            "consent_source": put.words("consent_source"), "consent_text": put.words("consent_text"),
            "proof": put.words("proof"),
        },
        left | {
            "event_id": "e2", "channel": "sms", "contact": phone, "reason_code": put.words("reason_code"),
            "reason_text": f"too many mails, {put.words('reason_text')}",
        },
        left | {"channel": "email", "contact": email, "reason_text": put.words("reason_text, no event_id")},
        left | {
            "event_id": "e4", "channel": "email", "contact": put.email("contact of a refused act"),
            "event_type": put.words("an event type"),
        },
    )  # fmt: skip


def files_below(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
