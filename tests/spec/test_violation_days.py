"""Violations by day and findings by month, by example: which day, which channel, and who is counted once."""

from __future__ import annotations

from typing import Any

from pipelines.engines.duckdb import DuckDBEngine
from tests.support.measured import instant, measured

SENT = "contact source channel sent\n1 shop sms 2026-10-05\n2 mailer email 2026-10-06\n2 mailer email 2026-11-02"


def finding(occurred_at: str, **row: Any) -> dict[str, Any]:
    return {"severity": "critical", "occurred_at": instant(occurred_at), **row}


def days(engine: DuckDBEngine) -> dict[tuple[str, str], tuple[int, ...]]:
    """Messages, findings, violations and waived findings by day and channel."""
    rows = engine.rows(
        "select cast(on_date as text), channel, message_count, finding_count, violation_count, waived_count"
        " from metrics.violation_days"
    )
    assert len({row[:2] for row in rows}) == len(rows)
    return {row[:2]: row[2:] for row in rows}


def counts(engine: DuckDBEngine, finding_class: str = "*") -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Severity, findings, violations, waived and contacts by month, channel and rule; of all classes unless told."""
    rows = engine.rows(
        "select cast(period_start as text), channel, rule, severity, finding_count, violation_count, waived_count,"
        " contact_count from metrics.finding_counts where finding_class = ?",
        [finding_class],
    )
    assert len({row[:3] for row in rows}) == len(rows)
    return {row[:3]: row[3:] for row in rows}


def test_a_day_counts_messages_findings_violations_and_waived_ones() -> None:
    engine = measured(
        SENT,
        as_of="2026-11-18",
        audits__findings=[
            finding("2026-10-05"),
            finding("2026-10-05", waived_by="W1"),
            finding("2026-10-05", severity="notice"),
            finding("2026-10-07", severity="high", channel="email"),
        ],
    )
    assert days(engine) == {
        ("2026-10-05", "sms"): (1, 3, 1, 1),
        ("2026-10-05", "*"): (1, 3, 1, 1),
        ("2026-10-06", "email"): (1, 0, 0, 0),
        ("2026-10-06", "*"): (1, 0, 0, 0),
        # No message is on record that day: a row for the finding alone.
        ("2026-10-07", "email"): (0, 1, 1, 0),
        ("2026-10-07", "*"): (0, 1, 1, 0),
        ("2026-11-02", "email"): (1, 0, 0, 0),
        ("2026-11-02", "*"): (1, 0, 0, 0),
    }


def test_a_finding_about_every_channel_is_one_of_each_and_once_of_all() -> None:
    engine = measured(SENT, as_of="2026-11-18", audits__findings=[finding("2026-10-09", channel="*")])
    assert {cell: row for cell, row in days(engine).items() if cell[0] == "2026-10-09"} == {
        ("2026-10-09", channel): (0, 1, 1, 0) for channel in ("*", "sms", "email")
    }
    verdicts = {
        row[:2]: row[2]
        for row in engine.rows(
            "select cast(period_start as text), channel, violation_count from metrics.verdicts where source = '*'"
        )
    }
    found = {(month, channel): row[2] for (month, channel, _), row in counts(engine).items()}
    # As the verdicts count it: October and the whole record fail on both channels.
    assert found == {cell: count for cell, count in verdicts.items() if count}
    assert found == dict.fromkeys(
        [(month, channel) for month in (None, "2026-10-01") for channel in ("*", "sms", "email")], 1
    )


def test_days_and_months_are_those_of_the_report_time_zone() -> None:
    # 1 November 03:00 UTC is 31 October in New York.
    messages = "contact sent sent_on\n1 2026-11-01T03:00 2026-10-31"
    engine = measured(
        messages, as_of="2026-11-02", zone="America/New_York", audits__findings=[finding("2026-11-01T03:00")]
    )
    assert days(engine) == {("2026-10-31", channel): (1, 1, 1, 0) for channel in ("*", "sms")}
    assert {cell[0] for cell in counts(engine)} == {None, "2026-10-01"}


def test_a_contact_counts_once_wherever_its_findings_are_counted_together() -> None:
    engine = measured(
        SENT,
        as_of="2026-11-18",
        audits__findings=[
            finding("2026-10-05", contact_key=1, finding_class="sent_past_deadline"),
            finding("2026-10-06", contact_key=1, severity="notice"),
            finding("2026-11-02", contact_key=1, channel="email"),
            finding("2026-11-02", contact_key=2, channel="email", waived_by="W1"),
            finding("2026-11-03", rule="campaign_ignores_opt_outs", contact_key=None, campaign_id="c"),
        ],
    )
    rule = "message_after_opt_out"
    found = counts(engine)
    assert found[None, "*", rule] == ("critical", 4, 2, 1, 2)
    assert found["2026-10-01", "*", rule] == ("critical", 2, 1, 0, 1)
    assert found["2026-11-01", "email", rule] == ("critical", 2, 1, 1, 2)
    assert found[None, "sms", rule] == ("critical", 2, 1, 0, 1)
    assert found[None, "*", "campaign_ignores_opt_outs"] == ("critical", 1, 1, 0, 0)
    # Of one class the worst severity is its own, and its contacts are not counted.
    assert counts(engine, "sent_past_deadline")[None, "*", rule] == ("critical", 1, 1, 0, None)
    assert counts(engine, "sent_in_flight")["2026-10-01", "sms", rule] == ("notice", 1, 0, 0, None)


def test_without_findings_there_are_days_and_no_counts() -> None:
    engine = measured(SENT, as_of="2026-11-18")
    assert counts(engine) == {}
    assert set(days(engine)) == {
        ("2026-10-05", "sms"), ("2026-10-06", "email"), ("2026-11-02", "email"),
        ("2026-10-05", "*"), ("2026-10-06", "*"), ("2026-11-02", "*"),
    }  # fmt: skip
    assert days(measured(as_of="2026-11-18")) == {}
