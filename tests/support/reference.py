"""The slow, obvious twin of heed: the same answers from the same files, in plain Python and from the definitions alone.

It is what the pipeline is held to, so it imports nothing of it, looks at one record at a time and never tries to be
quick. Reading and accounting are in `reference_reading`, spans and findings in `reference_spans`, numbers in
`reference_numbers`; this module merges versions, knows people apart and puts the whole answer together.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support.reference_numbers import (
    Rates,
    Reasons,
    ResponseTimes,
    Trend,
    feedback_reasons,
    opt_out_rates,
    opt_out_trend,
    opt_outs_not_reached,
    response_times,
    rolling_rates,
)
from tests.support.reference_reading import STATUSES, TIME_COLUMNS, Accounting, Delivery, Records, Row, read
from tests.support.reference_spans import Event, Finding, Message, Policy, Span, findings, spans


@dataclass(frozen=True)
class Answer:
    """Everything heed has to agree with for one home."""

    accounting: dict[Path, Accounting]
    as_of: datetime | None
    messages: list[Message]
    events: list[Event]
    spans: list[Span]
    findings: list[Finding]
    opt_out_rates: Rates
    opt_outs_not_reached: Rates
    response_times: ResponseTimes
    trend: Trend
    feedback_reasons: Reasons


def answer(deliveries: Iterable[Delivery], policy: Policy, loaded_at: datetime | None = None) -> Answer:
    """The whole answer for these files, read in this order, under this policy."""
    records = read(deliveries, policy.default_country, loaded_at)
    messages = merged_messages(records.rows["messages"])
    events = merged_events(records.rows["consent_events"])
    return answer_for(
        messages,
        events,
        persons(messages, events, records.rows["contacts"]),
        greatest_time(records),
        policy,
        records.accounting,
    )


def answer_for(
    messages: list[Message],
    events: list[Event],
    person_of: Mapping[str, str],
    as_of: datetime | None,
    policy: Policy,
    accounting: dict[Path, Accounting] | None = None,
) -> Answer:
    """The answer for records that are merged already; `person_of` maps an address to its person."""
    found = spans(messages, events, person_of, policy)
    return Answer(
        accounting=accounting or {},
        as_of=as_of,
        messages=messages,
        events=events,
        spans=found,
        findings=findings(messages, found, person_of, policy),
        opt_out_rates=opt_out_rates(messages, found, person_of, policy)
        | rolling_rates(messages, found, person_of, as_of, policy),
        opt_outs_not_reached=opt_outs_not_reached(messages, events, found, person_of, policy),
        response_times=response_times(found, as_of, policy),
        trend=opt_out_trend(messages, found, person_of, as_of, policy),
        feedback_reasons=feedback_reasons(found, policy),
    )


def deliveries_of(home: Path) -> list[Delivery]:
    """The files that the home's heed.toml names: sources in order, each one's files by name."""
    configuration = tomllib.loads((home / "heed.toml").read_text(encoding="utf-8"))
    return [
        Delivery(source["name"], source["table"], path, source.get("timezone"))
        for source in configuration.get("source", [])
        for path in sorted(home.glob(source["path"]))
    ]


def policy_of(home: Path) -> Policy:
    """The policy in the home's heed.toml, as far as the reference knows it."""
    configuration = tomllib.loads((home / "heed.toml").read_text(encoding="utf-8"))
    policy: dict[str, Any] = configuration.get("policy", {})
    return Policy(
        scope=policy.get("scope", "channel"),
        default_deadline=policy.get("default_deadline", "10bd"),
        report_timezone=policy.get("report_timezone", "UTC"),
        default_country=policy.get("default_country"),
    )


def merged_messages(rows: Iterable[Row]) -> list[Message]:
    """One message per (source, message_id), made of all its versions, whatever their order."""
    versions_of: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        versions_of[row["source"], row["message_id"]].append(row)
    return [
        Message(
            source=source,
            message_id=message_id,
            channel=_first(versions, "channel", "sent_at"),
            contact=_first(versions, "contact", "sent_at"),
            person_id=_first(versions, "person_id", "sent_at"),
            program=_first(versions, "program", "sent_at") or "default",
            campaign_id=_first(versions, "campaign_id", "sent_at"),
            message_class=_first(versions, "message_class", "sent_at") or "unknown",
            sent_at=min(version["sent_at"] for version in versions),
            status=_furthest_status(versions),
        )
        for (source, message_id), versions in sorted(versions_of.items())
    ]


def merged_events(rows: Iterable[Row]) -> list[Event]:
    """One consent event per (source, event_id), made of all its versions, whatever their order."""
    versions_of: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        versions_of[row["source"], row["event_id"]].append(row)
    return [
        Event(
            source=source,
            event_id=event_id,
            channel=_first(versions, "channel", "requested_at"),
            contact=_first(versions, "contact", "requested_at"),
            person_id=_first(versions, "person_id", "requested_at"),
            program=_first(versions, "program", "requested_at") or "*",
            event_type=_first(versions, "event_type", "requested_at"),
            requested_at=min(version["requested_at"] for version in versions),
            processed_at=min(
                (version["processed_at"] for version in versions if version["processed_at"] is not None), default=None
            ),
            reason_code=_first(versions, "reason_code", "requested_at"),
            reason_text=_first(versions, "reason_text", "requested_at"),
        )
        for (source, event_id), versions in sorted(versions_of.items())
    ]


def _first(versions: list[Row], column: str, time_column: str) -> Any:
    """The value of the earliest version that has one; of equally early ones the smallest text."""
    candidates = [(version[time_column], version[column]) for version in versions if version[column] is not None]
    return min(candidates)[1] if candidates else None


def _furthest_status(versions: list[Row]) -> str:
    statuses = [version["status"] for version in versions if version["status"] is not None]
    return max(statuses, key=STATUSES.index) if statuses else "sent"


def persons(messages: Iterable[Message], events: Iterable[Event], contacts: Iterable[Row]) -> dict[str, str]:
    """The person of each address that any message, consent event or row of the contact list gives one.

    Addresses that share a person id, and person ids that share an address, are one person, however long the
    chain; the smallest of their person ids names them.
    """
    given = [(message.contact, message.person_id) for message in messages]
    given += [(event.contact, event.person_id) for event in events]
    given += [(row["contact"], row["person_id"]) for row in contacts]
    return linked_persons((address, person_id) for address, person_id in given if person_id is not None)


def linked_persons(links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The smallest person id reachable from each address over (address, person id) links."""
    links = set(links)
    person_of: dict[str, str] = {}
    for address in {address for address, _ in links}:
        addresses, person_ids = {address}, set[str]()
        while True:
            more_person_ids = {person_id for linked, person_id in links if linked in addresses}
            more_addresses = {linked for linked, person_id in links if person_id in more_person_ids}
            if more_person_ids == person_ids and more_addresses == addresses:
                break
            person_ids, addresses = more_person_ids, more_addresses
        person_of[address] = min(person_ids)
    return person_of


def greatest_time(records: Records) -> datetime | None:
    """The latest timestamp in any time column of any accepted row; None where there is none."""
    return max(
        (
            row[column]
            for rows in records.rows.values()
            for row in rows
            for column in TIME_COLUMNS & row.keys()
            if row[column] is not None
        ),
        default=None,
    )
