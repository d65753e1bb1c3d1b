"""Findings of every rule in one shape, be they of the SQL, printed by the command line, or of the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.published import instant
from tests.support.reference_messages import RuleFinding

Found = tuple[Any, ...]
COLUMNS = (
    "rule",
    "finding_class",
    "severity",
    "source",
    "message_id",
    "event_id",
    "contact_key",
    "campaign_id",
    "occurred_at",
    "begins_at",
    "processed_at",
    "deadline_at",
)
#: Rules that cite the span their finding rests on.
_CITING = ("message_after_opt_out", "opt_out_not_honoured_in_time", "contact_still_listed")
#: Rules whose subject is an act of the contact's; the others are about a message or a campaign.
_ABOUT_ACTS = (
    "opt_out_not_honoured_in_time",
    "consent_from_forbidden_source",
    "confirmation_missing",
    "opt_in_without_act",
    "contact_still_listed",
)


def compared(told: Mapping[str, Any]) -> Found:
    """A finding by `COLUMNS`, without what its rule leaves open: records that it cites beside its subject."""
    row = {column: told[column] for column in COLUMNS}
    if row["rule"] in _ABOUT_ACTS:
        row |= {"message_id": None, "campaign_id": None}
    elif row["rule"] != "message_after_opt_out":
        row["event_id"] = None
    if row["rule"] not in _CITING:
        row |= {"begins_at": None, "processed_at": None, "deadline_at": None}
    return tuple(row.values())


def printed(row: Mapping[str, Any]) -> Found:
    """A row of `heed findings --format json`, without the contact's key, which depends on the home's secret."""
    times = {column: instant(row[column]) for column in COLUMNS if column.endswith("_at")}
    return compared({**row, **times, "contact_key": None})


def of_reference(finding: RuleFinding, keys: Mapping[str, int] | None = None) -> Found:
    """A finding of the reference; `keys` tells the contacts' keys."""
    key = keys[finding.contact] if keys is not None and finding.contact is not None else None
    return compared(vars(finding) | {"contact_key": key})


def shown(row: Found) -> str:
    """A finding in one line."""
    told = zip(COLUMNS, row, strict=True)
    return "  " + ", ".join(f"{column} {value}" for column, value in told if value is not None)
