"""What is on record, merged and sorted by contact, and what it is judged by: what every rule of the twin reads.

Part of the slow, obvious twin of the pipeline (see `tests.support.reference_rules`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from tests.support.reference import merged_events, merged_messages, persons
from tests.support.reference_deadlines import Rule, RuleRow, deadline, judging
from tests.support.reference_places import Place, place_of
from tests.support.reference_reading import Row
from tests.support.reference_spans import (
    Event,
    Finding,
    Key,
    Message,
    Policy,
    Span,
    findings,
    key_of,
    keyed_events,
    spans,
)

Item = TypeVar("Item")
Group = TypeVar("Group")


def grouped(items: Iterable[Item], group_of: Callable[[Item], Group]) -> dict[Group, list[Item]]:
    """The items of each group, in their order."""
    groups: dict[Group, list[Item]] = {}
    for item in items:
        groups.setdefault(group_of(item), []).append(item)
    return groups


@dataclass(frozen=True)
class Inbound:
    """One message from a contact, its versions merged."""

    source: str
    inbound_id: str
    channel: str
    contact: str
    program: str | None
    received_at: datetime
    text: str | None


@dataclass(frozen=True)
class Campaign:
    """One campaign on one channel (None: on any), its versions merged.

    `own`: the sources that deliver campaigns. One of them means its own; another's messages mean any of that id.
    """

    source: str
    campaign_id: str
    channel: str | None
    template_text: str | None
    respects_opt_outs: bool | None
    started_at: datetime | None
    own: frozenset[str]

    def has(self, message: Message) -> bool:
        """Whether a message is one of this campaign."""
        return (
            (message.source == self.source or message.source not in self.own)
            and message.campaign_id == self.campaign_id
            and self.channel in (None, message.channel)
        )


@dataclass
class Record:
    """Everything that is on record, merged, and what it is judged by."""

    messages: list[Message]
    events: list[Event]
    inbound: list[Inbound]
    campaigns: list[Campaign]
    contacts: list[Row]
    listings: list[Row]
    person_of: Mapping[str, str]
    policy: Policy
    rules: list[Rule]
    as_of: datetime | None
    _places: dict[str, Place] = field(default_factory=dict)

    def place(self, contact: str) -> Place:
        """Where a contact is."""
        if contact not in self._places:
            self._places[contact] = place_of(contact, self.contacts_of.get(contact, []))
        return self._places[contact]

    def rules_for(self, kind: str, contact: str, channel: str, instant: datetime) -> list[Rule]:
        """The rows of a kind in force for a contact and channel on the contact's date at an instant."""
        place = self.place(contact)
        day = place.local_date(instant, self.policy.report_timezone)
        return [
            rule for rule in self.rules if rule.kind == kind and rule.reaches(place, channel) and rule.is_in_force(day)
        ]

    @cached_property
    def contacts_of(self) -> dict[str, list[Row]]:
        """The rows of the contacts table by address."""
        return grouped(self.contacts, lambda row: str(row["contact"]))

    @cached_property
    def spans(self) -> list[Span]:
        """All spans, each with the deadline of the contact that began it."""

        def deadline_of(act: Event, channel: str) -> datetime:
            return deadline(act.requested_at, channel, self.place(act.contact), self.rules, self.policy)

        return spans(self.messages, self.events, self.person_of, self.policy, deadline_of)

    @cached_property
    def sent_after_opt_out(self) -> list[Finding]:
        """The findings of message_after_opt_out."""
        return findings(self.messages, self.spans, self.person_of, self.policy)

    @cached_property
    def judged(self) -> list[Message]:
        """The messages that the other message rules judge: marketing or unknown, and not inside a span."""
        inside = {(one.message.source, one.message.message_id) for one in self.sent_after_opt_out}
        return [one for one in self.messages if one.is_marketing and (one.source, one.message_id) not in inside]

    @cached_property
    def events_of_key(self) -> dict[Key, list[Event]]:
        """The events about each scope key."""
        pairs = keyed_events(self.messages, self.events, self.person_of, self.policy.scope)
        return {key: [event for _, event in group] for key, group in grouped(pairs, lambda pair: pair[0]).items()}

    def events_about(self, message: Message) -> list[Event]:
        """The events about a message's scope key."""
        return self.events_of_key.get(key_of(message, self.person_of, self.policy.scope), [])

    @cached_property
    def events_of_contact(self) -> dict[str, list[Event]]:
        """The events of each contact."""
        return grouped(self.events, lambda event: event.contact)

    def acts(self, contact: str, channel: str) -> list[Event]:
        """What a contact did about a channel, by name or about every one."""
        return [event for event in self.events_of_contact.get(contact, []) if event.channel in (channel, "*")]

    @cached_property
    def spans_of_owner(self) -> dict[str, list[Span]]:
        """The spans of each person or contact."""
        return grouped(self.spans, lambda span: span.key.owner)

    def spans_about(self, contact: str, channel: str | None) -> list[Span]:
        """The spans that cover a contact on a channel (None: on any), for any program."""
        owner = self.person_of.get(contact, contact) if self.policy.scope == "person" else contact
        found = self.spans_of_owner.get(owner, [])
        return [span for span in found if channel is None or span.key.channel in (channel, "*")]


def record_of(rows: Mapping[str, list[Row]], policy: Policy, book: Iterable[RuleRow], as_of: datetime | None) -> Record:
    """The record of accepted rows, versions not yet merged, under a policy and the rows of a rule book.

    What happened after `as_of` is not yet on record.
    """

    def is_known(instant: datetime | None) -> bool:
        return as_of is None or instant is None or instant <= as_of

    bodies = _versions(rows, "messages", "source", "message_id")
    acts = _versions(rows, "consent_events", "source", "event_id")
    messages = [
        replace(one, body=_first(bodies[one.source, one.message_id], "body", "sent_at"))
        for one in merged_messages(rows["messages"])
        if is_known(one.sent_at)
    ]
    events = [
        replace(
            one,
            **{
                column: _first(acts[one.source, one.event_id], column, "requested_at")
                for column in ("method", "actor", "source_type", "prechecked")
            },
        )
        for one in merged_events(rows["consent_events"])
        if is_known(one.requested_at)
    ]
    contacts = rows.get("contacts", [])
    listings = [row for row in contacts if is_known(row["listed_at"])]
    return Record(
        messages=messages,
        events=events,
        inbound=[one for one in _merged_inbound(rows) if is_known(one.received_at)],
        campaigns=_merged_campaigns(rows),
        contacts=contacts,
        listings=listings,
        person_of=persons(messages, events, contacts),
        policy=policy,
        rules=judging(book, policy),
        as_of=as_of,
    )


def _versions(rows: Mapping[str, list[Row]], table: str, *key: str) -> dict[tuple[Any, ...], list[Row]]:
    return grouped(rows.get(table, []), lambda row: tuple(row[column] for column in key))


def _first(versions: list[Row], column: str, time_column: str) -> Any:
    """The value of the earliest version that has one; of equally early ones the smallest; a time that is not said
    comes last."""
    told = [row for row in versions if row.get(column) is not None]
    if not told:
        return None
    times = [row[time_column] for row in told if row[time_column] is not None]
    earliest = [row for row in told if not times or row[time_column] == min(times)]
    return min(row[column] for row in earliest)


def _merged_inbound(rows: Mapping[str, list[Row]]) -> list[Inbound]:
    return [
        Inbound(
            source=source,
            inbound_id=inbound_id,
            channel=_first(versions, "channel", "received_at"),
            contact=_first(versions, "contact", "received_at"),
            program=_first(versions, "program", "received_at"),
            received_at=min(row["received_at"] for row in versions),
            text=_first(versions, "body", "received_at") or _first(versions, "button", "received_at"),
        )
        for (source, inbound_id), versions in _versions(rows, "inbound_messages", "source", "inbound_id").items()
    ]


def _merged_campaigns(rows: Mapping[str, list[Row]]) -> list[Campaign]:
    key = ("source", "campaign_id", "channel")
    merged = _versions(rows, "campaigns", *key)
    own = frozenset(source for source, _, _ in merged)
    return [
        Campaign(
            source=source,
            campaign_id=campaign_id,
            channel=channel,
            template_text=_first(versions, "template_text", "started_at"),
            respects_opt_outs=_first(versions, "respects_opt_outs", "started_at"),
            started_at=_first(versions, "started_at", "started_at"),
            own=own,
        )
        for (source, campaign_id, channel), versions in merged.items()
    ]
