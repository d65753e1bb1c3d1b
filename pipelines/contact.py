"""Everything held about one contact, in time order, from history: what was sent, what they said, what was recorded."""

from __future__ import annotations

import re
from typing import Any

from pipelines import build, identity
from pipelines.canonical import TABLES
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.ledger import Ledger
from pipelines.settings import Settings

COLUMNS = ("occurred_at", "kind", "source", "record_id", "channel", "program", "campaign_id", "what", "status",
           "processed_at", "method", "actor", "text", "file", "row_number")  # fmt: skip

_KINDS = {
    "messages": "'message', source, message_id, channel, program, campaign_id, coalesce(message_class, 'unknown'),"
    " coalesce(status, 'sent'), null, null, null, body",
    "consent_events": "'consent_event', source, event_id, channel, program, campaign_id, event_type, null,"
    " processed_at, method, actor, reason_text",
    "inbound_messages": "'inbound_message', source, inbound_id, channel, program, null, 'inbound', null, null, null,"
    " null, body",
}


def key_of(text: str, settings: Settings) -> int:
    """The contact_key of an address, however it is spelled, or of a key given as 16 hexadecimal digits.

    Raises ConfigurationError where the secret that history was keyed with is not at hand.
    """
    if re.fullmatch(r"[0-9a-f]{16}", text):
        value = int(text, 16)
        return value - (1 << 64) if value >= 1 << 63 else value
    address = identity.normalised_address(text, True, settings.policy.default_country)
    key = identity.load_key(settings.private, may_make=False)
    Ledger(settings.history).check_key(identity.key_check(key))
    return identity.contact_key(address, key)


def everything_about(text: str, settings: Settings) -> tuple[int, list[dict[str, Any]]]:
    """The contact's key and one row per delivered record, oldest first, each with its file and row."""
    key = key_of(text, settings)
    ledger = Ledger(settings.history)
    with DuckDBEngine() as engine:
        build.attach_history(engine, ledger)
        files = {load.load_id: load.file for load in ledger.loads}
        selects = [
            f"select {TABLES[table].instant}, {columns}, load_id, row_number from history.{table}"
            " where contact_key = $key"
            for table, columns in _KINDS.items()
        ]
        rows = engine.rows(" union all ".join(selects) + " order by 1, 2, 3, 4, 14, 15", {"key": key})
    found = []
    for row in rows:
        *values, load_id, row_number = row
        found.append(dict(zip(COLUMNS, [*values, files[load_id], row_number], strict=True)))
    return key, found
