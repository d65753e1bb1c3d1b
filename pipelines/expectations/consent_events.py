"""What core.consent_events must be before spans are drawn from it."""

from __future__ import annotations

from pipelines.canonical import CHANNELS, EVENT_TYPES, EVERY_CHANNEL
from pipelines.expectations._declare import column_allowed, columns_present, instant_plausible, no_offenders

RELATION = "core.consent_events"

EXPECTATIONS = [
    no_offenders("consent_events_key_is_unique", "fitness", "No two consent events share a source and an event_id."),
    *columns_present(
        "consent_events",
        [
            "source",
            "event_id",
            "channel",
            "contact_key",
            "program",
            "event_type",
            "requested_at",
            "requested_on",
            "load_id",
            "row_number",
        ],
    ),
    column_allowed("consent_events", "channel", (*CHANNELS, EVERY_CHANNEL)),
    column_allowed("consent_events", "event_type", EVENT_TYPES),
    instant_plausible("consent_events", "requested_at", ends_at_as_of=True),
    instant_plausible("consent_events", "processed_at", ends_at_as_of=False),
]
