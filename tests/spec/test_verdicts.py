"""Verdicts by example: what fails a row, what keeps it from being attested, and which rows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from pipelines.engines.duckdb import DuckDBEngine
from tests.support.measured import instant, measured

CLEAN = "contact source channel sent\n1 shop sms 2026-10-05\n2 mailer email 2026-10-06"


def verdicts(engine: DuckDBEngine) -> dict[tuple[Any, ...], str]:
    rows = engine.rows("select cast(period_start as text), channel, source, verdict from metrics.verdicts")
    assert len({row[:3] for row in rows}) == len(rows)
    return {row[:3]: row[3] for row in rows}


def reasons(engine: DuckDBEngine, period_start: str | None = None, channel: str = "*", source: str = "*") -> list[str]:
    return str(
        engine.value(
            "select reasons from metrics.verdicts"
            " where period_start is not distinct from cast(? as date) and channel = ? and source = ?",
            [period_start, channel, source],
        )
    ).split("\n")


def finding(occurred_at: str, **row: Any) -> dict[str, Any]:
    return {"severity": "critical", "occurred_at": instant(occurred_at), **row}


def test_clean_record_passes_in_every_cell() -> None:
    engine = measured(CLEAN, "contact begins processed\n1 2026-10-06 2026-10-07", as_of="2026-10-20")
    cells = {
        ("*", "*"),
        ("sms", "*"),
        ("email", "*"),
        ("*", "shop"),
        ("*", "mailer"),
        ("sms", "shop"),
        ("email", "mailer"),
    }
    assert verdicts(engine) == {(start, *cell): "Pass" for start in (None, "2026-10-01") for cell in cells}
    assert reasons(engine) == ["No violation, and no hole in the evidence."]
    rows = engine.rows(
        "select channel, message_count from metrics.verdicts where period_start is null and source = '*'"
    )
    assert set(rows) == {("*", 2), ("sms", 1), ("email", 1)}


def test_violation_fails_the_rows_it_belongs_to() -> None:
    # The waived one and the notice are no violations.
    engine = measured(
        CLEAN,
        as_of="2026-10-20",
        audits__findings=[
            finding("2026-10-07"),
            finding("2026-10-07", severity="high", waived_by="W1", channel="email", source="mailer"),
            finding("2026-10-07", severity="notice", channel="email", source="mailer"),
        ],
    )
    found = verdicts(engine)
    assert {cell for cell, verdict in found.items() if verdict == "Fail"} == {
        (start, *cell)
        for start in (None, "2026-10-01")
        for cell in (("*", "*"), ("sms", "*"), ("*", "shop"), ("sms", "shop"))
    }
    assert found[None, "email", "mailer"] == "Pass"
    assert reasons(engine) == ["Violations: 1."]


def test_violation_of_a_source_without_messages_has_its_own_row() -> None:
    late = finding("2026-10-09", rule="opt_out_not_honoured_in_time", source="crm", channel="*")
    engine = measured(CLEAN, as_of="2026-10-20", audits__findings=[late])
    found = verdicts(engine)
    assert found[None, "*", "crm"] == found["2026-10-01", "*", "*"] == "Fail"
    # It is about every channel, and about what crm did.
    assert found[None, "sms", "*"] == "Fail"
    assert found[None, "sms", "shop"] == "Pass"


def test_violation_falls_in_the_month_of_the_report_time_zone() -> None:
    # 1 November 03:00 UTC is 31 October in New York.
    messages = "contact sent sent_on\n1 2026-10-05 -\n1 2026-11-01T03:00 2026-10-31"
    engine = measured(
        messages, as_of="2026-11-02", zone="America/New_York", audits__findings=[finding("2026-11-01T03:00")]
    )
    found = verdicts(engine)
    assert found["2026-10-01", "*", "*"] == "Fail"
    assert (found["2026-11-01", "*", "*"], reasons(engine, "2026-11-01")) == (
        "Cannot attest",
        ["No message is on record."],
    )


def test_quarantined_rows_weaken_every_row_from_their_file_s_month_on() -> None:
    engine = measured(
        "contact sent\n1 2026-09-05\n1 2026-10-05\n1 2026-11-05",
        as_of="2026-11-06",
        run__inputs=[{"source": "crm", "quarantined_count": 3, "first_record_at": instant("2026-10-09")}],
    )
    found = verdicts(engine)
    assert [found[start, "sms", "shop"] for start in ("2026-09-01", "2026-10-01", "2026-11-01", None)] == [
        "Pass",
        "Cannot attest",
        "Cannot attest",
        "Cannot attest",
    ]
    assert reasons(engine) == ["Rows quarantined, any of which may be a lost opt-out: 3."]


def test_quarantined_rows_of_a_file_without_accepted_rows_weaken_every_month() -> None:
    engine = measured(CLEAN, as_of="2026-10-20", run__inputs=[{"quarantined_count": 3}])
    assert set(verdicts(engine).values()) == {"Cannot attest"}


def test_opt_out_without_proof_of_processing_weakens_its_channel_and_month() -> None:
    engine = measured(CLEAN + "\n1 shop sms 2026-11-01", "contact begins processed\n1 2026-10-06 -", as_of="2026-11-02")
    found = verdicts(engine)
    assert (found["2026-10-01", "sms", "shop"], found["2026-11-01", "sms", "shop"]) == ("Cannot attest", "Pass")
    assert found["2026-10-01", "email", "mailer"] == "Pass"
    assert reasons(engine) == ["Opt-outs without proof of processing: 1."]


def test_unmatched_contacts_weaken_their_source_and_channel() -> None:
    engine = measured(CLEAN, as_of="2026-10-20", core__contacts=[{"contact_key": 2, "address_kind": "other"}])
    found = verdicts(engine)
    assert (found[None, "sms", "shop"], found[None, "email", "mailer"]) == ("Pass", "Cannot attest")
    assert reasons(engine) == ["Messages to addresses that are neither a phone number nor an e-mail address: 1."]


def test_push_token_is_its_channel_s_own_address() -> None:
    messages = "source contact channel message_id sent\napp 2 push m1 2026-10-05"
    engine = measured(messages, as_of="2026-10-20", core__contacts=[{"contact_key": 2, "address_kind": "other"}])
    assert verdicts(engine)[None, "push", "app"] == "Pass"


def test_record_without_any_consent_event_cannot_be_attested() -> None:
    engine = measured(CLEAN, as_of="2026-10-20", core__consent_events=[])
    assert set(verdicts(engine).values()) == {"Cannot attest"}
    assert reasons(engine) == ["No consent event is on record: opt-outs cannot be checked."]


def days(*offsets: int) -> str:
    return "contact sent\n" + "\n".join(f"1 {date(2026, 9, 1) + timedelta(days=offset)}" for offset in offsets)


@pytest.mark.parametrize(
    ("messages", "as_of", "longest"),
    [
        # Every day: a usual gap of 1 day, and 3 days are no silence, 4 are.
        (days(*range(10), *range(12, 20)), "2026-09-20", None),
        (days(*range(10), *range(13, 20)), "2026-09-20", 4),
        # Once a week, then nothing for 28 days: more than 3 * 7.
        (days(0, 7, 14, 21, 28, 35, 63), "2026-11-03", 28),
        # Once a week, then nothing for 21 days: as far as the rhythm reaches.
        (days(0, 7, 14, 21, 28, 35, 56), "2026-10-27", None),
        # Silent to the end of the record.
        (days(*range(10)), "2026-09-20", 10),
        # Four gaps make no rhythm.
        (days(0, 1, 2, 3, 30), "2026-10-01", None),
    ],
)
def test_silence_is_longer_than_the_source_s_own_rhythm(messages: str, as_of: str, longest: int | None) -> None:
    engine = measured(messages, as_of=as_of)
    if longest is None:
        assert verdicts(engine)[None, "*", "*"] == "Pass"
    else:
        assert verdicts(engine)[None, "*", "*"] == "Cannot attest"
        told = f"Silences longer than the rhythm of their source explains: 1, the longest of {longest} days."
        assert reasons(engine) == [told]


def test_silence_weakens_the_months_it_touches() -> None:
    # Silent from 8 September to 4 October.
    engine = measured(days(*range(7), *range(34, 70)), as_of="2026-11-09")
    found = verdicts(engine)
    assert [found[start, "sms", "shop"] for start in ("2026-09-01", "2026-10-01", "2026-11-01")] == [
        "Cannot attest",
        "Cannot attest",
        "Pass",
    ]
