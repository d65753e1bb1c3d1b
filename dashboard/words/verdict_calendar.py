"""English text of the calendar of verdicts, and of the days of a month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from dashboard.words import formats, texts

LEGEND = (
    "**F** Fail, with its number of violations · **P** Pass · **?** Cannot attest, hatched · **–** nothing on record. "
    "The stronger the red, the more violations. Click a cell, or choose one below."
)
LOGS = {
    "messages": "messages", "consent_events": "the consent log", "inbound_messages": "messages from contacts",
}  # fmt: skip
HEAD = "Verdict by channel and month"
CALENDAR_ALT = "Verdicts by channel, {first} to {last}: "
CELL = "Channel and month"
CHOOSE_CELL = "Choose a channel and a month"

FROM_TO = "{first} to {last}"
MONTHS_SHOWN = "Months shown"

NOTHING_ON_RECORD = "{channel}, {month}: nothing on record"

DAYS = "Day by day: {month}, {of}"
DAYS_ALT = "Violations on each day of {month}, {of}. {told}"
DAYS_READ = (
    "The number under the date is that of violations. **–** no message on record that day; **?** a log is silent for "
    "longer than its rhythm explains, so what is missing cannot be seen; both hatched. Days after the data's end are "
    "empty."
)
CHOOSE_MONTH = "Choose {month}"
DAY, CHOOSE_DAY = "The violations of a day", "Choose a day with violations"

WRONG = "{violations:violation|violations} on {wrong} of {days:day|days}, most on {worst} ({most})."
NONE_WRONG = "No violation on the {days:day|days} on record."
EMPTY = " {days:day|days} without a message."
LOG_OF = "{log} of {source}"
SILENT = " {days:day|days} in a silence of {logs}."

AFTER_END = "{day}: after the end of the data"


def in_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many of these months got which verdict."""
    counts = {word: sum(row["verdict"] == word for row in rows) for word in ("Fail", "Cannot attest", "Pass")}
    parts = [f"**{word}** {count}" for word, count in counts.items() if count]
    return f"Of {formats.plural(len(rows), 'month')}, all channels together: {', '.join(parts)}."


def name(channel: str) -> str:
    """A channel as the calendar has it."""
    return texts.ALL_CHANNELS if channel == "*" else texts.channel(channel)


def told(row: Mapping[str, Any]) -> str:
    """A verdict in a line: SMS, October 2026: Fail, 73 violations, 4,352 messages."""
    count = row["violation_count"]
    violations = f", {formats.plural(count, 'violation')}" if count else ""
    messages = formats.plural(row["message_count"], "message") if row["message_count"] else "no message on record"
    return f"{name(row['channel'])}, {formats.month(row['period_start'])}: {row['verdict']}{violations}, {messages}"


def day_option(day: date, count: int) -> str:
    """A day as it stands in a list to choose from: Monday 2 November 2026: 3 violations."""
    return f"{day:%A} {formats.day(day)}: {formats.plural(count, 'violation')}"


def day_note(day: date, rows: Sequence[Mapping[str, Any]], silent: Sequence[Mapping[str, Any]]) -> str:
    """What is said of a day on hovering: its channels, each with violations and messages."""
    parts = [
        f"{name(row['channel'])}: {formats.plural(row['violation_count'], 'violation')}, "
        f"{formats.plural(row['message_count'], 'message')}"
        for row in rows
    ] or ["nothing on record"]
    parts += [f"silent: {LOGS.get(one['log'], one['log'])} of {one['source']}" for one in silent]
    return f"{day:%A} {formats.day(day)}. {'; '.join(parts)}"
