"""The rules about single messages: consent, quiet hours, caps, confirmations, instructions, missed requests.

Part of the slow, obvious twin of the pipeline (see `tests.support.reference_rules`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from tests.support.reference_deadlines import Rule, cap_of, quiet_certainty, severest
from tests.support.reference_places import CERTAIN, POSSIBLE, UNKNOWN
from tests.support.reference_record import Inbound, Record, grouped
from tests.support.reference_spans import Event, Message

#: Statuses of a message that went out; an attempt that failed confirms nothing, and the next one is no repetition.
SENT = frozenset({"accepted", "sent", "delivered", "read"})
OPT_INS = frozenset({"opt_in", "opt_in_confirmed"})
REFUSALS = frozenset({"opt_out", "complaint", "block"})

#: Texts whose reading is sure, so that how heed reads words is not part of the twin.
OPT_OUT_REQUESTS = {
    "STOP": "certain",
    "stop texting me": "certain",
    "why do you keep texting me": "possible",
    "thanks!": None,
}
INSTRUCTING = {
    "Sale today. Reply STOP to opt out.": True,
    "New shoes are in. Unsubscribe: https://example.com/unsubscribe": True,
    "Our shop opens at nine.": False,
    "Save 20% today only! Shop now: https://example.com/sale": False,
}
CONFIRMING = {
    "You are unsubscribed and will receive no more messages.": False,
    "You are unsubscribed. Miss us already? Save 20% today only! Shop now: https://example.com/sale": True,
}


@dataclass(frozen=True)
class RuleFinding:
    """One finding. Subject and citation are empty where a rule has none; `contact` is the normalised address."""

    rule: str
    finding_class: str
    severity: str
    occurred_at: datetime | None
    source: str | None = None
    message_id: str | None = None
    event_id: str | None = None
    contact: str | None = None
    channel: str | None = None
    campaign_id: str | None = None
    begins_at: datetime | None = None
    processed_at: datetime | None = None
    deadline_at: datetime | None = None


def of_message(message: Message, rule: str, finding_class: str, severity: str) -> RuleFinding:
    """A finding about a message."""
    return RuleFinding(
        rule=rule,
        finding_class=finding_class,
        severity=severity,
        occurred_at=message.sent_at,
        source=message.source,
        message_id=message.message_id,
        contact=message.contact,
        channel=message.channel,
        campaign_id=message.campaign_id,
    )


def message_after_opt_out(record: Record) -> Iterator[RuleFinding]:
    """Marketing between an opt-out and the next opt-in."""
    for found in record.sent_after_opt_out:
        plain = of_message(found.message, "message_after_opt_out", found.finding_class, found.severity)
        yield RuleFinding(
            **{
                **vars(plain),
                "event_id": found.span.acts[0].event_id,
                "begins_at": found.span.begins_at,
                "processed_at": found.span.processed_at,
                "deadline_at": found.span.deadline_at,
            }
        )


def message_without_consent(record: Record) -> Iterator[RuleFinding]:
    """Marketing to a contact that nothing on record says ever opted in."""
    for message in record.judged:
        if _has(record, message, OPT_INS) or _only_requested(record, message):
            continue
        rows = record.rules_for("consent_required", message.contact, message.channel, message.sent_at)
        found = partial(of_message, message, "message_without_consent")
        if not any(event.event_type in OPT_INS and event.channel in (message.channel, "*") for event in record.events):
            yield found("no_consent_log", "warning" if rows else "notice")
        else:
            place = record.place(message.contact)
            yield found("no_consent_on_record", severest(row.severity_in(place) for row in rows) if rows else "notice")


def message_before_confirmation(record: Record) -> Iterator[RuleFinding]:
    """Marketing to a contact that has asked for it, and has not confirmed."""
    for message in record.judged:
        if not _has(record, message, OPT_INS) and _only_requested(record, message):
            yield of_message(message, "message_before_confirmation", "only_requested", "high")


def _has(record: Record, message: Message, event_types: frozenset[str]) -> bool:
    return any(
        event.event_type in event_types and event.requested_at <= message.sent_at
        for event in record.events_about(message)
    )


def _only_requested(record: Record, message: Message) -> bool:
    return record.policy.double_opt_in and _has(record, message, frozenset({"opt_in_requested"}))


def message_in_quiet_hours(record: Record) -> Iterator[RuleFinding]:
    """Marketing at a time of day at which a row asks for quiet."""
    for message in record.judged:
        place = record.place(message.contact)
        broken: dict[str, list[Rule]] = {}
        for rule in record.rules_for("quiet_hours", message.contact, message.channel, message.sent_at):
            certainty = quiet_certainty(rule, place, message.sent_at)
            if certainty:
                broken.setdefault(certainty, []).append(rule)
        found = partial(of_message, message, "message_in_quiet_hours")
        if CERTAIN in broken:
            yield found("certain", severest(rule.severity for rule in broken[CERTAIN]))
        elif POSSIBLE in broken:
            yield found("possible", "warning")
        elif UNKNOWN in broken:
            yield found("unknown", "notice")


def message_over_frequency_cap(record: Record) -> Iterator[RuleFinding]:
    """More marketing to one contact on one channel than a cap allows."""
    reaching = [message for message in record.judged if message.is_reached]
    for messages in grouped(reaching, lambda one: (one.contact, one.channel)).values():
        for message in messages:
            rows = record.rules_for("frequency_cap", message.contact, message.channel, message.sent_at)
            exceeded = [rule for rule in rows if _count(messages, message, cap_of(rule)[1]) > cap_of(rule)[0]]
            found = partial(of_message, message, "message_over_frequency_cap")
            cap = record.policy.frequency_cap
            if exceeded:
                place = record.place(message.contact)
                yield found("over_legal_cap", severest(rule.severity_in(place) for rule in exceeded))
            elif cap is not None and _count(messages, message, cap[1]) > cap[0]:
                yield found("over_policy_cap", "warning")


def _count(messages: list[Message], last: Message, window: timedelta) -> int:
    """How many of the messages were sent in the window that ends with this one; of ties those of smaller id."""
    end = (last.sent_at, last.message_id, last.source)
    return sum(
        last.sent_at - window < one.sent_at and (one.sent_at, one.message_id, one.source) <= end for one in messages
    )


def message_without_opt_out_instructions(record: Record) -> Iterator[RuleFinding]:
    """Marketing whose known text tells no way out."""
    for message in record.judged:
        if message.channel in ("sms", "rcs", "email"):
            texts = [message.body] if message.body else _templates(record, message)
            if not all(INSTRUCTING[text] for text in texts):
                yield of_message(message, "message_without_opt_out_instructions", "no_instructions", "warning")


def _templates(record: Record, message: Message) -> list[str]:
    texts = [campaign.template_text for campaign in record.campaigns if campaign.has(message)]
    return [text for text in texts if text]


def opt_out_request_missed(record: Record) -> Iterator[RuleFinding]:
    """A text that asks for no more, with no opt-out on record within a day."""
    for inbound in record.inbound:
        finding_class = OPT_OUT_REQUESTS[inbound.text] if inbound.text else None
        if finding_class and not _is_answered(record, inbound):
            yield RuleFinding(
                rule="opt_out_request_missed",
                finding_class=finding_class,
                severity=_severity_of_request(record, inbound, finding_class),
                occurred_at=inbound.received_at,
                source=inbound.source,
                message_id=inbound.inbound_id,
                contact=inbound.contact,
                channel=inbound.channel,
            )


def _severity_of_request(record: Record, inbound: Inbound, finding_class: str) -> str:
    if _is_opted_out(record, inbound):
        return "notice"
    return "high" if finding_class == "certain" else "warning"


def _is_opted_out(record: Record, inbound: Inbound) -> bool:
    """Whether its contact was opted out already; a text without a program is of program `default`, as a message is."""
    return any(
        span.contains(inbound.received_at) and span.key.program in (inbound.program or "default", "*")
        for span in record.spans_about(inbound.contact, inbound.channel)
    )


def _is_answered(record: Record, inbound: Inbound) -> bool:
    return any(
        act.event_type in REFUSALS
        and inbound.received_at <= act.requested_at <= inbound.received_at + timedelta(hours=24)
        for act in record.acts(inbound.contact, inbound.channel)
    )


# Confirmations


def _confirmations_after(record: Record, act: Event, channel: str) -> list[Message]:
    """The confirmations to the act's contact on a channel, from the act on and before the contact's next act there.

    One at the very instant of the act confirms it: clocks of providers show whole seconds.
    """
    later = [one.requested_at for one in record.acts(act.contact, channel) if one.requested_at > act.requested_at]
    next_act = min(later, default=None)
    found = [
        one
        for one in record.messages
        if one.message_class == "confirmation"
        and one.status in SENT
        and one.contact == act.contact
        and one.channel == channel
        and act.requested_at <= one.sent_at
        and (next_act is None or one.sent_at < next_act)
    ]
    return sorted(found, key=lambda one: (one.sent_at, one.source, one.message_id))


def confirmation_late_repeated_and_with_marketing(record: Record) -> Iterator[RuleFinding]:
    """What is wrong with the confirmations that answer an opt-out: the first too late, any further one, an offer."""
    # Two records of an opt-out at one instant are one act as far as its confirmations go.
    acts = {
        (event.contact, channel, event.requested_at): event
        for event in record.events
        if event.event_type == "opt_out"
        for channel in ([event.channel] if event.channel != "*" else sorted({one.channel for one in record.messages}))
    }
    for (_, channel, requested_at), act in acts.items():
        for position, message in enumerate(_confirmations_after(record, act, channel)):
            if position:
                yield of_message(message, "confirmation_repeated", "repeated", "high")
            elif message.sent_at > requested_at + record.policy.confirmation_window:
                yield of_message(message, "confirmation_late", "late", "warning")
            if message.body and CONFIRMING[message.body]:
                yield of_message(message, "confirmation_with_marketing", "marketing_text", "high")


def confirmation_missing(record: Record) -> Iterator[RuleFinding]:
    """An opt-out by text that nothing confirmed, where confirmations are expected."""
    beginnings = {
        (span.acts[0].source, span.acts[0].event_id): span.acts[0] for span in record.spans if span.kind == "opt_out"
    }
    confirmed_channels = {one.channel for one in record.messages if one.message_class == "confirmation"}
    for act in beginnings.values():
        if not (
            act.event_type == "opt_out"
            and act.channel in ("sms", "rcs")
            and act.method in (None, "keyword")
            and act.actor in (None, "contact")
        ):
            continue
        rows = record.rules_for("confirmation", act.contact, act.channel, act.requested_at)
        is_expected = bool(rows) or act.channel in confirmed_channels
        is_over = record.as_of is not None and record.as_of > act.requested_at + record.policy.confirmation_window
        if is_expected and is_over and not _confirmations_after(record, act, act.channel):
            yield RuleFinding(
                rule="confirmation_missing",
                finding_class="no_confirmation",
                severity="notice",
                occurred_at=act.requested_at,
                source=act.source,
                event_id=act.event_id,
                contact=act.contact,
                channel=act.channel,
            )
