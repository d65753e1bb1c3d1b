"""Acts and messages in a few lines of text, judged by the real SQL.

A line is: when, what, who, channel, program, applied (of an act) or status (of a message), and of a message what is
expected: a finding class, `@eN` for the act it must cite (the Nth of the example), `!` for one that was not
delivered, or `-` for no finding. `.` stands for nothing said. Days without a month are in October 2026; times are UTC.
`ann/p1` is the contact ann of the person p1. A line `lives` gives a contact's country and time zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.canonical import EVENT_TYPES
from pipelines.engines.duckdb import DuckDBEngine
from tests.support.core_database import build_core
from tests.support.histories import History
from tests.support.reference_spans import Policy

SEVERITIES = {
    "suppressed_by_provider": "warning",
    "sent_after_processing": "critical",
    "sent_past_deadline": "critical",
    "sent_in_flight": "notice",
}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-10-{text}" if text[2] == "T" else text).replace(tzinfo=UTC)


def _lines(text: str) -> Iterator[list[str | None]]:
    """The cells of each line, `.` as None, filled up to seven."""
    for line in text.strip().splitlines():
        cells = [None if cell == "." else cell for cell in line.split()]
        yield cells + [None] * (7 - len(cells))


def _add(history: History, prefix: str, text: str) -> dict[str, str]:
    """Add an example's rows, every name beginning with `prefix`; returns what is expected, by message id."""
    expected = {}
    for position, (at, what, who, channel, program, detail, expect) in enumerate(_lines(text), start=1):
        contact, _, person = str(who).partition("/")
        row: dict[str, Any] = {
            "source": "shop",
            "contact": f"{prefix}/{contact}",
            "channel": channel,
            "program": program,
        }
        if what == "lives":
            zone = {"contact": f"{prefix}/{contact}", "country": channel, "timezone": program}
            history.rows["contacts"].append({"source": "shop"} | zone)
            continue
        row["person_id"] = f"{prefix}/{person}" if person else None
        if what in EVENT_TYPES:
            number = sum(one["event_id"].startswith(f"{prefix}/") for one in history.rows["consent_events"]) + 1
            row |= {"event_id": f"{prefix}/e{number}", "event_type": what, "requested_at": _instant(str(at))}
            history.rows["consent_events"].append(row | {"processed_at": _instant(detail) if detail else None})
            continue
        row |= {"message_id": f"{prefix}/m{position}", "sent_at": _instant(str(at)), "status": detail}
        history.rows["messages"].append(row | {"message_class": None if what == "unsaid" else what})
        assert expect, f"{prefix}, line {position} does not say what is expected"
        expected[row["message_id"]] = f"{prefix}: {expect}"
    return expected


def disagreements(policy: Policy, examples: Mapping[str, str]) -> dict[str, dict[str, tuple[str, str]]]:
    """What each example expects of a message and what the rule says of it instead, by example and message."""
    history = History()
    expected = {name: _add(history, f"{number:02d}", text) for number, (name, text) in enumerate(examples.items())}
    with DuckDBEngine() as engine:
        build_core(engine, history, policy, Path())
        rows = engine.records("select * from audits.findings where rule = 'message_after_opt_out'")
    found = {}
    for row in rows:
        prefix, _, event = row["event_id"].partition("/")
        found[row["message_id"]] = f"{prefix}: {row['finding_class']}@{event}{'' if row['delivered'] else '!'}"
        assert row["severity"] == SEVERITIES[row["finding_class"]]
    assert len(found) == len(rows), "a message was found twice"
    different: dict[str, dict[str, tuple[str, str]]] = {name: {} for name in examples}
    for name, messages in expected.items():
        for message, expect in messages.items():
            actual = found.get(message, f"{message[:2]}: -")
            if actual != expect:
                different[name][message] = (expect, actual)
    return different
