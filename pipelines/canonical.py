"""The canonical tables: their columns, types, required values and allowed words.

Every connector turns provider files into rows of these tables; `load` checks the rows against them.
"""

from __future__ import annotations

from dataclasses import dataclass

CHANNELS = (
    "sms",
    "rcs",
    "whatsapp",
    "email",
    "push",
    "voice",
    "messenger",
    "instagram",
    "telegram",
    "line",
    "viber",
    "other",
)
#: Channels whose bare digits are a phone number.
PHONE_CHANNELS = ("sms", "rcs", "whatsapp", "voice", "viber")
EVERY_CHANNEL = "*"

STATUSES = ("accepted", "sent", "delivered", "read", "undelivered", "failed", "suppressed")
MESSAGE_CLASSES = ("marketing", "transactional", "confirmation", "unknown")
EVENT_TYPES = ("opt_in", "opt_in_requested", "opt_in_confirmed", "opt_out", "block", "unblock", "complaint")
METHODS = (
    "keyword",
    "button",
    "link",
    "one_click",
    "preference_center",
    "web_form",
    "agent",
    "verbal",
    "import",
    "api",
    "provider",
)
ACTORS = ("contact", "operator", "import", "system", "provider")
SOURCE_TYPES = ("own_web", "ad_campaign", "offline", "referral", "purchased", "scraped", "unknown")

#: Other spellings that mean one of our words, by column.
SYNONYMS = {"channel": {"mms": "sms"}}


@dataclass(frozen=True)
class Column:
    """One canonical column: `kind` is text, free_text (kept as written), word, instant, number, boolean or contact.

    A label is a text that is published: addresses in it do not come in.
    """

    name: str
    kind: str = "text"
    required: bool = False
    words: tuple[str, ...] = ()
    is_label: bool = False

    @property
    def sql_type(self) -> str:
        """The DuckDB type in which history holds it."""
        return {"instant": "TIMESTAMPTZ", "number": "DOUBLE", "boolean": "BOOLEAN", "contact": "BIGINT"}.get(
            self.kind, "VARCHAR"
        )

    @property
    def stored_name(self) -> str:
        """Its name in history: the address itself is not stored, its key is."""
        return "contact_key" if self.kind == "contact" else self.name


@dataclass(frozen=True)
class Table:
    """One canonical table: its columns, its key (within a source) and the instant that orders its versions."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    instant: str | None

    def column(self, name: str) -> Column:
        """The column called `name`."""
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def stored_names(self) -> tuple[str, ...]:
        """Column names in history, in order."""
        return tuple(column.stored_name for column in self.columns)

    @property
    def stored_key(self) -> tuple[str, ...]:
        """The names of its key columns in history."""
        return tuple(self.column(name).stored_name for name in self.key)

    @property
    def instants(self) -> tuple[str, ...]:
        """The names of its time columns."""
        return tuple(column.name for column in self.columns if column.kind == "instant")


def _text(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name) for name in names)


def _labels(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, is_label=True) for name in names)


MESSAGES = Table(
    "messages",
    (
        Column("message_id", required=True),
        Column("channel", "word", True, CHANNELS),
        Column("contact", "contact", True),
        *_text("person_id", "sender", "program", "campaign_id"),
        Column("message_class", "word", words=MESSAGE_CLASSES),
        Column("sent_at", "instant", True),
        Column("status", "word", words=STATUSES),
        Column("status_at", "instant"),
        *_text("error_code"),
        Column("price", "number"),
        *_text("currency"),
        Column("body", "free_text"),
        *_text("template_id"),
    ),
    ("message_id",),
    "sent_at",
)

INBOUND_MESSAGES = Table(
    "inbound_messages",
    (
        Column("inbound_id", required=True),
        Column("channel", "word", True, CHANNELS),
        Column("contact", "contact", True),
        Column("received_at", "instant", True),
        *_text("sender", "program"),
        Column("body", "free_text"),
        Column("button", "free_text"),
    ),
    ("inbound_id",),
    "received_at",
)

CONSENT_EVENTS = Table(
    "consent_events",
    (
        *_text("event_id"),
        Column("channel", "word", True, (*CHANNELS, EVERY_CHANNEL)),
        Column("contact", "contact", True),
        *_text("person_id", "program"),
        Column("event_type", "word", True, EVENT_TYPES),
        Column("requested_at", "instant", True),
        Column("processed_at", "instant"),
        Column("method", "word", words=METHODS),
        Column("actor", "word", words=ACTORS),
        Column("source_type", "word", words=SOURCE_TYPES),
        *_labels("consent_source"),
        Column("consent_text", "free_text"),
        Column("prechecked", "boolean"),
        Column("proof", "free_text"),
        *_labels("reason_code"),
        Column("reason_text", "free_text"),
        *_text("campaign_id", "message_id"),
    ),
    ("event_id",),
    "requested_at",
)

CAMPAIGNS = Table(
    "campaigns",
    (
        Column("campaign_id", required=True),
        Column("channel", "word", words=CHANNELS),
        *_labels("program", "name", "language"),
        Column("template_text", "free_text"),
        Column("respects_opt_outs", "boolean"),
        Column("started_at", "instant"),
    ),
    ("campaign_id", "channel"),
    None,
)

CONTACTS = Table(
    "contacts",
    (
        Column("contact", "contact", True),
        *_text("person_id"),
        *_labels("country", "region", "timezone"),
        Column("listed", "boolean"),
        Column("listed_at", "instant"),
    ),
    ("contact",),
    None,
)

TABLES: dict[str, Table] = {
    table.name: table for table in (MESSAGES, INBOUND_MESSAGES, CONSENT_EVENTS, CAMPAIGNS, CONTACTS)
}
