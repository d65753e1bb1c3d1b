"""Opt-outs per message, the unattributed share and list churn, each definition by itself, in plain Python.

Part of the slow, obvious twin of the pipeline (see `tests.support.reference`): every opt-out, message, pair and period
is looked at by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.support.reference_numbers import GRAINS, RATE_DIMENSIONS, local_date, period_start
from tests.support.reference_reading import Row
from tests.support.reference_spans import Event, Key, Message, Policy, Span, keyed_events

OPT_INS = frozenset({"opt_in", "opt_in_confirmed"})
WINDOW = timedelta(hours=72)

Place = tuple[str, str, date | None, str, str, str]
"""(definition, grain, first day of the period, channel, program, campaign_id), `*` for all of them"""
Ratios = dict[Place, tuple[int, int]]
"""numerator and denominator"""


@dataclass(frozen=True)
class Named:
    """What a consent event says of the message it answers, and how it came."""

    message_id: str | None
    campaign_id: str | None
    method: str | None


@dataclass(frozen=True)
class Where:
    """What an opt-out is counted for: the contact, and the channel, program and campaign of its message."""

    channel: str
    program: str
    campaign_id: str | None


@dataclass(frozen=True)
class OptOut:
    """One opt-out span: its first act, what that names, and the last message before it."""

    span: Span
    named: Named
    answered: Message | None
    last: Message | None

    @property
    def by_name(self) -> Where | None:
        """The message or campaign that the opt-out names itself."""
        if self.answered is not None:
            campaign_id = self.named.campaign_id or self.answered.campaign_id
            return Where(self.answered.channel, self.answered.program, campaign_id)
        if self.named.campaign_id is not None:
            return Where(self.span.key.channel, self.span.key.program, self.named.campaign_id)
        return None

    def by_last(self, window: timedelta | None) -> Where | None:
        """The last message before it, if that was sent within the window; None is any time."""
        if self.last is None or (window is not None and self.span.begins_at - self.last.sent_at > window):
            return None
        return Where(self.last.channel, self.last.program, self.last.campaign_id)


def where(definition: str, opt_out: OptOut) -> Where | None:
    """What a definition counts an opt-out for; None: for nothing."""
    if definition == "iterable":
        return opt_out.by_last(timedelta(hours=3))
    if definition == "braze":
        return opt_out.by_last(timedelta(hours=4)) if opt_out.named.method in (None, "keyword") else None
    if definition == "mailchimp":
        return opt_out.by_name
    return opt_out.by_name or opt_out.by_last(WINDOW if definition == "heed" else None)


DEFINITIONS = ("heed", "iterable", "braze", "klaviyo", "mailchimp", "customer_io", "spoke")
OF_PEOPLE = ("klaviyo", "mailchimp")


def named_by(rows: Iterable[Row]) -> dict[tuple[str, str], Named]:
    """What each consent event names, its versions merged."""
    versions_of: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        versions_of[row["source"], row["event_id"]].append(row)

    def first(versions: list[Row], column: str) -> str | None:
        given = [(version["requested_at"], version[column]) for version in versions if version[column] is not None]
        return min(given)[1] if given else None

    return {
        key: Named(first(versions, "message_id"), first(versions, "campaign_id"), first(versions, "method"))
        for key, versions in versions_of.items()
    }


def opt_outs(
    messages: Sequence[Message], spans: Iterable[Span], named: Mapping[tuple[str, str], Named]
) -> list[OptOut]:
    """Every opt-out span with the message it names and the last one that reached its contact before it."""
    found = []
    for span in spans:
        if span.kind != "opt_out":
            continue
        act = span.acts[0]
        told = named[act.source, act.event_id]
        answered = [
            one
            for one in messages
            if one.contact == act.contact
            and one.message_id == told.message_id
            and span.key.channel in (one.channel, "*")
        ]
        before = [
            one
            for one in messages
            if one.is_reached
            and one.contact == act.contact
            and span.key.channel in (one.channel, "*")
            and one.sent_at < span.begins_at
        ]
        last_at = max((one.sent_at for one in before), default=None)
        found.append(
            OptOut(
                span,
                told,
                min(answered, key=lambda one: (one.source != act.source, one.sent_at, one.source), default=None),
                min(
                    (one for one in before if one.sent_at == last_at),
                    key=lambda one: (one.source, one.message_id),
                    default=None,
                ),
            )
        )
    return found


def topics(span: Span) -> int:
    """How many topics the acts of an opt-out name: a topic is a channel and program of the span, where it has them."""
    return len({
        (
            act.channel if span.key.channel == "*" else span.key.channel,
            act.program if span.key.program == "*" else span.key.program,
        )
        for act in span.acts
    })  # fmt: skip


def per_message(messages: Sequence[Message], found: Sequence[OptOut], policy: Policy) -> Ratios:
    """Opt-outs per message under every definition, wherever messages were sent or opt-outs are counted."""
    reporting = {one.source for one in messages if one.status in ("delivered", "read")}
    counted: dict[Place, list[OptOut]] = defaultdict(list)
    sent: dict[Place, int] = defaultdict(int)
    for definition in DEFINITIONS:
        for opt_out in found:
            place = where(definition, opt_out)
            if place is not None:
                day = local_date(opt_out.span.begins_at, policy)
                for one in _places(definition, day, place.channel, place.program, place.campaign_id):
                    counted[one].append(opt_out)
        for message in messages:
            is_delivered = message.status in ("delivered", "read") or message.source not in reporting
            if message.is_reached:
                day = local_date(message.sent_at, policy)
                for one in _places(definition, day, message.channel, message.program, message.campaign_id):
                    sent[one] += is_delivered or definition == "spoke"
    return {place: (_numerator(place[0], counted[place]), sent[place]) for place in {*counted, *sent}}


def _places(
    definition: str, day: date, channel: str, program: str, campaign_id: str | None
) -> list[tuple[str, str, date | None, str, str, str]]:
    found = []
    for grain in GRAINS:
        for dimensions in RATE_DIMENSIONS:
            by_campaign = "campaign_id" in dimensions
            if (
                ("channel" in dimensions and channel == "*")
                or ("program" in dimensions and program == "*")
                or (by_campaign and campaign_id is None)
                or (by_campaign and definition != "heed" and grain not in ("month", "all"))
            ):
                continue
            found.append(
                (
                    definition,
                    grain,
                    period_start(day, grain),
                    channel if "channel" in dimensions else "*",
                    program if "program" in dimensions else "*",
                    campaign_id or "" if by_campaign else "*",
                )
            )
    return found


def _numerator(definition: str, counted: Sequence[OptOut]) -> int:
    if definition in OF_PEOPLE:
        return len({opt_out.span.acts[0].contact for opt_out in counted})
    if definition == "customer_io":
        return sum(topics(opt_out.span) for opt_out in counted)
    return len(counted)


def unattributed(found: Sequence[OptOut], policy: Policy) -> Ratios:
    """Of the opt-outs begun in each period, and on each channel, how many each definition counts for no message."""
    shares: dict[Place, tuple[int, int]] = {}
    for definition in DEFINITIONS:
        for opt_out in found:
            day = local_date(opt_out.span.begins_at, policy)
            for grain in GRAINS:
                for channel in {"*", opt_out.span.key.channel}:
                    place = (definition, grain, period_start(day, grain), channel, "*", "*")
                    missing, total = shares.get(place, (0, 0))
                    shares[place] = (missing + (where(definition, opt_out) is None), total + 1)
    return shares


def list_churn(
    messages: list[Message],
    events: list[Event],
    spans: Sequence[Span],
    person_of: Mapping[str, str],
    as_of: datetime,
    policy: Policy,
) -> Ratios:
    """Spans begun in each period / pairs opted in when it began, wherever one of them is not 0."""
    keyed = keyed_events(messages, events, person_of, policy.scope)
    keys_of = _keys_of_pairs(messages, events, person_of, policy, keyed)
    opted_in_at = {
        key: min(event.requested_at for one, event in keyed if one == key and event.event_type in OPT_INS)
        for key in {one for one, event in keyed if event.event_type in OPT_INS}
    }
    spans_of: dict[Key, list[Span]] = defaultdict(list)
    for span in spans:
        spans_of[span.key].append(span)

    def is_in(pair: tuple[str, str], instant: datetime) -> bool:
        return any(
            key in opted_in_at
            and opted_in_at[key] < instant
            and not any(span.contains(instant) for span in spans_of[key])
            for key in keys_of[pair]
        )

    ratios: Ratios = {}
    instants = [message.sent_at for message in messages] + [event.requested_at for event in events]
    first = local_date(min(instants, default=as_of), policy) - timedelta(days=31)
    last = local_date(as_of, policy)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    for grain in ("day", "week", "month"):
        for start in sorted({period_start(day, grain) or day for day in days}):
            midnight = datetime.combine(start, time(), tzinfo=ZoneInfo(policy.report_timezone)).astimezone(UTC)
            inside = [pair for pair in keys_of if is_in(pair, midnight)]
            begun = [span for span in spans if period_start(local_date(span.begins_at, policy), grain) == start]
            channels = {"*"}
            if policy.scope != "person":
                channels |= {channel for _, channel in inside} | {span.key.channel for span in begun}
            for channel in channels:
                people = [pair for pair in inside if channel in ("*", pair[1])]
                left = [span for span in begun if channel in ("*", span.key.channel)]
                gone = {
                    (span.acts[0].contact, span.key.channel)
                    for span in left
                    if span.kind == "opt_out"
                }  # fmt: skip
                if people or left:
                    ratios["heed", grain, start, channel, "*", "*"] = (len(left), len(people))
                if grain == "month" and (people or gone):
                    ratios["mailchimp", grain, start, channel, "*", "*"] = (len(gone), len(people))
    return ratios


def _keys_of_pairs(
    messages: list[Message],
    events: list[Event],
    person_of: Mapping[str, str],
    policy: Policy,
    keyed: list[tuple[Key, Event]],
) -> dict[tuple[str, str], set[Key]]:
    """The pairs on record with the scope keys whose consent they share."""
    keys_of: dict[tuple[str, str], set[Key]] = defaultdict(set)
    if policy.scope != "person":
        for key, _ in keyed:
            keys_of[key.owner, key.channel].add(key)
        return keys_of
    pairs = {(message.contact, message.channel) for message in messages}
    pairs |= {(key.owner, key.channel) for key, _ in keyed_events(messages, events, person_of, "channel")}
    for contact, channel in pairs:
        keys_of[contact, channel].add(Key(person_of.get(contact, contact), "*", "*"))
    return keys_of
