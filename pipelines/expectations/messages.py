"""What core.messages must be before anything is counted in it."""

from __future__ import annotations

from pipelines.canonical import CHANNELS, MESSAGE_CLASSES, STATUSES
from pipelines.expectations._declare import column_allowed, columns_present, instant_plausible, no_offenders

RELATION = "core.messages"

EXPECTATIONS = [
    no_offenders("messages_key_is_unique", "fitness", "No two messages share a source and a message_id."),
    *columns_present(
        "messages",
        [
            "source",
            "message_id",
            "channel",
            "contact_key",
            "program",
            "message_class",
            "sent_at",
            "sent_on",
            "status",
            "is_marketing",
            "is_reached",
            "load_id",
            "row_number",
        ],
    ),
    column_allowed("messages", "channel", CHANNELS),
    column_allowed("messages", "message_class", MESSAGE_CLASSES),
    column_allowed("messages", "status", STATUSES),
    instant_plausible("messages", "sent_at", ends_at_as_of=True),
    instant_plausible("messages", "status_at", ends_at_as_of=False),
    no_offenders(
        "messages_flags_follow_class_and_status",
        "invariant",
        "Every message is marked as marketing and as having reached its contact exactly as its class and status say.",
    ),
]
