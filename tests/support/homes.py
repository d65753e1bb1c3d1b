"""Random homes: message and consent logs full of everything that goes wrong, drawn from one `Random`.

A plan is a policy and, per source, raw records as a provider would deliver them: addresses spelled many ways,
versions of one message, exact repeats, ties in time, messages at and one microsecond around every boundary, and
rows that must be refused. `homes_files` renders plans as folders. The same `random.Random(seed)` gives the same plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

Record = dict[str, object]


@dataclass(frozen=True)
class Broken:
    """A record that cannot even be read as one: malformed (fields or JSON) or not UTF-8."""

    reason: str


@dataclass
class SourcePlan:
    """One table of a source of a home: its records in order of delivery, and how its files' names begin."""

    name: str
    table: str
    timezone: str | None
    records: list[Record | Broken] = field(default_factory=list)
    stem: str = ""

    def __post_init__(self) -> None:
        self.stem = self.stem or self.name


@dataclass
class HomePlan:
    """A whole home before it is written: the [policy] table and the sources."""

    policy: dict[str, Any]
    sources: list[SourcePlan]


_FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)
_DAYS = 110
_MARGINS = tuple(
    timedelta(**{unit: amount})
    for unit, amount in [("microseconds", 0), ("microseconds", 1), ("seconds", 1), ("minutes", 7), ("hours", 3)]
)
_DEADLINES = {"0h": 0, "24h": 24, "48h": 48, "3d": 72, "10d": 240}
_ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland")
_REASONS = ("too_frequent", "not_relevant", "never_signed_up", "content", "privacy", "other")


@dataclass(frozen=True)
class _Contact:
    kind: str
    address: str
    person_ids: tuple[str, ...]

    @property
    def channels(self) -> tuple[str, ...]:
        if self.kind == "email":
            return ("email",)
        return ("push", "other") if self.kind == "token" else ("sms", "whatsapp", "rcs", "voice")


def home_plans(message_count: int, event_count: int) -> st.SearchStrategy[HomePlan]:
    """Hypothesis' strategy for plans, named by a seed: thousands of single draws would be more than it can shrink."""
    return st.integers(0, 2**32).map(
        lambda seed: plan_home(Random(seed), message_count=message_count, event_count=event_count)
    )


def plan_home(random: Random, *, scope: str | None = None, message_count: int = 320, event_count: int = 90) -> HomePlan:
    """A home with this many distinct messages and consent events, many of them with further versions."""
    deadline = random.choice(sorted(_DEADLINES))
    policy = {
        "scope": scope or random.choice(["channel", "program", "person"]),
        "rules": "none",
        "default_deadline": deadline,
        "report_timezone": random.choice(_ZONES),
    }
    if random.random() < 0.7:
        policy["default_country"] = "US"
    contacts = _contacts(random, "default_country" in policy)
    rising = random.random() < 0.5
    # Times that many acts share, so that ties are common.
    busy = [_any_time(random) for _ in range(12)]
    crm = SourcePlan("crm", "consent_events", random.choice([None, "America/New_York"]))
    # Its event ids are the first one's, yet they are other events.
    preferences = SourcePlan("preferences", "consent_events", "Asia/Kolkata")
    texting = SourcePlan("texting", "messages", None)
    mailer = SourcePlan("mailer", "messages", random.choice(["America/New_York", "-06:00", "UTC"]))
    replies = SourcePlan("replies", "inbound_messages", "Europe/Berlin")
    sources = [crm, preferences, texting, mailer, replies]

    moments: list[tuple[_Contact, datetime]] = []
    for _ in range(event_count):
        contact, requested_at = random.choice(contacts), _time(random, busy)
        if rising:
            requested_at = max(requested_at, _time(random, busy))
        plan = crm if random.random() < 0.7 else preferences
        # Both sources count their events from 0.
        versions = _event_versions(random, contact, f"e{len(plan.records)}", requested_at)
        if random.random() < 0.2:
            for version in versions:
                version["event_id"] = None
        plan.records += [_written(random, version, plan) for version in versions]
        moments.append((contact, requested_at))
        moments.append((contact, requested_at + timedelta(hours=_DEADLINES[deadline])))
        moments += [(contact, at) for version in versions if isinstance(at := version["processed_at"], datetime)]
    for number in range(message_count):
        plan = texting if random.random() < 0.6 else mailer
        contact, moment = random.choice(moments)
        if random.random() < 0.4:
            contact, moment = random.choice(contacts), _time(random, busy)
        else:
            moment += random.choice([-1, 1]) * random.choice(_MARGINS)
        versions = _message_versions(random, contact, f"m{number}", moment, contacts)
        plan.records += [_written(random, version, plan) for version in versions]
    for number in range(10):
        contact = random.choice(contacts)
        reply = {"inbound_id": f"i{number}", "channel": contact.channels[0], "contact": contact}
        reply |= {
            "received_at": _time(random, busy),
            "body": random.choice(["STOP", "thanks, bye", "stop, please\nnow"]),
        }
        replies.records.append(_written(random, reply, replies))
    if random.random() < 0.7:
        sources.append(_contact_list(random, contacts))
    if random.random() < 0.7:
        sources.append(_campaigns(random))

    for plan in sources:
        _repeat_some(random, plan)
        _add_bad_records(random, plan)
        random.shuffle(plan.records)
    return HomePlan(policy, sources)


def _contacts(random: Random, is_country_known: bool) -> list[_Contact]:
    # Without a country each spelling of a bare number is an address of its own. Two versions of a message that name
    # different addresses at the same time would be decided by the texts of addresses, which history does not hold.
    us_kind = "us" if is_country_known else "us_with_plus"
    found = []
    for number in range(48):
        person_ids = tuple(f"p{random.randrange(24):02d}" for _ in range(random.choice([0, 0, 0, 1, 1, 2])))
        kind = random.choice([us_kind, us_kind, us_kind, "bare", "gb", "email", "email", "token"])
        address = {
            us_kind: f"+1202555{100 + number:04d}",
            "bare": f"202555{100 + number:04d}",
            "gb": f"+447700900{number:03d}",
            "email": f"anna{number}+news@example.com",
            "token": f"Token-{number:03d}-aBc",
        }[kind]
        found.append(_Contact(kind, address, person_ids))
    return found


def _any_time(random: Random) -> datetime:
    return _FIRST_DAY + timedelta(days=random.randrange(_DAYS), seconds=random.randrange(0, 86400, 450))


def _time(random: Random, busy: Sequence[datetime]) -> datetime:
    if random.random() < 0.4:
        return random.choice(busy)
    jitter = timedelta(microseconds=random.choice([0, 0, 0, 1, 500_000, 999_999]))
    return _any_time(random) + jitter


def _event_versions(random: Random, contact: _Contact, event_id: str, requested_at: datetime) -> list[Record]:
    event_type = random.choices(
        ["opt_out", "complaint", "block", "unblock", "opt_in", "opt_in_confirmed", "opt_in_requested"],
        [40, 8, 14, 8, 16, 8, 6],
    )[0]
    first: Record = {
        "event_id": event_id,
        "channel": random.choice(contact.channels) if random.random() < 0.75 else "*",
        "contact": contact,
        "person_id": _person_id(random, contact),
        "program": random.choice([None, "*", "news", "sale", "default"]),
        "event_type": event_type,
        "requested_at": requested_at,
        "processed_at": None,
        "method": random.choice([None, "keyword", "link", "api", "verbal"]),
        "actor": random.choice([None, "contact", "system"]),
        "prechecked": random.choice([None, None, True, False]),
        "consent_text": random.choice([None, 'He said "stop",\nthen left', "plain"]),
        "reason_code": random.choice([None, None, *_REASONS]) if event_type == "opt_out" else None,
    }
    if random.random() < 0.5:
        delay = random.choice([-1, 0, 0, 1, 60, 3600, 40 * 3600, 86400 * 5]) * random.choice([1.0, 1.0, 0.999999])
        first["processed_at"] = requested_at + timedelta(seconds=delay)
    if random.random() > 0.2:
        return [first]
    later = first | {
        "requested_at": requested_at + random.choice([timedelta(0), timedelta(minutes=5)]),
        "processed_at": requested_at + timedelta(hours=random.randrange(90)),
        "program": random.choice([first["program"], None]),
        "person_id": random.choice([first["person_id"], None]),
    }
    return [first, later]


def _message_versions(
    random: Random, contact: _Contact, message_id: str, sent_at: datetime, contacts: Sequence[_Contact]
) -> list[Record]:
    status = random.choice([None, "accepted", "sent", "delivered", "delivered", "undelivered", "failed", "suppressed"])
    first: Record = {
        "message_id": message_id,
        "channel": random.choice(contact.channels),
        "contact": contact,
        "person_id": _person_id(random, contact),
        "sender": random.choice([None, "55555", "+12025550199"]),
        "program": random.choice([None, "news", "sale"]),
        "campaign_id": random.choice([None, "spring", "summer", "autumn"]),
        "message_class": random.choice([None, "marketing", "marketing", "unknown", "transactional", "confirmation"]),
        "sent_at": sent_at,
        "status": status,
        "status_at": random.choice([None, sent_at + timedelta(seconds=30)]),
        "price": random.choice([None, 0.0075]),
        "body": random.choice([None, "Sale!", 'Line one,\nline "two"']),
    }
    versions = [first]
    for _ in range(random.choice([0, 0, 0, 1, 2])):
        version = {"message_id": message_id, "channel": first["channel"], "contact": contact}
        version |= {
            "sent_at": sent_at + random.choice([timedelta(0), timedelta(0), timedelta(hours=2)]),
            "status": random.choice([None, "sent", "delivered", "read", "undelivered", "failed", "suppressed"]),
            "status_at": sent_at + timedelta(days=random.randrange(3)),
        }
        if random.random() < 0.3:
            version |= {
                "program": random.choice(["news", "sale"]),
                "campaign_id": "winter",
                "message_class": "marketing",
            }
        versions.append(version)
    if first["person_id"] is None and random.random() < 0.05:
        # The provider changes its mind about the address and the channel: the earliest version counts.
        other = random.choice(contacts)
        moved = {"contact": other, "channel": other.channels[0], "sent_at": sent_at + timedelta(minutes=1)}
        versions.append({"message_id": message_id} | moved)
    return versions


def _person_id(random: Random, contact: _Contact) -> str | None:
    return random.choice([None, *contact.person_ids])


def _contact_list(random: Random, contacts: Sequence[_Contact]) -> SourcePlan:
    plan = SourcePlan("audience", "contacts", None)
    for contact in random.sample(list(contacts), 10):
        row: Record = {"contact": contact, "person_id": _person_id(random, contact), "country": "US"}
        plan.records.append(_written(random, row | {"listed": True, "listed_at": _any_time(random)}, plan))
    return plan


def _campaigns(random: Random) -> SourcePlan:
    plan = SourcePlan("campaign_list", "campaigns", "UTC")
    for name in ("spring", "summer", "autumn"):
        row: Record = {"campaign_id": name, "channel": "sms", "name": name.title(), "started_at": _any_time(random)}
        plan.records.append(_written(random, row, plan))
    return plan


def _repeat_some(random: Random, plan: SourcePlan) -> None:
    records = [record for record in plan.records if not isinstance(record, Broken)]
    for record in random.sample(records, min(len(records), max(2, len(records) // 12))):
        again = dict(record)
        for column in ("channel", "status", "event_type", "message_class"):
            if isinstance(text := again.get(column), str):
                again[column] = random.choice([text, text.upper(), f" {text} "])
        plan.records.append(again)


def _written(random: Random, record: Record, plan: SourcePlan) -> Record:
    """The record as text, as some provider would write it."""
    written: Record = {}
    for column, value in record.items():
        if isinstance(value, datetime):
            written[column] = written_time(random, value, plan.timezone)
        elif isinstance(value, _Contact):
            written[column] = _spelled(random, value)
        else:
            written[column] = value
    if written.get("channel") == "sms" and random.random() < 0.2:
        written["channel"] = random.choice(["mms", "SMS", " Sms"])
    return written


def _spelled(random: Random, contact: _Contact) -> object:
    address = contact.address
    if contact.kind == "email":
        return random.choice([address, address.upper(), f"  {address.title()} "])
    if contact.kind == "gb":
        local = address[3:]
        return random.choice(
            [address, f"+44 7700 {local[4:]}", f"whatsapp:{address}", f"+44 (0){local}", f"+440{local}"]
        )
    if contact.kind in ("token", "bare"):
        return random.choice([address, f" {address} "])
    area, exchange, line = address[2:5], address[5:8], address[8:]
    with_plus = [
        address,
        address,
        f"+1 ({area}) {exchange}-{line}",
        f"whatsapp:{address}",
        f"tel:+1-{area}-{exchange}-{line}",
    ]
    if contact.kind == "us_with_plus":
        return random.choice(with_plus)
    without_plus = [f"({area}) {exchange}-{line}", f"{area}.{exchange}.{line}", f" 1 {area} {exchange} {line}"]
    return random.choice([*with_plus, *without_plus, int(f"1{area}{exchange}{line}")])


def written_time(random: Random, moment: datetime, source_timezone: str | None) -> str:
    """One of the ISO 8601 spellings of an instant; without offset only where the source's zone makes it plain."""
    fraction = f".{moment.microsecond:06d}" if moment.microsecond else random.choice(["", "", ".000", ".0000000"])
    if source_timezone and random.random() < 0.5:
        zone = ZoneInfo("Etc/GMT+6" if source_timezone == "-06:00" else source_timezone)
        local = moment.astimezone(zone).replace(tzinfo=None)
        if local.replace(tzinfo=zone, fold=0).utcoffset() == local.replace(tzinfo=zone, fold=1).utcoffset():
            return local.strftime(f"%Y-%m-%d{random.choice('T ')}%H:%M:%S") + fraction
    minutes, suffix = random.choice(
        [(0, "Z"), (0, "Z"), (0, " UTC"), (0, "+00:00"), (330, "+05:30"), (-300, "-0500"), (60, "+01")]
    )
    shifted = moment + timedelta(minutes=minutes)
    return shifted.strftime(f"%Y-%m-%d{random.choice('T ')}%H:%M:%S") + fraction + suffix


def _add_bad_records(random: Random, plan: SourcePlan) -> None:
    """Rows with exactly one fault each; most are otherwise like a good row, so that taking one in would show."""
    good = [record for record in plan.records if not isinstance(record, Broken)]
    for change in _faults(plan):
        plan.records.append(random.choice(good) | change)
    plan.records += [Broken("malformed"), Broken("malformed"), Broken("not_utf8")]


def _faults(plan: SourcePlan) -> list[Record]:
    time_column = {"messages": "sent_at", "consent_events": "requested_at", "inbound_messages": "received_at"}
    if plan.table not in time_column:
        return [{"contact": None, "campaign_id": " "}]
    column = time_column[plan.table]
    faults: list[Record] = [
        {"contact": ""},
        {"channel": None},
        {"channel": "pigeon"},
        {column: None},
        {column: "yesterday"},
        {column: "2026-03-01"},
        {column: 1772366400},
        {column: "2026-02-30T10:00:00Z"},
        {column: "1999-12-31T23:59:59Z"},
        {column: "2199-01-01T00:00:00Z"},
    ]
    if plan.timezone is None:
        faults.append({column: "2026-03-01T10:00:00"})
    if plan.timezone == "America/New_York":
        faults += [{column: "2026-03-08T02:30:00"}, {column: "2025-11-02 01:30:00"}]
    if plan.table == "messages":
        faults += [{"message_id": " "}, {"channel": "*"}, {"status": "bounced"}, {"message_class": "promo"}]
        faults += [{"status_at": "soon"}, {"price": "free"}]
    if plan.table == "consent_events":
        faults += [{"event_type": "stop"}, {"event_type": None}, {"method": "owl"}, {"actor": "me"}]
        faults += [{"source_type": "magic"}, {"prechecked": "maybe"}, {"processed_at": "never"}]
    return faults
