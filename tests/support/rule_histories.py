"""Tiny histories in which every rule of the book is broken often, and almost broken as often.

A *scene* is a fortnight in which clocks change, holidays fall or a law begins. All histories of one database play in
one scene, under one policy and one book of made-up rows, with times on and one microsecond beside every edge there is:
local midnights, ends of quiet hours, deadlines, windows of confirmations and caps. The histories of one list share no
address, no person and no key, so that hundreds can be judged at once.

Addresses are names with the beginning of a phone number behind them (see `reference_places`): `00012a+1305`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from tests.support.histories import History
from tests.support.reference_deadlines import RuleRow, deadline, judging
from tests.support.reference_messages import CONFIRMING, INSTRUCTING, OPT_OUT_REQUESTS
from tests.support.reference_places import AREAS, CALLING_CODES, Place, place_of
from tests.support.reference_reading import COLUMNS, Row
from tests.support.reference_spans import Policy
from tests.support.rule_books import random_book

#: The first day of each scene, and what happens in the days after it.
SCENES = {
    "the United States rule changes": date(2025, 4, 7),
    "Christmas and New Year": date(2025, 12, 22),
    "clocks go forward in North America": date(2026, 3, 5),
    "clocks go forward in Europe, over midnight in Beirut": date(2026, 3, 26),
    "clocks go back in Australia and New Zealand, Easter": date(2026, 4, 2),
    "clocks go forward over midnight in Cairo, Anzac Day": date(2026, 4, 21),
    "Memorial Day, Whitsun and a bank holiday": date(2026, 5, 21),
    "clocks go back in North America": date(2025, 10, 30),
}
DAYS = 16
_MICROSECOND = timedelta(microseconds=1)
_HOURS = (time(), time(8), time(9), time(10), time(12), time(13), time(14), time(20), time(21), time(22), time(23, 59))
_PLACES: tuple[tuple[str | None, str | None, str | None], ...] = (
    ("US", "US-FL", "America/New_York"),
    ("US", "US-FL", None),
    ("US", "US-TX", "America/Chicago"),
    ("US", None, "America/Phoenix"),
    ("US", None, None),
    ("CA", "CA-ON", "America/Toronto"),
    ("CA", "CA-NL", "America/St_Johns"),
    ("AU", "AU-NSW", "Australia/Sydney"),
    ("AU", None, "Australia/Adelaide"),
    ("AU", None, None),
    ("NZ", None, "Pacific/Auckland"),
    ("NZ", None, "Pacific/Chatham"),
    ("GB", None, "Europe/London"),
    ("GB", None, None),
    ("FR", None, None),
    ("DE", None, None),
    ("IN", None, "Asia/Kolkata"),
    ("IN", None, None),
    ("EG", None, "Africa/Cairo"),
    ("LB", None, "Asia/Beirut"),
    (None, None, "Asia/Tokyo"),
    (None, None, "no zone at all"),
)


@dataclass(frozen=True)
class Setting:
    """What all histories of one database have in common."""

    scene: date
    policy: Policy
    book: tuple[RuleRow, ...]
    opt_in_channels: tuple[str, ...]
    """the channels on which anybody opts in at all"""
    confirmed_channels: tuple[str, ...]
    """the channels on which anything is confirmed at all"""
    judged_at: datetime | None
    """as_of; None: the record's greatest time"""


CHANNELS = ("sms", "email", "rcs", "voice", "whatsapp")


def random_setting(random: Random, scope: str) -> Setting:
    """A scene, a policy and a book of a dozen or two made-up rows."""
    scene = random.choice(list(SCENES.values()))
    book = random_book(random, scene, DAYS)
    rules: str | tuple[str, ...] = random.choice(["default"] * 4 + ["strict", "strict", "none", "listed"])
    if rules == "listed":
        rules = tuple(row["rule_id"] for row in book if random.random() < 0.5) or "default"
    policy = Policy(
        scope=scope,
        default_deadline=random.choice(["0h", "6h", "1d", "1bd", "3bd", "10bd"]),
        report_timezone=random.choice(["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]),
        rules=rules,
        double_opt_in=random.random() < 0.5,
        frequency_cap=random.choice([None, (1, timedelta(hours=24)), (2, timedelta(hours=6)), (3, timedelta(days=2))]),
        forbidden_sources=random.choice([("purchased", "scraped"), ("scraped", "referral"), ()]),
        confirmation_window=random.choice([timedelta(minutes=5), timedelta(minutes=5), timedelta(hours=1)]),
    )
    return Setting(
        scene,
        policy,
        tuple(book),
        tuple(channel for channel in CHANNELS if random.random() < 0.8),
        tuple(channel for channel in CHANNELS if random.random() < 0.6),
        random.choice([None, None, datetime.combine(scene + timedelta(days=DAYS - 4), time(12), tzinfo=UTC)]),
    )


def rule_histories(random: Random, setting: Setting, count: int) -> list[History]:
    """So many independent histories of a few rows each."""
    return [rule_history(random, setting, f"{number:05d}") for number in range(count)]


def joined(histories: Sequence[History]) -> History:
    """All rows of several histories as one."""
    whole = _empty_history()
    for history in histories:
        for table, rows in history.rows.items():
            whole.rows[table] += rows
    return whole


def _empty_history() -> History:
    return History({table: [] for table in COLUMNS})


def rule_history(random: Random, setting: Setting, prefix: str) -> History:
    """One history; every name in it begins with `prefix`."""
    return _Writer(random, setting, prefix).history()


class _Writer:
    """Writes one history, keeping the instants that later rows may play around."""

    def __init__(self, random: Random, setting: Setting, prefix: str) -> None:
        self.random, self.setting, self.prefix = random, setting, prefix
        self.found = _empty_history()
        self.contacts = [f"{prefix}{letter}{self._number()}" for letter in "abc"[: random.randint(1, 3)]]
        self.channels = random.sample(CHANNELS, random.randint(1, 2)) + random.choice([[], ["sms"]])
        self.programs = [None, "news", "sale"][: random.randint(1, 3)]
        has_persons = random.random() < 0.4
        self.person_ids = [None, *(f"{prefix}p{number}" for number in range(2 if has_persons else 0))]
        self.campaigns = [f"{prefix}c{number}" for number in range(2)]
        self.rules = judging(setting.book, setting.policy)
        self.instants: list[datetime] = []
        # Some histories are about one thing: many messages at once, or an opt-out and its confirmations.
        self.theme = random.choices(["anything", "many messages", "confirmations"], [6, 2, 2])[0]
        if self.theme != "anything":
            del self.contacts[1:], self.channels[1:]
            self.channels = ["sms"] if random.random() < 0.5 else self.channels

    def _number(self) -> str:
        kind = self.random.random()
        if kind < 0.25:
            return "@example.com"
        return "" if kind < 0.3 else self.random.choice([*AREAS, *CALLING_CODES])

    def history(self) -> History:
        """All rows."""
        random = self.random
        for contact in self.contacts:
            if random.random() < 0.55:
                self._add_listing(contact)
        event_count, message_count = {"anything": (5, 6), "many messages": (2, 9), "confirmations": (3, 5)}[self.theme]
        for number in range(random.randint(0, event_count)):
            self._add_event(f"{self.prefix}e{number}")
        for number in range(random.randint(0, message_count)):
            self._add_message(f"{self.prefix}m{number}")
        for number in range(random.choice([0, 0, 1, 2])):
            self._add_inbound(f"{self.prefix}i{number}")
        for campaign_id in self.campaigns:
            if random.random() < 0.3:
                self._add_campaign(campaign_id)
        return self.found

    def _row(self, table: str, **values: object) -> Row:
        row: Row = {"source": self.random.choice(["one", "one", "two"]), **dict.fromkeys(COLUMNS[table])}
        row |= values
        self.found.rows[table].append(row)
        return row

    def _place(self, contact: str) -> Place:
        return place_of(contact, self.found.rows["contacts"])

    def _instant(self, contact: str) -> datetime:
        """A time at or beside an edge: of an earlier row, or of the contact's own or somebody's day."""
        random = self.random
        if self.instants and random.random() < (0.55 if self.theme == "anything" else 0.9):
            instant = random.choice(self.instants)
            window = self.setting.policy.confirmation_window
            steps = [timedelta(0), window, timedelta(hours=6), timedelta(hours=24), timedelta(hours=48)]
            if self.theme == "confirmations":
                steps = [timedelta(0), timedelta(seconds=1), window, window, timedelta(hours=1)]
            instant += random.choice([-1, 1, 1]) * random.choice(steps)
        else:
            zones = [*self._place(contact).zones[:3], self.setting.policy.report_timezone]
            # Few days, so that rows meet.
            day = self.setting.scene + timedelta(days=random.choice([random.randrange(DAYS), random.randrange(4)]))
            local = datetime.combine(day, random.choice(_HOURS), tzinfo=ZoneInfo(random.choice(zones)))
            instant = local.astimezone(UTC)
        return instant + random.choice([0, 0, 0, 1, -1]) * _MICROSECOND

    def _add_listing(self, contact: str) -> None:
        random = self.random
        country, region, zone = random.choice(_PLACES)
        self._row(
            "contacts",
            contact=contact,
            person_id=random.choice(self.person_ids),
            country=country,
            region=region,
            timezone=zone,
            listed=random.choice([None, True, True, False]),
            listed_at=random.choice([None, self._instant(contact), self._instant(contact)]),
        )

    def _add_event(self, event_id: str) -> None:
        random = self.random
        contact = random.choice(self.contacts)
        channel = random.choice(["*", *self.channels, *self.channels, *self.channels])
        event_type = random.choices(
            ["opt_out", "complaint", "opt_in", "opt_in_confirmed", "opt_in_requested", "block", "unblock"],
            [12, 2, 7, 3, 5, 2, 1] if self.theme != "many messages" else [1, 1, 9, 3, 3, 1, 1],
        )[0]
        if event_type in ("opt_in", "opt_in_confirmed") and channel not in self.setting.opt_in_channels:
            event_type = "opt_in_requested"
        requested_at = self._instant(contact)
        due = deadline(requested_at, channel, self._place(contact), self.rules, self.setting.policy)
        processed_at = random.choice([None, requested_at, requested_at + timedelta(minutes=1), due, due + _MICROSECOND])
        self._row(
            "consent_events",
            event_id=event_id,
            channel=channel,
            contact=contact,
            person_id=random.choice(self.person_ids),
            program=random.choice([None, "*", *self.programs]),
            event_type=event_type,
            requested_at=requested_at,
            processed_at=processed_at,
            method=random.choice([None, "keyword", "keyword", "link", "import"]),
            actor=random.choice([None, "contact", "contact", "operator", "import", "system", "provider"]),
            source_type=random.choice([None, "own_web", "purchased", "scraped", "referral"]),
            prechecked=random.choice([None, None, True, False]),
        )
        self.instants += [requested_at, requested_at, due]

    def _add_message(self, message_id: str) -> None:
        random = self.random
        contact = random.choice(self.contacts)
        channel = random.choice(self.channels)
        classes = [None, "marketing", "marketing", "marketing", "unknown", "transactional"]
        if channel in self.setting.confirmed_channels:
            classes += ["confirmation"] * (15 if self.theme == "confirmations" else 2)
        message_class = random.choice(classes)
        texts = CONFIRMING if message_class == "confirmation" else INSTRUCTING
        sent_at = self._instant(contact)
        statuses = [None, "accepted", "delivered", "delivered", "read", "undelivered", "failed", "suppressed"]
        row = self._row(
            "messages",
            message_id=message_id,
            channel=channel,
            contact=contact,
            person_id=random.choice(self.person_ids),
            program=random.choice(self.programs),
            campaign_id=random.choice([None, *self.campaigns]),
            message_class=message_class,
            sent_at=sent_at,
            status=random.choice(statuses),
            body=random.choice([None, None, *texts]),
        )
        self.instants.append(sent_at)
        if random.random() < 0.1:
            self.found.rows["messages"].append(row | {"status": "delivered", "sent_at": sent_at + timedelta(hours=1)})

    def _add_inbound(self, inbound_id: str) -> None:
        random = self.random
        contact = random.choice(self.contacts)
        text = random.choice([None, *OPT_OUT_REQUESTS])
        is_button = random.random() < 0.2
        self._row(
            "inbound_messages",
            inbound_id=inbound_id,
            channel=random.choice(self.channels),
            contact=contact,
            received_at=self._instant(contact),
            program=random.choice([None, None, *self.programs]),
            body=None if is_button else text,
            button=text if is_button else None,
        )

    def _add_campaign(self, campaign_id: str) -> None:
        random = self.random
        self._row(
            "campaigns",
            campaign_id=campaign_id,
            channel=random.choice([None, *self.channels]),
            name="Spring",
            template_text=random.choice([None, *INSTRUCTING]),
            respects_opt_outs=random.choice([None, True, False, False]),
            started_at=random.choice([None, self._instant(self.contacts[0])]),
        )
