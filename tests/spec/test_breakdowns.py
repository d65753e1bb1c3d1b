"""Opt-outs by kind of message: the counts against slow plain Python on random small histories, and what they say."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipelines import sqlfiles
from pipelines.build import write_reference
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures import breakdowns
from pipelines.measures.periods import read_record
from pipelines.zones import offset_periods
from tests.support.measured import measured
from tests.support.working_database import insert, working_database

REPORT_ZONE = "America/New_York"
ZONES = ("Europe/Berlin", "Asia/Kathmandu", None)
START = datetime(2026, 2, 20, tzinfo=UTC)
BUCKETS = {
    "messages_7_days": [(1, "1"), (2, "2"), (3, "3"), (4, "4"), (5, "5"), (6, "6-7"), (8, "8-10"), (11, "11 or more")],
    "messages_30_days": [
        (1, "1"), (2, "2"), (3, "3-4"), (5, "5-7"), (8, "8-10"), (11, "11-15"), (16, "16-20"), (21, "21-30"),
        (31, "31 or more"),
    ],
    "sequence_position": [
        (1, "1"), (2, "2"), (3, "3"), (4, "4"), (5, "5"), (6, "6-10"), (11, "11-20"), (21, "21-50"), (51, "51 or more"),
    ],
}  # fmt: skip
RELATIONS = (
    "core.delivery_reports", "core.written_pairs", "metrics.message_counts", "metrics.sending_counts",
    "metrics.pressure_counts", "metrics.sequences", "metrics.language_counts", "metrics.opt_out_messages",
)  # fmt: skip


@dataclass(frozen=True)
class Message:
    """One message of a made history."""

    message_id: str
    source: str
    contact: int
    channel: str
    sent_at: datetime
    status: str
    message_class: str
    template: str | None
    campaign: str | None

    @property
    def is_reached(self) -> bool:
        return self.message_class != "transactional" and self.status in ("accepted", "sent", "delivered", "read")


@dataclass(frozen=True)
class History:
    """Messages, opt-ins (contact, channel, instant), the messages that opt-outs are attributed to, and the zones."""

    messages: list[Message]
    opt_ins: list[tuple[int, str, datetime]]
    opt_outs: list[Message]
    zones: dict[int, str | None]
    languages: dict[str, str]

    def is_delivered(self, message: Message) -> bool:
        """Delivered or read; of a source that reports neither, any that reached."""
        reports = any(one.status in ("delivered", "read") for one in self.messages if one.source == message.source)
        return message.is_reached and (message.status in ("delivered", "read") or not reports)


def histories(seed: int) -> History:
    """A small history over two changes of the clock, with ties and borders of the windows in it."""
    chance = random.Random(seed)
    zones = {contact: chance.choice(ZONES) for contact in range(1, 7)}
    instants: list[datetime] = []
    messages = []
    for number in range(chance.randint(20, 150)):
        sent_at = START + timedelta(minutes=chance.randrange(0, 60 * 24 * 60, 15))
        if instants and chance.random() < 0.5:
            sent_at = chance.choice(instants) + chance.choice([
                timedelta(0), timedelta(days=7), timedelta(days=7, microseconds=-1), timedelta(days=30),
                timedelta(days=30, microseconds=-1), timedelta(hours=1),
            ])  # fmt: skip
        instants.append(sent_at)
        source = chance.choice(["reports", "reports", "silent"])
        statuses = ["delivered", "read", "sent", "accepted", "failed"] if source == "reports" else ["sent", "failed"]
        messages.append(
            Message(
                f"m{number}", source, chance.randint(1, 6), chance.choice(["sms", "email"]), sent_at,
                chance.choice(statuses), chance.choice(["marketing", "unknown", "marketing", "transactional"]),
                chance.choice(["a", "b", None]), chance.choice(["c1", "c2", None]),
            )
        )  # fmt: skip
    # Of messages at one instant to one contact and channel nobody knows the order: opt-outs are of others here.
    places = Counter((one.contact, one.channel, one.sent_at) for one in messages)
    lone = [one for one in messages if one.is_reached and places[one.contact, one.channel, one.sent_at] == 1]
    opt_ins = [
        (chance.randint(1, 6), chance.choice(["sms", "email", "*"]), chance.choice([
            START + timedelta(minutes=chance.randrange(60 * 24 * 60)), chance.choice(instants),
        ]))
        for _ in range(chance.randint(0, 8))
    ]  # fmt: skip
    opt_outs = [chance.choice(lone) for _ in range(chance.randint(0, 12))] if lone else []
    return History(messages, opt_ins, opt_outs, zones, {"c1": "de"})


# The plain Python


def local(history: History, message: Message) -> datetime:
    return message.sent_at.astimezone(ZoneInfo(history.zones[message.contact] or REPORT_ZONE))


def sequences(history: History) -> dict[tuple[int, str, datetime | None], list[Message]]:
    """Messages that reached, by contact, channel and the opt-in they follow, in order."""
    found: dict[tuple[int, str, datetime | None], list[Message]] = {}
    for message in sorted(history.messages, key=lambda one: one.sent_at):
        if message.is_reached:
            starts = [
                at
                for contact, channel, at in history.opt_ins
                if contact == message.contact and channel in (message.channel, "*") and at <= message.sent_at
            ]
            found.setdefault((message.contact, message.channel, max(starts, default=None)), []).append(message)
    return found


def kinds(history: History, message: Message) -> Iterator[tuple[str, str]]:
    """Dimension and bucket of a message, the place in its sequence left out."""
    at = local(history, message)
    weekday = breakdowns.WEEKDAYS[at.weekday()]
    yield "hour", f"{at.hour:02d}:00"
    yield "weekday", weekday
    yield "weekday_hour", f"{weekday} {at.hour:02d}:00"
    yield "template", message.template or breakdowns.NOT_KNOWN
    yield "language", history.languages.get(message.campaign or "", breakdowns.NOT_KNOWN)
    for dimension, days in (("messages_7_days", 7), ("messages_30_days", 30)):
        recent = sum(
            one.is_reached and one.contact == message.contact
            and message.sent_at - timedelta(days=days) < one.sent_at <= message.sent_at
            for one in history.messages
        )  # fmt: skip
        yield dimension, bucket(dimension, recent)


def bucket(dimension: str, count: int) -> str:
    return next(name for from_count, name in reversed(BUCKETS[dimension]) if count >= from_count)


def expected(history: History) -> dict[tuple[str | None, str, str, str], tuple[int, int]]:
    """Messages and opt-outs by month, channel, dimension and bucket; `*` is every channel, None the whole record."""
    messages: Counter[tuple[str | None, str, str, str]] = Counter()
    opt_outs: Counter[tuple[str | None, str, str, str]] = Counter()

    def add(counter: Counter[tuple[str | None, str, str, str]], message: Message, kind: tuple[str, str]) -> None:
        month = message.sent_at.astimezone(ZoneInfo(REPORT_ZONE)).date().replace(day=1)
        for period in (None, str(month)) if kind[0] != "sequence_position" else (None,):
            for channel in ("*", message.channel):
                counter[period, channel, *kind] += 1

    places = {
        one.message_id: bucket("sequence_position", place)
        for sequence in sequences(history).values()
        for place, one in enumerate(sequence, start=1)
    }
    for message in history.messages:
        for kind in kinds(history, message) if history.is_delivered(message) else ():
            add(messages, message, kind)
        if message.is_reached:
            add(messages, message, ("sequence_position", places[message.message_id]))
    for message in history.opt_outs:
        for kind in (*kinds(history, message), ("sequence_position", places[message.message_id])):
            add(opt_outs, message, kind)
    return {key: (messages[key], opt_outs[key]) for key in messages.keys() | opt_outs.keys()}


# The same by SQL


def built(history: History) -> DuckDBEngine:
    """The history in a working database, broken down."""
    engine = working_database()
    write_reference(engine)
    insert(engine, "run.parameters", {"as_of": START + timedelta(days=200), "report_timezone": REPORT_ZONE})
    for zone in (REPORT_ZONE, *(zone for zone in ZONES if zone)):
        for from_at, until_at, seconds in offset_periods(zone):
            offset = {"timezone": zone, "from_at": from_at, "until_at": until_at, "offset_seconds": seconds}
            insert(engine, "run.zone_offsets", offset)
            if zone == REPORT_ZONE:
                insert(engine, "run.report_offsets", offset)
    for contact, contact_zone in history.zones.items():
        insert(engine, "core.contacts", {"contact_key": contact, "timezone": contact_zone})
    for message in history.messages:
        is_marketing = message.message_class != "transactional"
        insert(engine, "core.messages", {
            "source": message.source, "message_id": message.message_id, "contact_key": message.contact,
            "channel": message.channel, "sent_at": message.sent_at, "status": message.status,
            "sent_on": message.sent_at.astimezone(ZoneInfo(REPORT_ZONE)).date(), "template_id": message.template,
            "campaign_id": message.campaign, "message_class": message.message_class, "is_marketing": is_marketing,
            "is_reached": message.is_reached,
        })  # fmt: skip
    for number, (contact, channel, begins_at) in enumerate(history.opt_ins):
        insert(engine, "core.consent_spans", {
            "scope_key": str(number), "channel": channel, "program": "*", "contact_key": contact,
            "begins_at": begins_at,
        })  # fmt: skip
    for campaign, language in history.languages.items():
        insert(engine, "core.campaigns", {
            "source": "crm", "campaign_id": campaign, "channel": "*", "language": language,
        })  # fmt: skip
    for number, message in enumerate(history.opt_outs):
        insert(engine, "core.attributions", {
            "span_id": number, "contact_key": message.contact, "attributed_by": "last_touch", "source": message.source,
            "message_id": message.message_id, "channel": message.channel, "campaign_id": message.campaign,
            "template_id": message.template, "sent_at": message.sent_at,
        })  # fmt: skip
    for relation in RELATIONS:
        engine.create(relation, sqlfiles.read(relation).text)
    breakdowns.measure(engine, read_record(engine))
    return engine


@pytest.mark.parametrize("seed", range(12))
def test_counts_are_those_of_plain_python(seed: int) -> None:
    history = histories(seed)
    counted = {
        (month, channel, dimension, name): (messages, opt_outs)
        for month, channel, dimension, name, messages, opt_outs in built(history).rows(
            "select cast(period_start as text), channel, dimension, bucket, message_count, opt_out_count"
            " from metrics.message_breakdowns where message_count > 0 or opt_out_count > 0"
        )
    }
    assert counted == expected(history)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_counts_are_those_of_plain_python_on_many_histories(seed: int) -> None:
    test_counts_are_those_of_plain_python(seed)


def test_the_share_of_known_clocks_is_told() -> None:
    history = histories(3)
    delivered = [message for message in history.messages if history.is_delivered(message)]
    known = [message for message in delivered if history.zones[message.contact]]
    [(count,)] = built(history).rows(
        "select sum(known_count) from metrics.message_breakdowns"
        " where grain = 'all' and channel = '*' and dimension = 'hour'"
    )
    assert count == len(known)


# By example


def week_of_messages(opt_outs: int) -> tuple[str, list[dict[str, Any]]]:
    """Forty weeks with a message at 09:00 and at 21:00 to each of ten contacts; so many leave after one at 21:00."""
    lines, attributions = ["message_id contact channel template_id sent status"], []
    for week in range(40):
        day = date(2026, 1, 5) + timedelta(weeks=week)
        for contact in range(1, 11):
            for hour in ("09:00", "21:00"):
                lines.append(f"w{week}c{contact}h{hour[:2]} {contact} sms t{hour[:2]} {day}T{hour} delivered")
        if week < opt_outs:
            attributions.append({
                "span_id": week, "contact_key": 1, "attributed_by": "message", "source": "shop", "channel": "sms",
                "message_id": f"w{week}c1h21", "sent_at": f"{day} 21:00:00+00", "template_id": "t21",
            })  # fmt: skip
    return "\n".join(lines), attributions


def outcome(engine: DuckDBEngine, dimension: str) -> dict[str, Any]:
    """The test of one dimension over the whole record."""
    [found] = engine.records(
        f"select * from metrics.breakdown_tests where grain = 'all' and channel = 'sms' and dimension = '{dimension}'"
    )
    return found


def test_an_hour_that_drives_people_away_is_found() -> None:
    messages, attributions = week_of_messages(30)
    engine = measured(
        messages,
        core__attributions=attributions,
        core__contacts=[{"contact_key": contact} for contact in range(1, 11)],
        core__delivery_reports=[{"source": "shop", "reports_delivery": 1}],
    )
    hour = outcome(engine, "hour")
    # Thirty opt-outs of 400 messages at 21:00 against none of 400 at 09:00: in each of thirty weeks one of two halves.
    # Score 30 * 1/2 = 15 above what is expected, variance 30 * 1/4: 225 / 7.5 = 30.
    assert hour["statistic"] == pytest.approx(30.0)
    assert hour["opt_out_count"] == 30
    assert hour["q_value"] < 1e-6
    # Whether the template or the hour did it, the record cannot tell: both differ alike.
    assert outcome(engine, "template")["p_value"] == pytest.approx(hour["p_value"])
    # The message of a week before at the same hour is seven days old and out: each is the second in seven days.
    assert outcome(engine, "messages_7_days")["bucket_count"] == 2
    assert outcome(engine, "messages_7_days")["p_value"] is None
    # All were sent on a Monday.
    assert outcome(engine, "weekday")["p_value"] is None


def test_too_few_opt_outs_are_not_tested() -> None:
    messages, attributions = week_of_messages(19)
    engine = measured(
        messages,
        core__attributions=attributions,
        core__contacts=[{"contact_key": contact} for contact in range(1, 11)],
        core__delivery_reports=[{"source": "shop", "reports_delivery": 1}],
    )
    hour = outcome(engine, "hour")
    assert (hour["p_value"], hour["q_value"], hour["ratio"], hour["opt_out_count"]) == (None, None, None, 19)
