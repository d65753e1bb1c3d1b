"""The key question, answered a second time without spans: both answers must agree to the row."""

from __future__ import annotations

from pipelines import sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.expectations._declare import column_true

RELATION = "checks.opted_out_contacts"

EXPECTATIONS = [
    column_true(
        "no_marketing_message_went_to_an_opted_out_contact_unnoticed",
        "key",
        "Every marketing message that went to an opted-out contact, by an independent reckoning over all consent"
        " events, is found by the rule message_after_opt_out.",
        "is_found",
        checked="select count(*) from core.messages where message_class in ('marketing', 'unknown')",
    ),
    column_true(
        "no_message_is_wrongly_found_after_an_opt_out",
        "key",
        "Every message found by the rule message_after_opt_out went to an opted-out contact by that reckoning.",
        "is_inside",
        checked="select count(*) from audits.findings where rule = 'message_after_opt_out'",
    ),
]


def prepare(engine: DuckDBEngine) -> None:
    """Build the relation: the messages inside by this reckoning beside those the audit found."""
    engine.create(RELATION, sqlfiles.read(RELATION).text)
