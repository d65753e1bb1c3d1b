"""The rule opt_out_request_missed and the metric reply_regimes by example, through the real SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from pipelines import build, sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.replies import build_readings
from tests.support.working_database import Row, insert, working_database

RECEIVED = "2026-10-05 14:00:00+00"


@contextmanager
def judged(inbound: Sequence[Row], events: Sequence[Row] = (), spans: Sequence[Row] = ()) -> Iterator[DuckDBEngine]:
    """A database with these records, the rule's findings and the metric."""
    with working_database() as engine:
        build.write_reference(engine)
        for position, row in enumerate(inbound, start=1):
            insert(engine, "core.inbound_messages", {"inbound_id": f"i{position}", "received_at": RECEIVED} | dict(row))
        for position, row in enumerate(events, start=1):
            insert(engine, "core.consent_events", {"event_id": f"e{position}", "requested_at": RECEIVED} | dict(row))
        for row in spans:
            insert(engine, "core.span_coverage", row)
        build_readings(engine)
        for relation in ("core.inbound_requests", "audits.opt_out_request_missed", "metrics.reply_regimes"):
            engine.create(relation, sqlfiles.read(relation).text)
        yield engine


def found(inbound: Sequence[Row], events: Sequence[Row] = (), spans: Sequence[Row] = ()) -> list[str]:
    """The findings as "inbound id class severity"."""
    with judged(inbound, events, spans) as engine:
        rows = engine.rows(
            "select message_id, finding_class, severity from audits.opt_out_request_missed order by message_id"
        )
    return [" ".join(row) for row in rows]


def test_what_reads_as_a_request_and_is_not_on_record_is_found() -> None:
    inbound = [{"body": body} for body in ("Stop", "not interested", "I can't stop smiling", "thanks!", "", "HELP")]
    assert found(inbound) == ["i1 certain high", "i2 possible warning"]


def test_a_button_counts_like_a_text_and_a_quoted_text_does_not() -> None:
    inbound: list[Row] = [
        {"body": None, "button": "Stop promotions"},
        {"body": "Thanks", "button": "STOP"},
        {"body": "Liked “Sale today. Reply STOP to opt out”"},
        {"body": None, "button": "See offers"},
    ]
    assert found(inbound) == ["i1 certain high", "i2 certain high"]


#: What is on record beside a certain request by sms of contact 1 at 14:00, and whether the request counts as recorded.
ON_RECORD: dict[str, tuple[Row, bool]] = {
    "at the same instant": ({}, True),
    "a microsecond before": ({"requested_at": "2026-10-05 13:59:59.999999+00"}, False),
    "24 hours after": ({"requested_at": "2026-10-06 14:00:00+00"}, True),
    "a microsecond more": ({"requested_at": "2026-10-06 14:00:00.000001+00"}, False),
    "a complaint": ({"event_type": "complaint"}, True),
    "a block": ({"event_type": "block"}, True),
    "an opt-in": ({"event_type": "opt_in"}, False),
    "an opt-in asked for": ({"event_type": "opt_in_requested"}, False),
    "an end of a block": ({"event_type": "unblock"}, False),
    "on every channel": ({"channel": "*"}, True),
    "on another channel": ({"channel": "whatsapp"}, False),
    "of another contact": ({"contact_key": 2}, False),
    "of another source": ({"source": "crm"}, True),
    "of one program": ({"program": "news"}, True),
}


@pytest.mark.parametrize("case", ON_RECORD)
def test_what_counts_as_recorded(case: str) -> None:
    event, is_recorded = ON_RECORD[case]
    assert found([{"body": "STOP"}], [event]) == ([] if is_recorded else ["i1 certain high"])


#: A span of contact 1, and whether a request by sms to the program `default` at 14:00 lies inside.
SPANS: dict[str, tuple[Row, bool]] = {
    "open": ({"begins_at": "2026-10-01 12:00:00+00"}, True),
    "a block": ({"begins_at": "2026-10-01 12:00:00+00", "kind": "block"}, True),
    "begun at the same instant": ({"begins_at": RECEIVED}, False),
    "begun a microsecond before": ({"begins_at": "2026-10-05 13:59:59.999999+00"}, True),
    "ended at the same instant": ({"ends_at": RECEIVED}, False),
    "ended a microsecond after": ({"ends_at": "2026-10-05 14:00:00.000001+00"}, True),
    "on every channel": ({"channel": "*"}, True),
    "on another channel": ({"channel": "whatsapp"}, False),
    "of that program": ({"program": "default"}, True),
    "of another program": ({"program": "news"}, False),
    "of another contact": ({"contact_key": 2}, False),
}


@pytest.mark.parametrize("case", SPANS)
def test_a_contact_that_is_opted_out_already_weighs_less(case: str) -> None:
    span, is_inside = SPANS[case]
    inbound = [{"body": "STOP"}, {"body": "wrong number"}]
    expected = ["notice", "notice"] if is_inside else ["high", "warning"]
    assert found(inbound, spans=[span]) == [f"i1 certain {expected[0]}", f"i2 possible {expected[1]}"]


def test_a_request_inside_two_spans_is_found_once_and_names_the_earlier() -> None:
    spans: list[Row] = [
        {"span_id": 1, "begins_at": "2026-10-02 12:00:00+00"},
        {"span_id": 2, "begins_at": "2026-10-01 12:00:00+00", "kind": "block"},
    ]
    with judged([{"body": "STOP"}], spans=spans) as engine:
        assert engine.rows("select cast(begins_at as varchar) from audits.opt_out_request_missed") == [
            ("2026-10-01 12:00:00+00",)
        ]


def test_the_subject_is_the_inbound_message_and_no_finding_holds_what_was_written() -> None:
    body = "please stop texting me, says Rumpelstiltskin"
    with judged([{"body": body, "program": "news", "channel": "rcs"}]) as engine:
        [row] = engine.records("select * from audits.opt_out_request_missed")
    assert (row["rule"], row["message_id"], row["channel"], row["program"]) == (
        "opt_out_request_missed", "i1", "rcs", "news",
    )  # fmt: skip
    assert row["begins_at"] is None
    assert "delivered" not in row
    assert not [value for value in row.values() if "Rumpelstiltskin" in str(value)]
    assert row["details"].startswith("Stop with what is to stop")


# ---- the metric


def regimes(engine: DuckDBEngine) -> dict[tuple[str, str], tuple[Any, ...]]:
    return {
        (row[0], row[1]): tuple(row[2:])
        for row in engine.rows(
            "select regime, channel, read_count, request_count, missed_by_regime_count, unrecorded_count"
            " from metrics.reply_regimes"
        )
    }


def test_what_each_regime_reads_and_misses() -> None:
    inbound: list[Row] = [
        {"body": "STOP", "contact_key": 1},
        {"body": "Stop!", "contact_key": 2},
        {"body": "please stop texting me", "contact_key": 3},
        {"body": "wrong number", "contact_key": 4},
        {"body": "thanks", "contact_key": 5},
        {"body": "stop", "contact_key": 6, "channel": "whatsapp"},
        {"body": " ", "contact_key": 7},
    ]
    events: list[Row] = [{"contact_key": 1}, {"contact_key": 3}]
    with judged(inbound, events) as engine:
        assert regimes(engine) == {
            ("exact_keyword", "*"): (6, 2, 2, 1),
            ("exact_keyword", "sms"): (5, 1, 2, 0),
            ("exact_keyword", "whatsapp"): (1, 1, 0, 1),
            ("legal_list", "*"): (6, 3, 1, 2),
            ("legal_list", "sms"): (5, 2, 1, 1),
            ("legal_list", "whatsapp"): (1, 1, 0, 1),
            ("reasonable_person", "*"): (6, 4, 0, 2),
            ("reasonable_person", "sms"): (5, 3, 0, 1),
            ("reasonable_person", "whatsapp"): (1, 1, 0, 1),
            ("reasonable_person_possible", "*"): (6, 5, 0, 3),
            ("reasonable_person_possible", "sms"): (5, 4, 0, 2),
            ("reasonable_person_possible", "whatsapp"): (1, 1, 0, 1),
        }


def test_without_replies_every_regime_has_read_none() -> None:
    with judged([]) as engine:
        assert regimes(engine) == {
            (regime, "*"): (0, 0, 0, 0)
            for regime in ("exact_keyword", "legal_list", "reasonable_person", "reasonable_person_possible")
        }
