"""What the findings of a made snapshot rest on: ids, counts, and the records of their contacts."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

from pipelines import sqlfiles
from tests.support.snapshot_numbers import Row

#: The real view: what a snapshot says of a contact in time order.
TIMELINE = sqlfiles.read("published.timeline").text
_RANK = {"critical": 1, "high": 2, "warning": 3, "notice": 4}
_GROUP = (
    "period_start", "rule", "finding_class", "severity", "channel", "program", "campaign_id", "legal_rule_id",
    "is_waived",
)  # fmt: skip


def in_order(findings: list[Row]) -> list[Row]:
    """Findings as they are published: each with its id, the worst first."""
    texts = ("source", "message_id", "event_id", "rule")

    def place(one: Row) -> tuple[Any, ...]:
        # Nulls last, as DuckDB has them.
        named = [part for name in texts for part in (one.get(name) is None, one.get(name) or "")]
        return (_RANK[one["severity"]], -one["occurred_at"].timestamp(), *named)

    about = ("rule", "source", "message_id", "event_id", "contact_key", "channel", "program", "campaign_id", "details")
    return [
        {"finding_id": hashlib.sha256(repr([one.get(name) for name in about]).encode()).hexdigest()[:16]} | one
        for one in sorted(findings, key=place)
    ]


def counted(findings: list[Row], timezone: str) -> dict[str, list[Row]]:
    """The published counts of findings, and of the messages they are about."""
    groups: Counter[tuple[Any, ...]] = Counter()
    messages: dict[tuple[Any, ...], set[Any]] = {}
    for one in findings:
        month = one["occurred_at"].astimezone(ZoneInfo(timezone)).date().replace(day=1)
        row = one | {"period_start": month, "is_waived": one.get("waived_by") is not None}
        groups[tuple(row.get(name) for name in _GROUP)] += 1
        if one.get("message_id") and one["rule"] != "opt_out_request_missed":
            key = (month, one["channel"], one.get("program"), one.get("campaign_id"))
            messages.setdefault(key, set()).add((one["source"], one["message_id"]))
    names = ("period_start", "channel", "program", "campaign_id")
    return {
        "metrics.finding_groups": [
            dict(zip(_GROUP, group, strict=True)) | {"finding_count": count} for group, count in groups.items()
        ],
        "metrics.found_messages": [
            dict(zip(names, key, strict=True)) | {"message_count": len(found)} for key, found in messages.items()
        ],
    }


def records(timeline: list[Row]) -> dict[str, list[Row]]:
    """The messages, consent events and inbound messages that a timeline shows."""
    made: dict[str, list[Row]] = {"core.messages": [], "core.consent_events": [], "core.inbound_messages": []}
    for one in timeline:
        at, record_id = one["occurred_at"], one["record_id"]
        if one["kind"] == "message":
            about = {"message_id": record_id, "sent_at": at, "message_class": one["what"]}
            flags = {"is_marketing": one["what"] == "marketing", "is_reached": one["status"] == "delivered"}
            made["core.messages"].append(one | about | flags)
        elif one["kind"] == "consent_event":
            about = {"event_id": record_id, "requested_at": at, "event_type": one["what"]}
            made["core.consent_events"].append(one | about)
        else:
            made["core.inbound_messages"].append(one | {"inbound_id": record_id, "received_at": at})
    return made
