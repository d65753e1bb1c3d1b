"""What core.inbound_messages must be before requests are read in it."""

from __future__ import annotations

from pipelines.canonical import CHANNELS
from pipelines.expectations._declare import column_allowed, columns_present, instant_plausible, no_offenders

RELATION = "core.inbound_messages"

EXPECTATIONS = [
    no_offenders(
        "inbound_messages_key_is_unique", "fitness", "No two inbound messages share a source and an inbound_id."
    ),
    *columns_present(
        "inbound_messages",
        ["source", "inbound_id", "channel", "contact_key", "received_at", "load_id", "row_number"],
    ),
    column_allowed("inbound_messages", "channel", CHANNELS),
    instant_plausible("inbound_messages", "received_at", ends_at_as_of=True),
]
