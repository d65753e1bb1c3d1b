"""Coverage of the logs by example: their days, their gaps, and what would be a silence of each."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from pipelines.engines.duckdb import DuckDBEngine
from tests.support.measured import instant, measured

FIRST = date(2026, 9, 1)  # a Tuesday


def on(offset: int) -> date:
    return FIRST + timedelta(days=offset)


def sent(*offsets: int) -> str:
    """A message to one contact on each of these days."""
    return "contact source channel sent\n" + "\n".join(f"1 shop sms {on(offset)}" for offset in offsets)


def asked(*offsets: int) -> list[dict[str, Any]]:
    """An opt-in on each of these days."""
    return [
        {"event_id": f"e{offset}", "event_type": "opt_in", "source": "crm", "requested_at": instant(str(on(offset))),
         "requested_on": str(on(offset))}
        for offset in offsets
    ]  # fmt: skip


def coverage(engine: DuckDBEngine, log: str) -> dict[str, Any]:
    [row] = engine.records(f"select * from metrics.log_coverage where log = '{log}'")
    return row


def test_a_log_is_covered_from_its_first_day_to_its_last() -> None:
    # Days 0 to 9, then 14 to 19: sixteen of the twenty, the longest gap from day 9 to day 14.
    engine = measured(sent(*range(10), *range(14, 20)), as_of="2026-09-20")
    found = coverage(engine, "messages")
    assert (found["channel"], found["source"]) == ("sms", "shop")
    assert (found["first_on"], found["last_on"]) == (on(0), on(19))
    assert (found["day_count"], found["empty_day_count"], found["record_count"]) == (16, 4, 16)
    assert (found["longest_gap_days"], found["longest_gap_from"], found["longest_gap_to"]) == (5, on(9), on(14))
    # Its usual longest gap is a day, three times that is three days, and so is the least that is called a silence.
    assert (found["silent_above_days"], found["silence_count"]) == (3, 1)
    assert engine.rows("select last_on, resumes_on, gap_days from metrics.silences") == [(on(9), on(14), 5)]


def test_of_equal_gaps_the_latest_is_told() -> None:
    found = coverage(measured(sent(0, 1, 4, 5, 8, 9), as_of="2026-09-11"), "messages")
    assert (found["longest_gap_days"], found["longest_gap_from"], found["longest_gap_to"]) == (3, on(5), on(8))


def test_a_log_without_a_rhythm_has_no_silence() -> None:
    found = coverage(measured(sent(0, 30), as_of="2026-10-01"), "messages")
    assert (found["silent_above_days"], found["silence_count"], found["empty_day_count"]) == (None, 0, 29)
    found = coverage(measured(sent(0), as_of="2026-10-01"), "messages")
    assert (found["longest_gap_days"], found["longest_gap_from"], found["empty_day_count"]) == (None, None, 0)


def test_silence_up_to_the_end_and_before_a_late_start_are_counted_and_are_no_longest_gap() -> None:
    # Messages from day 0; the consent log begins on day 30 and is as good as daily from then on.
    engine = measured(sent(*range(70)), as_of="2026-11-09", core__consent_events=asked(*range(30, 60)))
    found = coverage(engine, "consent_events")
    assert (found["channel"], found["longest_gap_days"], found["silent_above_days"]) == ("*", 1, 7)
    silences = engine.rows("select last_on, resumes_on, gap_days from metrics.silences where log = 'consent_events'")
    # From its last act, on day 59, to the end of data on day 69: ten days.
    assert sorted(silences, key=lambda row: row[0]) == [(on(-1), on(30), 30), (on(59), None, 10)]
    assert found["silence_count"] == 2


def test_weeks_are_those_of_the_calendar() -> None:
    rows = measured(sent(0, 0, 1, 5, 6, 20), as_of="2026-09-22").rows(
        "select week_start, day_count, record_count from metrics.log_weeks where log = 'messages' order by 1"
    )
    # Days 0, 1 and 5 (a Sunday) are in the week of 31 August; 6 is the Monday after, 20 that of two weeks later.
    assert rows == [(date(2026, 8, 31), 3, 4), (date(2026, 9, 7), 1, 1), (date(2026, 9, 21), 1, 1)]
