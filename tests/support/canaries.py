"""Logs with a canary in every place where a provider may put an address or a person's words, and a search for them.

A canary is an address that stands in one place only, so that what leaks says where it came from. It is searched in
every spelling that could come out: with and without its country code, by its last digits, in base64 and hexadecimal.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

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


SOURCES = "".join(
    source(table, table, f"inbox/{table}*", *lines)
    for table, lines in {
        "messages": (),
        "inbound_messages": (),
        "consent_events": (),
        "campaigns": (),
        "contacts": (),
    }.items()
)


def _csv(header: str, rows: Iterable[Iterable[str]]) -> str:
    return header + "\n" + "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in rows)


def deliver(home: Home) -> Canaries:
    """Write heed.toml and the logs of a home, a canary in each place; returns what was planted."""
    is_in = Canaries()
    phone, email, token = (
        is_in.phone("contact, a phone"),
        is_in.email("contact, an e-mail"),
        is_in.token("contact, a token"),
    )
    at = "2026-10-05T10:00:00Z"
    home.configure(SOURCES, 'default_country = "US"')
    home.deliver(
        {
            "messages.csv": _csv(
                "message_id,channel,contact,person_id,program,campaign_id,message_class,sent_at,status,error_code,body,extra",
                [
                    ["m1", "sms", phone, is_in.email("person_id"), "news", "c1", "marketing", at, "failed",
                     is_in.words("error_code"), is_in.words("body"), is_in.words("an unknown column")],
                    ["m2", "email", email, "p2", "news", "c1", "marketing", at, "delivered", "", is_in.words("body of e-mail"), ""],
                    ["m3", "push", token, "p3", "news", "c1", "marketing", at, "delivered", "", "hello", ""],
                    ["m4", "sms", phone, "", "news", "c1", "marketing", "2026-10-20T10:00:00Z", "delivered", "", "hi", ""],
                    # Refused rows.
                    ["m5", "sms", is_in.phone("contact of a refused row"), "", "", "", "", is_in.words("a time"), "", "", "", ""],
                    ["m6", is_in.words("a channel"), is_in.phone("contact without a channel"), "", "", "", "", at, "", "", "", ""],
                    ["m7", "sms", phone, "", "", "", is_in.words("a class"), at, is_in.words("a status"), "", "", ""],
                    ["m8", "sms", phone, "", "", "", "", at, "", "", "", "", is_in.words("a cell too many")],
                ],
            ),
            "messages_2.jsonl": '{"message_id": "m9", "contact": "' + is_in.phone("a line that is no JSON") + '"\n'
            + '{"message_id": "m10", "channel": "sms", "contact": "' + is_in.phone("an object") + '", "sent_at": {"a": "'
            + is_in.words("a nested value") + '"}}\n',
            "inbound_messages.csv": _csv(
                "inbound_id,channel,contact,received_at,sender,program,body,button",
                [
                    ["i1", "sms", phone, "2026-10-06T10:00:00Z", "", "news", "please stop, " + is_in.words("a reply"), is_in.words("a button")],
                    ["i2", "sms", is_in.phone("contact of a reply"), at, "", "", "STOP", ""],
                ],
            ),
            "consent_events.csv": _csv(
                "event_id,channel,contact,person_id,event_type,requested_at,processed_at,source_type,consent_source,consent_text,proof,reason_code,reason_text",
                [
                    ["e1", "sms", phone, "p1", "opt_in", "2026-10-01T10:00:00Z", "", "own_web",
                     is_in.words("consent_source"), is_in.words("consent_text"), is_in.words("proof"), "", ""],
                    ["e2", "sms", phone, "p1", "opt_out", "2026-10-06T10:00:00Z", "2026-10-07T10:00:00Z", "", "", "", "",
                     is_in.words("reason_code"), "too many mails, " + is_in.words("reason_text")],
                    ["", "email", email, "p2", "opt_out", "2026-10-06T11:00:00Z", "", "", "", "", "", "", is_in.words("reason_text of an event without id")],
                    ["e4", "email", is_in.email("contact of a refused act"), "", is_in.words("an event type"), at, "", "", "", "", "", "", ""],
                ],
            ),
            "campaigns.csv": _csv(
                "campaign_id,channel,program,name,language,template_text,started_at",
                [["c1", "sms", "news", is_in.words("campaign name"), "en", is_in.words("template_text"), at]],
            ),
            "contacts.csv": _csv(
                "contact,person_id,country,region,timezone,listed,listed_at",
                [
                    [phone, "p1", "US", "", "", "true", "2026-11-01T00:00:00Z"],
                    [is_in.phone("contact on a list"), is_in.phone("person_id of a list"), is_in.words("a country"), "", is_in.words("a time zone"), "true", at],
                ],
            ),
        }
    )  # fmt: skip
    return is_in


def files_below(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
