"""Every rule of heed, one message and one act at a time, in plain Python: what the SQL of the audits is held to.

Part of the slow, obvious twin of the pipeline (see `tests.support.reference`): it imports nothing of it and knows its
definitions alone. Where a contact is, is in `reference_places`; rows of the rule book and deadlines in
`reference_deadlines`; what is on record in `reference_record`; the rules about single messages in
`reference_messages`. This module judges acts, campaigns and lists, and puts all findings together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from tests.support.reference_messages import (
    OPT_INS,
    RuleFinding,
    confirmation_late_repeated_and_with_marketing,
    confirmation_missing,
    message_after_opt_out,
    message_before_confirmation,
    message_in_quiet_hours,
    message_over_frequency_cap,
    message_without_consent,
    message_without_opt_out_instructions,
    opt_out_request_missed,
)
from tests.support.reference_reading import Row
from tests.support.reference_record import Record, grouped
from tests.support.reference_spans import Event, Span


def opt_out_not_honoured_in_time(record: Record) -> Iterator[RuleFinding]:
    """An opt-out applied after its deadline, or past it without proof that it was."""
    for span in record.spans:
        if span.kind != "opt_out":
            continue
        if span.processed_at is not None:
            if span.processed_at > span.deadline_at:
                yield _of_span(span, "opt_out_not_honoured_in_time", "processed_late", "high", span.deadline_at)
        elif (
            record.as_of is not None
            and record.as_of > span.deadline_at
            and not (span.ends_at is not None and span.ends_at <= span.deadline_at)
        ):
            yield _of_span(span, "opt_out_not_honoured_in_time", "not_processed", "warning", span.deadline_at)


def contact_still_listed(record: Record) -> Iterator[RuleFinding]:
    """A contact on an audience list after its opt-out had been, or had to be, applied: one finding per list."""
    for (_, contact), rows in grouped(record.listings, lambda row: (row["source"], str(row["contact"]))).items():
        newest = max(rows, key=_listed_at)
        listed_at = newest.get("listed_at") or record.as_of
        if not newest.get("listed") or listed_at is None:
            continue
        ignored = [
            span
            for span in record.spans_about(contact, None)
            if span.kind == "opt_out"
            and span.contains(listed_at)
            and listed_at > (span.processed_at or span.deadline_at)
        ]
        if ignored:
            first = min(ignored, key=lambda span: span.begins_at)
            yield replace(
                _of_span(first, "contact_still_listed", "still_listed", "warning", listed_at), contact=contact
            )


def _listed_at(row: Row) -> datetime:
    return row.get("listed_at") or datetime(1, 1, 1, tzinfo=UTC)


def _of_span(span: Span, rule: str, finding_class: str, severity: str, occurred_at: datetime) -> RuleFinding:
    act = span.acts[0]
    return RuleFinding(
        rule=rule,
        finding_class=finding_class,
        severity=severity,
        occurred_at=occurred_at,
        source=act.source,
        event_id=act.event_id,
        contact=act.contact,
        channel=span.key.channel,
        begins_at=span.begins_at,
        processed_at=span.processed_at,
        deadline_at=span.deadline_at,
    )


def consent_from_forbidden_source(record: Record) -> Iterator[RuleFinding]:
    """Consent that was bought, scraped or ticked beforehand."""
    for event in record.events:
        if event.event_type not in OPT_INS:
            continue
        if event.source_type is not None and event.source_type in record.policy.forbidden_sources:
            yield _of_event(event, "consent_from_forbidden_source", event.source_type)
        elif event.prechecked:
            yield _of_event(event, "consent_from_forbidden_source", "prechecked_box")


def opt_in_without_act(record: Record) -> Iterator[RuleFinding]:
    """An opt-out undone by somebody other than the contact."""
    found: dict[tuple[str, str], RuleFinding] = {}
    for span in record.spans:
        if span.kind != "opt_out" or span.ends_at is None:
            continue
        ending = [
            event
            for event in record.events_of_key[span.key]
            if event.event_type in OPT_INS and event.requested_at == span.ends_at
        ]
        if any(_is_act_of_contact(event) for event in ending):
            continue
        for event in ending:
            found[event.source, event.event_id] = _of_event(event, "opt_in_without_act", event.actor or "import")
    yield from found.values()


def _is_act_of_contact(event: Event) -> bool:
    return event.actor == "contact" or (event.actor is None and event.method != "import")


def _of_event(event: Event, rule: str, finding_class: str) -> RuleFinding:
    return RuleFinding(
        rule=rule,
        finding_class=finding_class,
        severity="high",
        occurred_at=event.requested_at,
        source=event.source,
        event_id=event.event_id,
        contact=event.contact,
        channel=event.channel,
    )


def campaign_ignores_opt_outs(record: Record) -> Iterator[RuleFinding]:
    """A campaign whose suppression was switched off."""
    for campaign in record.campaigns:
        messages = [message for message in record.messages if campaign.has(message)]
        is_excused = messages and not any(message.is_marketing for message in messages)
        if campaign.respects_opt_outs is False and not is_excused:
            yield RuleFinding(
                rule="campaign_ignores_opt_outs",
                finding_class="suppression_off",
                severity="high",
                occurred_at=campaign.started_at or min((message.sent_at for message in messages), default=record.as_of),
                source=campaign.source,
                channel=campaign.channel,
                campaign_id=campaign.campaign_id,
            )


RULES: tuple[Callable[[Record], Iterator[RuleFinding]], ...] = (
    message_after_opt_out,
    opt_out_not_honoured_in_time,
    message_without_consent,
    message_before_confirmation,
    consent_from_forbidden_source,
    message_in_quiet_hours,
    message_over_frequency_cap,
    confirmation_missing,
    confirmation_late_repeated_and_with_marketing,
    opt_out_request_missed,
    opt_in_without_act,
    message_without_opt_out_instructions,
    campaign_ignores_opt_outs,
    contact_still_listed,
)


def all_findings(record: Record) -> list[RuleFinding]:
    """Every finding of every rule."""
    return [finding for rule in RULES for finding in rule(record)]
