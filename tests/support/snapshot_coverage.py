"""The coverage of made logs: a gateway silent for three weeks, a messenger for six days, a mailer without a rhythm."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

Row = dict[str, Any]
Log = tuple[str, str, str]
GATEWAY: Log = ("messages", "sms", "gateway")
MESSENGER: Log = ("messages", "whatsapp", "messenger")
#: The last day with a record before a silence, and the first after it.
SILENT = {GATEWAY: (date(2026, 3, 9), date(2026, 4, 1)), MESSENGER: (date(2026, 10, 5), date(2026, 10, 12))}


def tables(first: date, last: date, kind: str) -> dict[str, list[Row]]:
    """metrics.log_coverage, log_weeks and silences: in a clean snapshot no log is silent."""
    whole = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    silent = {} if kind == "clean" else SILENT

    def heard(log: Log) -> list[date]:
        before, after = silent.get(log, (date.max, date.max))
        return [day for day in whole if not before < day < after]

    logs = {
        GATEWAY: heard(GATEWAY),
        MESSENGER: [day for day in heard(MESSENGER) if day.weekday() != 6],
        ("messages", "email", "mailer"): whole[::40],
        ("consent_events", "*", "gateway"): whole[::2],
        ("inbound_messages", "sms", "gateway"): whole,
    }
    return {
        "metrics.log_coverage": [_coverage(log, days, is_silent=log in silent) for log, days in logs.items()],
        "metrics.log_weeks": [row for log, days in logs.items() for row in _weeks(log, days)],
        "metrics.silences": [_silence(log, before, after) for log, (before, after) in silent.items()],
    }


def _silence(log: Log, before: date, after: date) -> Row:
    named = dict(zip(("log", "channel", "source"), log, strict=True))
    return named | {"last_on": before, "resumes_on": after, "gap_days": float((after - before).days)}


def _coverage(log: Log, days: list[date], *, is_silent: bool) -> Row:
    gap, before, after = max(((b - a).days, a, b) for a, b in pairwise(days))
    return {
        "log": log[0], "channel": log[1], "source": log[2], "first_on": days[0], "last_on": days[-1],
        "day_count": len(days), "record_count": len(days) * 120,
        "empty_day_count": (days[-1] - days[0]).days + 1 - len(days), "longest_gap_days": float(gap),
        "longest_gap_from": before, "longest_gap_to": after,
        "silent_above_days": None if log[2] == "mailer" else 7.0, "silence_count": int(is_silent),
    }  # fmt: skip


def _weeks(log: Log, days: list[date]) -> list[Row]:
    counted: dict[date, int] = {}
    for day in days:
        monday = day - timedelta(days=day.weekday())
        counted[monday] = counted.get(monday, 0) + 1
    return [
        {"log": log[0], "channel": log[1], "source": log[2], "week_start": monday, "day_count": count,
         "record_count": count * 120}
        for monday, count in counted.items()
    ]  # fmt: skip


def quarantine_examples() -> list[Row]:
    """An example of each refused row that the made snapshot counts."""
    rows = [
        ("load-0002", "timestamp_without_zone", "sent_at", 120, "sent_at: 9999-99-99 99:99:99"),
        ("load-0004", "contact_missing", "contact", 17, "contact: (empty)"),
        ("load-0005", "timestamp_implausible", "sent_at", 3, "id: aaaaa.AaaAAA9999, timestamp: 9"),
    ]
    names = ("load_id", "reason", "column_name", "row_number", "shape")
    return [dict(zip(names, row, strict=True)) for row in rows]
