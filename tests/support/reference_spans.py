"""Opt-out spans and the messages sent inside them, one scope key and one message at a time, in plain Python.

Part of the slow, obvious twin of the pipeline (see `tests.support.reference`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

OPENS = {"opt_out": frozenset({"opt_out", "complaint"}), "block": frozenset({"block"})}
CLOSES = {
    "opt_out": frozenset({"opt_in", "opt_in_confirmed"}),
    "block": frozenset({"unblock", "opt_in", "opt_in_confirmed"}),
}
KINDS = ("opt_out", "block")

SEVERITIES = {
    "suppressed_by_provider": "warning",
    "sent_after_processing": "critical",
    "sent_past_deadline": "critical",
    "sent_in_flight": "notice",
}


@dataclass(frozen=True)
class Policy:
    """What the reference needs to know of the policy.

    `default_deadline` is in hours, days or business days: 48h, 30d, 10bd. `frequency_cap` is how many messages in how
    long; `rules` is default, strict, none or the rule ids that hold.
    """

    scope: str = "channel"
    default_deadline: str = "48h"
    report_timezone: str = "UTC"
    default_country: str | None = None
    rules: str | tuple[str, ...] = "none"
    double_opt_in: bool = False
    frequency_cap: tuple[int, timedelta] | None = None
    forbidden_sources: tuple[str, ...] = ("purchased", "scraped")
    confirmation_window: timedelta = timedelta(minutes=5)


@dataclass(frozen=True)
class Message:
    """One message, its versions merged; `contact` is the normalised address."""

    source: str
    message_id: str
    channel: str
    contact: str
    person_id: str | None
    program: str
    campaign_id: str | None
    message_class: str
    sent_at: datetime
    status: str
    body: str | None = None

    @property
    def is_marketing(self) -> bool:
        """Whether it is audited as marketing: class marketing or unknown."""
        return self.message_class in {"marketing", "unknown"}

    @property
    def is_reached(self) -> bool:
        """Whether it counts as having reached its contact."""
        return self.is_marketing and self.status in {"accepted", "sent", "delivered", "read"}


@dataclass(frozen=True)
class Event:
    """One consent event, its versions merged; `channel` and `program` are `*` where it is about all of them."""

    source: str
    event_id: str
    channel: str
    contact: str
    person_id: str | None
    program: str
    event_type: str
    requested_at: datetime
    processed_at: datetime | None
    reason_code: str | None = None
    reason_text: str | None = None
    method: str | None = None
    actor: str | None = None
    source_type: str | None = None
    prechecked: bool | None = None

    @property
    def applied_at(self) -> datetime | None:
        """processed_at, but never before the request it answers."""
        return None if self.processed_at is None else max(self.processed_at, self.requested_at)


@dataclass(frozen=True)
class Key:
    """What a span is about: a person, or a contact with a channel and a program (`*`: any)."""

    owner: str
    channel: str
    program: str


@dataclass(frozen=True)
class Span:
    """One opt-out or block span; `acts` are its opening acts in order, the first began it."""

    kind: str
    key: Key
    acts: tuple[Event, ...]
    ends_at: datetime | None
    deadline_at: datetime

    @property
    def begins_at(self) -> datetime:
        """When the contact first asked."""
        return self.acts[0].requested_at

    @property
    def processed_at(self) -> datetime | None:
        """The earliest time at which one of its opening acts was applied; None without proof that any was."""
        return min((act.applied_at for act in self.acts if act.applied_at is not None), default=None)

    @property
    def repeat_count(self) -> int:
        """How often the contact had to ask again."""
        return len(self.acts) - 1

    @property
    def has_clock_skew(self) -> bool:
        """Whether one of its opening acts claims to have been applied before it was asked for."""
        return any(act.processed_at is not None and act.processed_at < act.requested_at for act in self.acts)

    def contains(self, instant: datetime) -> bool:
        """Whether `instant` lies strictly between both ends."""
        return self.begins_at < instant and (self.ends_at is None or instant < self.ends_at)


DeadlineOf = Callable[[Event, str], datetime]


@dataclass(frozen=True)
class Finding:
    """One message sent inside a span, with the span it is cited with."""

    finding_class: str
    severity: str
    message: Message
    span: Span
    delivered: bool


def spans(
    messages: Iterable[Message],
    events: Iterable[Event],
    person_of: Mapping[str, str],
    policy: Policy,
    deadline_of: DeadlineOf | None = None,
) -> list[Span]:
    """All spans of both kinds, per scope key in order of time.

    `deadline_of` tells the deadline of a span from the act that began it and the span's channel; without it the
    policy's own default holds for everybody.
    """
    deadline_of = deadline_of or (lambda act, _: deadline(act.requested_at, policy))
    acts_of: dict[Key, list[Event]] = defaultdict(list)
    for key, event in keyed_events(list(messages), list(events), person_of, policy.scope):
        acts_of[key].append(event)
    return [
        span
        for key, acts in sorted(acts_of.items(), key=lambda item: (item[0].owner, item[0].channel, item[0].program))
        for kind in KINDS
        for span in _spans_of_kind(kind, key, acts, deadline_of)
    ]


def _spans_of_kind(kind: str, key: Key, acts: list[Event], deadline_of: DeadlineOf) -> list[Span]:
    relevant = [act for act in acts if act.event_type in OPENS[kind] | CLOSES[kind]]
    # At equal times an opening act counts as the later one.
    relevant.sort(key=lambda act: (act.requested_at, act.event_type in OPENS[kind], act.source, act.event_id))
    found: list[Span] = []
    opening: list[Event] = []
    for act in relevant:
        if act.event_type in OPENS[kind]:
            opening.append(act)
        elif opening:
            found.append(Span(kind, key, tuple(opening), act.requested_at, deadline_of(opening[0], key.channel)))
            opening = []
    if opening:
        found.append(Span(kind, key, tuple(opening), None, deadline_of(opening[0], key.channel)))
    return found


def keyed_events(
    messages: list[Message], events: list[Event], person_of: Mapping[str, str], scope: str
) -> list[tuple[Key, Event]]:
    """Each event with every scope key that it is about."""
    if scope == "person":
        return [(Key(person_of.get(event.contact, event.contact), "*", "*"), event) for event in events]

    channels_of: dict[str, set[str]] = defaultdict(set)
    for message in messages:
        channels_of[message.contact].add(message.channel)
    for event in events:
        if event.channel != "*":
            channels_of[event.contact].add(event.channel)
    on_channels = [
        (channel, event)
        for event in events
        for channel in ([event.channel] if event.channel != "*" else sorted(channels_of[event.contact]) or ["*"])
    ]
    if scope == "channel":
        return [(Key(event.contact, channel, "*"), event) for channel, event in on_channels]

    assert scope == "program", scope
    programs_of: dict[tuple[str, str], set[str]] = defaultdict(set)
    for message in messages:
        programs_of[message.contact, message.channel].add(message.program)
    for channel, event in on_channels:
        if event.program != "*":
            programs_of[event.contact, channel].add(event.program)
    return [
        (Key(event.contact, channel, program), event)
        for channel, event in on_channels
        for program in (
            [event.program] if event.program != "*" else sorted(programs_of[event.contact, channel]) or ["*"]
        )
    ]


def key_of(message: Message, person_of: Mapping[str, str], scope: str) -> Key:
    """The one scope key a message belongs to."""
    if scope == "person":
        return Key(person_of.get(message.contact, message.contact), "*", "*")
    return Key(message.contact, message.channel, message.program if scope == "program" else "*")


def covers_pair(span: Span, contact: str, channel: str, person_of: Mapping[str, str], scope: str) -> bool:
    """Whether the span is about this contact on this channel, for any program."""
    if scope == "person":
        return span.key.owner == person_of.get(contact, contact)
    return span.key.owner == contact and span.key.channel in {channel, "*"}


def findings(
    messages: Iterable[Message], found: Iterable[Span], person_of: Mapping[str, str], policy: Policy
) -> list[Finding]:
    """One finding per marketing or unknown message sent inside a span, citing the span that began first."""
    spans_of: dict[Key, list[Span]] = defaultdict(list)
    for span in found:
        spans_of[span.key].append(span)
    result = []
    for message in messages:
        covering = [
            span for span in spans_of[key_of(message, person_of, policy.scope)] if span.contains(message.sent_at)
        ]
        if not message.is_marketing or not covering:
            continue
        cited = min(covering, key=lambda span: (span.begins_at, KINDS.index(span.kind)))
        finding_class = _finding_class(message, cited)
        delivered = message.status not in {"failed", "undelivered", "suppressed"}
        result.append(Finding(finding_class, SEVERITIES[finding_class], message, cited, delivered))
    return result


def _finding_class(message: Message, span: Span) -> str:
    if message.status == "suppressed":
        return "suppressed_by_provider"
    if span.processed_at is not None and message.sent_at > span.processed_at:
        return "sent_after_processing"
    if message.sent_at > span.deadline_at:
        return "sent_past_deadline"
    return "sent_in_flight"


def deadline(begins_at: datetime, policy: Policy) -> datetime:
    """When a request made at `begins_at` has to be applied under the policy's own default.

    Hours and calendar days (24 h each) count from the instant. Business days are Monday to Friday; day 1 is the first
    one after the local date of the request, and the deadline is the local midnight that ends the last.
    """
    text = policy.default_deadline
    if text.endswith("bd"):
        zone = ZoneInfo(policy.report_timezone)
        day, remaining = begins_at.astimezone(zone).date(), int(text.removesuffix("bd"))
        while remaining:
            day += timedelta(days=1)
            if day.isoweekday() <= 5:
                remaining -= 1
        midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
        return midnight.astimezone(begins_at.tzinfo)
    amount = int(text[:-1])
    return begins_at + (timedelta(hours=amount) if text.endswith("h") else timedelta(days=amount))
