"""Delivered files to normalised rows and their accounting, one value at a time, in plain Python.

Half of the slow, obvious twin of the pipeline (see `tests.support.reference`). It shares no code with it:
what a row, a value and a repeat are is written here a second time, from the definitions alone.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers

Row = dict[str, Any]


def words(text: str) -> tuple[str, ...]:
    """The words of a text, in order."""
    return tuple(text.split())


CHANNELS = frozenset(words("sms rcs whatsapp email push voice messenger instagram telegram line viber other"))
PHONE_CHANNELS = frozenset({"sms", "rcs", "whatsapp", "voice", "viber", "*"})
STATUSES = ("accepted", "sent", "undelivered", "failed", "suppressed", "delivered", "read")
MESSAGE_CLASSES = frozenset({"marketing", "transactional", "confirmation", "unknown"})
EVENT_TYPES = frozenset(words("opt_in opt_in_requested opt_in_confirmed opt_out block unblock complaint"))
METHODS = frozenset(words("keyword button link one_click preference_center web_form agent verbal import api provider"))
ACTORS = frozenset({"contact", "operator", "import", "system", "provider"})
SOURCE_TYPES = frozenset(words("own_web ad_campaign offline referral purchased scraped unknown"))

# Columns that take one of a few words, in any letter case.
ALLOWED: dict[str, frozenset[str]] = {
    "status": frozenset(STATUSES),
    "message_class": MESSAGE_CLASSES,
    "event_type": EVENT_TYPES,
    "method": METHODS,
    "actor": ACTORS,
    "source_type": SOURCE_TYPES,
}
TIME_COLUMNS = frozenset(
    {"sent_at", "status_at", "received_at", "requested_at", "processed_at", "started_at", "listed_at"}
)
NUMBER_COLUMNS = frozenset({"price"})
BOOLEAN_COLUMNS = frozenset({"prechecked", "listed", "respects_opt_outs"})

COLUMNS: dict[str, tuple[str, ...]] = {
    "messages": words(
        "message_id channel contact person_id sender program campaign_id message_class sent_at status status_at "
        "error_code price currency body template_id"
    ),
    "inbound_messages": words("inbound_id channel contact received_at sender program body button"),
    "consent_events": words(
        "event_id channel contact person_id program event_type requested_at processed_at method actor source_type "
        "consent_source consent_text prechecked proof reason_code reason_text campaign_id message_id"
    ),
    "campaigns": words("campaign_id channel program name language template_text respects_opt_outs started_at"),
    "contacts": words("contact person_id country region timezone listed listed_at"),
}
REQUIRED: dict[str, frozenset[str]] = {
    "messages": frozenset({"message_id", "channel", "contact", "sent_at"}),
    "inbound_messages": frozenset({"inbound_id", "channel", "contact", "received_at"}),
    "consent_events": frozenset({"channel", "contact", "event_type", "requested_at"}),
    "campaigns": frozenset({"campaign_id"}),
    "contacts": frozenset({"contact"}),
}

_ADDRESS_PREFIX = re.compile(r"^(whatsapp|tel|sms|rcs):", re.IGNORECASE)
_DIGITS_AND_PUNCTUATION = re.compile(r"^[0-9 ().\-/]*[0-9][0-9 ().\-/]*$")
_ISO_TIME = re.compile(
    r"^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|z| UTC| ?[+-]\d\d(?::?\d\d)?)?$",
)
_FIXED_OFFSET = re.compile(r"^([+-])(\d\d):?(\d\d)?$")
_EARLIEST_PLAUSIBLE = datetime(2000, 1, 1, tzinfo=UTC)


class RejectedError(Exception):
    """A row cannot be used; `reason` is its code and `column` the value at fault (empty for the whole row)."""

    def __init__(self, reason: str, column: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column


@dataclass(frozen=True)
class Delivery:
    """One delivered file: its source's name and time zone (None: times must carry an offset), and its table."""

    source: str
    table: str
    path: Path
    timezone: str | None = None


@dataclass
class Accounting:
    """What became of each row of one file; read = accepted + duplicate + the length of `quarantined`."""

    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    quarantined: list[tuple[int, str, str]] = field(default_factory=list)
    """(position of the record in the file from 1, reason, column)"""

    @property
    def reasons(self) -> Counter[str]:
        """How many rows were quarantined for each reason."""
        return Counter(reason for _, reason, _ in self.quarantined)


@dataclass
class Records:
    """The accepted rows of each table, in order of arrival, and the accounting of each file in that order."""

    rows: dict[str, list[Row]]
    accounting: dict[Path, Accounting]


def read(
    deliveries: Iterable[Delivery], default_country: str | None = None, loaded_at: datetime | None = None
) -> Records:
    """The accepted rows of all files and what became of every other row.

    Each row has its `source` and the canonical columns of its table: text trimmed, None where empty, times as
    UTC instants. `loaded_at` (default: now) bounds what a plausible time is.
    """
    latest_plausible = (loaded_at or datetime.now(UTC)) + timedelta(days=1)
    rows: dict[str, list[Row]] = {table: [] for table in COLUMNS}
    accounting: dict[Path, Accounting] = {}
    seen: set[tuple[Any, ...]] = set()
    for delivery in deliveries:
        account = accounting.setdefault(delivery.path, Accounting())
        for position, raw in enumerate(raw_rows(delivery.path), start=1):
            account.read += 1
            try:
                if isinstance(raw, RejectedError):
                    raise raw
                row = normalised(raw, delivery, default_country, latest_plausible)
            except RejectedError as rejected:
                account.quarantined.append((position, rejected.reason, rejected.column))
                continue
            content = (delivery.table, delivery.source, *(row[column] for column in COLUMNS[delivery.table]))
            if content in seen:
                account.duplicate += 1
                continue
            seen.add(content)
            account.accepted += 1
            if delivery.table == "consent_events" and row["event_id"] is None:
                row["event_id"] = f"derived from {content!r}"
            rows[delivery.table].append(row)
        assert account.read == account.accepted + account.duplicate + len(account.quarantined)
    return Records(rows, accounting)


def raw_rows(path: Path) -> Iterator[Mapping[str, object] | RejectedError]:
    """The records of a CSV or JSON Lines file (gzip or not) by column name, or why one of them cannot be read."""
    content = path.read_bytes()
    name = path.name
    if name.endswith(".gz"):
        content, name = gzip.decompress(content), name.removesuffix(".gz")
    # Bytes that are not UTF-8 survive as lone surrogates, so that only their own row is refused.
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    return _csv_rows(text) if name.endswith(".csv") else _json_rows(text)


def _csv_rows(text: str) -> Iterator[Mapping[str, object] | RejectedError]:
    records = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = [name.strip() for name in next(records, [])]
    while True:
        try:
            record = next(records, None)
        except csv.Error:
            # Something after a closing quote, or no closing quote before the end of the file.
            yield RejectedError("malformed_row")
            continue
        if record is None:
            return
        if not record:
            continue
        if any(_has_stray_bytes(value) for value in record):
            yield RejectedError("not_utf8")
        elif len(record) != len(header):
            yield RejectedError("malformed_row")
        else:
            yield dict(zip(header, record, strict=True))


def _json_rows(text: str) -> Iterator[Mapping[str, object] | RejectedError]:
    for line in text.split("\n"):
        if not line.strip():
            continue
        if _has_stray_bytes(line):
            yield RejectedError("not_utf8")
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            yield RejectedError("malformed_json")
            continue
        yield record if isinstance(record, dict) else RejectedError("malformed_json")


def _has_stray_bytes(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def normalised(
    raw: Mapping[str, object], delivery: Delivery, default_country: str | None, latest_plausible: datetime
) -> Row:
    """The canonical columns of one raw record; raises RejectedError with the first fault in column order."""
    row: Row = {"source": delivery.source}
    for column in COLUMNS[delivery.table]:
        text = _as_text(raw.get(column)).strip()
        if not text:
            if column in REQUIRED[delivery.table]:
                raise RejectedError("required_value_missing", column)
            row[column] = None
        elif column in TIME_COLUMNS:
            try:
                row[column] = instant(text, delivery.timezone, latest_plausible)
            except RejectedError as rejected:
                raise RejectedError(rejected.reason, column) from None
        elif column in NUMBER_COLUMNS:
            row[column] = _number(text, column)
        elif column in BOOLEAN_COLUMNS:
            row[column] = _boolean(text, column)
        elif column == "channel":
            row[column] = _channel(text, every_channel_allowed=delivery.table == "consent_events")
        elif column in ALLOWED:
            if text.casefold() not in ALLOWED[column]:
                raise RejectedError("value_not_allowed", column)
            row[column] = text.casefold()
        else:
            row[column] = text
    if "contact" in row:
        row["contact"] = address(row["contact"], row.get("channel", "*"), default_country)
    return row


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _channel(text: str, *, every_channel_allowed: bool) -> str:
    channel = text.casefold()
    if channel == "mms":
        return "sms"
    if channel in CHANNELS or (channel == "*" and every_channel_allowed):
        return channel
    raise RejectedError("value_not_allowed", "channel")


def _number(text: str, column: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RejectedError("number_unreadable", column) from None


def _boolean(text: str, column: str) -> bool:
    word = text.casefold()
    if word not in {"true", "false"}:
        raise RejectedError("boolean_unreadable", column)
    return word == "true"


def instant(text: str, source_timezone: str | None, latest_plausible: datetime) -> datetime:
    """The UTC instant an ISO 8601 date and time names; raises RejectedError with the reason where it names none."""
    match = _ISO_TIME.match(text)
    if not match:
        raise RejectedError("timestamp_unreadable")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    microsecond = int((match[7] or "").ljust(6, "0")[:6])
    try:
        local = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC).replace(tzinfo=None)
    except ValueError:
        raise RejectedError("timestamp_unreadable") from None
    if match[8]:
        suffix = match[8].strip()
        try:
            zone = UTC if suffix in {"Z", "z", "UTC"} else time_zone(suffix)
        except ValueError:
            raise RejectedError("timestamp_unreadable") from None
        found = local.replace(tzinfo=zone).astimezone(UTC)
    elif source_timezone is None:
        raise RejectedError("timestamp_without_zone")
    else:
        found = _local_instant(local, time_zone(source_timezone))
    if not _EARLIEST_PLAUSIBLE <= found <= latest_plausible:
        raise RejectedError("timestamp_implausible")
    return found


def _local_instant(local: datetime, zone: tzinfo) -> datetime:
    first, second = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    offset_before, offset_after = first.utcoffset(), second.utcoffset()
    assert offset_before is not None
    assert offset_after is not None
    if offset_before > offset_after:
        raise RejectedError("timestamp_ambiguous")
    if offset_before < offset_after:
        raise RejectedError("timestamp_nonexistent")
    return first.astimezone(UTC)


def time_zone(name: str) -> tzinfo:
    """The zone an IANA name or a fixed offset (`-06:00`) stands for."""
    fixed = _FIXED_OFFSET.match(name)
    if not fixed:
        return ZoneInfo(name)
    offset = timedelta(hours=int(fixed[2]), minutes=int(fixed[3] or 0))
    return timezone(-offset if fixed[1] == "-" else offset)


def address(text: str, channel: str, default_country: str | None) -> str:
    """The one spelling of an address: E.164 for phones, lower case for e-mails, anything else as written."""
    written = _ADDRESS_PREFIX.sub("", text.strip()).strip()
    if "@" in written:
        return written.lower()
    if written.startswith("+"):
        return _e164(written, None) or written
    if channel in PHONE_CHANNELS and default_country and _DIGITS_AND_PUNCTUATION.match(written):
        return _e164(written, default_country) or written
    return written


def _e164(written: str, country: str | None) -> str | None:
    try:
        number = phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
