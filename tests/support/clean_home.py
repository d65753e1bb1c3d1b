"""A home in which nothing is wrong: three months of texts and e-mails to the United States, Britain and India.

Everybody asked for the messages and confirmed it; who opted out was heeded within seconds, got one confirmation and is
listed no more; every message comes at noon and says how to end it. A test plants one wrong by changing the rows.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Row = dict[str, Any]

OPT_IN_AT = datetime(2026, 2, 20, 15, 0, tzinfo=UTC)
FIRST_MAILING = datetime(2026, 3, 3, tzinfo=UTC)  # a Tuesday
WEEKS = 13
OPT_OUT_AT = datetime(2026, 4, 15, 15, 0, tzinfo=UTC)
INSTRUCTIONS = "Spring news from the shop. Reply STOP to opt out."
MAIL = "Spring news from the shop. Unsubscribe: https://example.com/unsubscribe"
CONFIRMATION = "You are unsubscribed and will receive no more messages."

#: Address, channel, country, region, time zone and the UTC hour that is midday or early evening there.
_US = [
    (f"+1{area}5550{100 + number}", region, zone)
    for area, region, zone in [
        ("305", "US-FL", "America/New_York"),
        ("212", "US-NY", "America/New_York"),
        ("214", "US-TX", "America/Chicago"),
        ("541", "US-OR", "America/Los_Angeles"),
    ]
    for number in range(6)
]
_POLICY: dict[str, Any] = {
    "default_country": "US",
    "report_timezone": "America/New_York",
    "double_opt_in": True,
    "frequency_cap": 3,
}
_SOURCES = {
    "messages": ("shop", "messages.csv"),
    "consent_events": ("shop", "consent.csv"),
    "inbound_messages": ("shop", "replies.csv"),
    "campaigns": ("shop", "campaigns.csv"),
    "contacts": ("shop", "audience.csv"),
}


@dataclass(frozen=True)
class Somebody:
    """One contact of the clean home."""

    address: str
    channel: str
    country: str
    region: str | None
    timezone: str
    utc_hour: int
    """the hour of the mailings, in the middle of the day there"""
    opted_out_at: datetime | None


def somebodies() -> list[Somebody]:
    """All contacts; every sixth opts out in the middle of April."""
    found: list[tuple[str, str, str, str | None, str, int]] = [
        (address, "sms", "US", region, zone, 17) for address, region, zone in _US
    ]
    found += [(f"+44770090010{number}", "sms", "GB", None, "Europe/London", 12) for number in range(8)]
    found += [(f"+91123456710{number}", "sms", "IN", None, "Asia/Kolkata", 8) for number in range(8)]
    for country, zone, hour in [
        ("US", "America/New_York", 17),
        ("GB", "Europe/London", 12),
        ("IN", "Asia/Kolkata", 8),
    ]:
        found += [(f"{country.lower()}{number}@example.com", "email", country, None, zone, hour) for number in range(8)]
    return [
        Somebody(*one, OPT_OUT_AT + timedelta(minutes=7 * number) if number % 6 == 5 else None)
        for number, one in enumerate(found)
    ]


@dataclass
class CleanHome:
    """The rows of every table, and the policy; change them, then write the home."""

    tables: dict[str, list[Row]] = field(default_factory=lambda: {table: [] for table in _SOURCES})
    policy: dict[str, Any] = field(default_factory=lambda: dict(_POLICY))

    def __post_init__(self) -> None:
        for somebody in somebodies():
            self._add(somebody)
        for number in range(WEEKS):
            for channel, text in (("sms", INSTRUCTIONS), ("email", MAIL)):
                self.add(
                    "campaigns",
                    campaign_id=f"week{number:02d}",
                    channel=channel,
                    name=f"Week {number}",
                    template_text=text,
                    respects_opt_outs=True,
                    started_at=FIRST_MAILING + timedelta(weeks=number, hours=7),
                )

    def add(self, table: str, **values: Any) -> Row:
        """Add one row to a table."""
        self.tables[table].append(values)
        return values

    def row(self, table: str, **values: Any) -> Row:
        """The first row of a table that has these values."""
        return next(
            row for row in self.tables[table] if all(row.get(column) == value for column, value in values.items())
        )

    def write(self, home: Path) -> None:
        """Write heed.toml and the inbox."""
        (home / "inbox").mkdir(parents=True)
        lines = ["[policy]", *(f"{key} = {json.dumps(value)}" for key, value in self.policy.items())]
        for table, (source, file) in _SOURCES.items():
            lines += ["", "[[source]]", f'name = "{source}"', 'connector = "canonical"', f'table = "{table}"']
            lines += [f'path = "inbox/{file}"']
            write_rows(home / "inbox" / file, self.tables[table])
        (home / "heed.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def opt_in(self, contact: str, channel: str, at: datetime, **more: Any) -> None:
        """A request and its confirmation an hour later, on the sender's own site."""
        for event_type, later in (("opt_in_requested", timedelta(0)), ("opt_in_confirmed", timedelta(hours=1))):
            self.add(
                "consent_events",
                event_id=f"{event_type} {contact} {at:%m%d}",
                channel=channel,
                contact=contact,
                event_type=event_type,
                requested_at=at + later,
                processed_at=at + later,
                method="web_form",
                actor="contact",
                source_type="own_web",
                prechecked=False,
                **more,
            )

    def message(self, contact: str, channel: str, at: datetime, message_id: str, **more: Any) -> Row:
        """A marketing message that says how to end them."""
        row: Row = {
            "message_id": message_id,
            "channel": channel,
            "contact": contact,
            "message_class": "marketing",
            "sent_at": at,
            "status": "delivered",
            "body": INSTRUCTIONS if channel != "email" else MAIL,
        }
        return self.add("messages", **(row | more))

    def _add(self, somebody: Somebody) -> None:
        out = somebody.opted_out_at
        self.opt_in(somebody.address, somebody.channel, OPT_IN_AT)
        for number in range(WEEKS):
            sent_at = FIRST_MAILING + timedelta(weeks=number, hours=somebody.utc_hour)
            if out is None or sent_at < out:
                self.message(
                    somebody.address,
                    somebody.channel,
                    sent_at,
                    f"{somebody.address} {number:02d}",
                    campaign_id=f"week{number:02d}",
                )
        if out is not None:
            self.opt_out(somebody.address, somebody.channel, out)
        self.add(
            "contacts",
            contact=somebody.address,
            country=somebody.country,
            region=somebody.region,
            timezone=somebody.timezone,
            listed=out is None,
            listed_at=(out or OPT_IN_AT) + timedelta(days=1),
        )

    def opt_out(self, contact: str, channel: str, at: datetime) -> None:
        """An opt-out as it should be: applied after two seconds; by text, the text itself and one confirmation."""
        is_text = channel == "sms"
        self.add(
            "consent_events",
            event_id=f"opt_out {contact} {at:%m%d}",
            channel=channel,
            contact=contact,
            event_type="opt_out",
            requested_at=at,
            processed_at=at + timedelta(seconds=2),
            method="keyword" if is_text else "one_click",
            actor="contact",
        )
        if is_text:
            self.add(
                "inbound_messages",
                inbound_id=f"STOP {contact} {at:%m%d}",
                channel=channel,
                contact=contact,
                received_at=at,
                body="STOP",
            )
            self.message(
                contact,
                channel,
                at + timedelta(seconds=3),
                f"confirmation {contact}",
                message_class="confirmation",
                body=CONFIRMATION,
            )


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """A CSV file of rows; instants as ISO 8601, nothing where a row says nothing."""
    listed = list(rows)
    columns = sorted({column for row in listed for column in row})

    def written(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.isoformat()
        return value if not isinstance(value, bool) else str(value).lower()

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([written(row.get(column)) for column in columns] for row in listed)
