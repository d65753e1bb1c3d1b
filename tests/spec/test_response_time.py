"""Response times by example: small tables of opt-outs, and what they come to, with the arithmetic."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures import response_time
from tests.support.measured import instant, nine, numbers, table
from tests.support.one_family import measured_alone


def measured_spans(text: str, as_of: str) -> DuckDBEngine:
    """A working database with these opt-out spans and their response times."""
    rows = []
    for span_id, told in enumerate(table(text) if text else [], start=1):
        row: dict[str, Any] = dict(told)
        begins = str(row.pop("begins"))
        known = {"span_id": span_id, "contact_key": row.pop("contact"), "begins_at": instant(begins)}
        known |= {f"{key}_at": instant(row.pop(key)) for key in ("processed", "ends", "deadline") if key in row}
        rows.append(known | {"begins_on": begins[:10]} | row)
    counts = ("response_time", "open_requests", "repeat_requests")
    return measured_alone(response_time.measure, counts, {"core.opt_out_spans": rows}, str(instant(as_of)))


RESPONSE_SPANS = """
contact channel kind    begins           processed        deadline
1       sms     opt_out 2026-10-01T00:00 2026-10-01T00:10 2026-10-05
2       sms     opt_out 2026-10-01T00:00 2026-10-01T00:30 2026-10-01T00:20
3       email   opt_out 2026-10-01T00:00 2026-10-02T01:00 2026-10-05
4       sms     opt_out 2026-10-01T00:00 -                2026-10-01T00:30
5       *       opt_out 2026-10-01T00:00 -                2026-10-09
6       sms     block   2026-10-01T00:00 -                2026-10-01T00:30
"""


def test_response_time_by_kaplan_meier() -> None:
    # as_of is 01:00: spans 1 and 2 took 600 s and 1,800 s; 3 (processed later), 4 and 5 are open at 3,600 s. Blocks are
    # no requests. Of 5 spans, share processed: 1/5 at 600 s, 2/5 at 1,800 s; never a half.
    # Nobody has been watched for 24 hours, so nothing is known of them; within the hour 2/5.
    # Restricted mean to 3,600 s: 600 + 1,200 * 4/5 + 1,800 * 3/5 = 2,640 s. Due: 1, 2 and 4 (late); in time: 1. 1/3.
    engine = measured_spans(RESPONSE_SPANS, "2026-10-01T01:00")
    columns = ("definition", "numerator", "denominator", "value", "unit")
    assert numbers(engine, "response_time", "grain = 'all' and channel = '*'", *columns) == {
        ("kaplan_meier_median", 2, 5, None, "seconds"),
        ("kaplan_meier_p90", 2, 5, None, "seconds"),
        ("kaplan_meier_p95", 2, 5, None, "seconds"),
        ("restricted_mean", 2, 5, 2640, "seconds"),
        ("restricted_mean_30_days", 2, 5, None, "seconds"),
        ("share_within_1_hour", 2, 5, 0.4, "share"),
        ("share_within_24_hours", 2, 5, None, "share"),
        ("share_within_48_hours", 2, 5, None, "share"),
        ("share_asked_again", 0, 5, 0.0, "share"),
        ("mean_completed", 2, 5, 1200, "seconds"),
        ("share_within_deadline", 1, 3, nine(1 / 3), "share"),
        ("open_count", 3, 5, 3, "count"),
        ("oldest_open_age", 3, 5, 3600, "seconds"),
    }


def test_response_time_by_channel_and_month() -> None:
    # By sms: spans 1, 2 and 4; 1/3 at 600 s, 2/3 at 1,800 s, so the median is 1,800 s. A span on every channel is in
    # the total alone.
    engine = measured_spans(RESPONSE_SPANS, "2026-10-01T01:00")
    where = "definition = 'kaplan_meier_median'"
    assert numbers(engine, "response_time", where, "grain", "period_start", "channel", "denominator", "value") == {
        (grain, start, channel, spans, value)
        for grain, start in (("all", None), ("month", "2026-10-01"))
        for channel, spans, value in (("*", 5, None), ("sms", 3, 1800), ("email", 1, None))
    }
    curve = engine.rows(
        "select channel, seconds, share_processed, at_risk from metrics.response_time_curve order by all"
    )
    assert curve == [
        ("*", 600, pytest.approx(1 / 5), 5),
        ("*", 1800, pytest.approx(2 / 5), 4),
        ("sms", 600, pytest.approx(1 / 3), 3),
        ("sms", 1800, pytest.approx(2 / 3), 2),
    ]


def test_nothing_open_has_no_oldest_and_an_undue_span_no_share() -> None:
    spans = "contact begins processed deadline\n1 2026-10-01 - 2026-12-24\n2 2026-11-01 2026-11-02 2026-12-24"
    engine = measured_spans(spans, "2026-11-18")
    columns = ("definition", "period_start", "numerator", "denominator", "value", "lower", "upper")
    where = "grain = 'month' and channel = '*' and definition in ('share_within_deadline', 'oldest_open_age')"
    found = {row[:5]: row[5:] for row in numbers(engine, "response_time", where, *columns)}
    assert found.keys() == {
        ("share_within_deadline", "2026-10-01", 0, 0, None),
        ("share_within_deadline", "2026-11-01", 1, 1, 1.0),
        ("oldest_open_age", "2026-10-01", 1, 1, 48 * 86400.0),
        ("oldest_open_age", "2026-11-01", 0, 1, None),
    }
    # Wilson of 1 / 1: lower = 1 / (1 + 3.8415) = 0.2065.
    assert found["share_within_deadline", "2026-11-01", 1, 1, 1.0] == pytest.approx((0.2065, 1.0), abs=5e-5)


# Shares within a time


def test_a_share_within_a_time_counts_open_requests_as_still_waiting() -> None:
    # 23 October 12:00. Applied after 30 min, 2 h and 30 h; open since 4 h and since 100 h.
    # Within 1 h: 1/5. Within 24 h: 1/5 at 30 min; at 2 h 5 - 1 = 4 are at risk: 1 - 4/5 * 3/4 = 0.4; the one open
    # since 4 h drops out. Within 48 h: 2 are at risk at 30 h: 1 - 3/5 * 1/2 = 0.7, though only 3 of 5 are applied.
    engine = measured_spans(
        """
        contact begins           processed
        1       2026-10-01T00:00 2026-10-01T00:30
        2       2026-10-01T00:00 2026-10-01T02:00
        3       2026-10-01T00:00 2026-10-02T06:00
        4       2026-10-23T08:00 -
        5       2026-10-19T08:00 -
        """,
        "2026-10-23",
    )
    where = "grain = 'all' and channel = '*' and definition like 'share_within%hour%'"
    found = numbers(engine, "response_time", where, "definition", "numerator", "denominator", "value")
    assert found == {
        ("share_within_1_hour", 1, 5, 0.2),
        ("share_within_24_hours", 2, 5, 0.4),
        ("share_within_48_hours", 3, 5, 0.7),
    }
    # Greenwood at 1 h: 1 / (5 * 4) = 0.05; 1.96 * sqrt(0.05) / |ln 0.8| = 1.9640; 1 - 0.8 ** exp(-+1.9640).
    lower, upper = engine.rows(
        "select lower, upper from metrics.measurements where definition = 'share_within_1_hour' and channel = '*'"
        " and grain = 'all'"
    )[0]
    assert (lower, upper) == pytest.approx((0.0308, 0.7962), abs=5e-5)


# By group

GROUPS = """
contact channel method   source   begins           processed        repeat_count
1       sms     keyword  gateway  2026-09-30T00:00 2026-09-30T00:01 0
2       sms     keyword  gateway  2026-10-01T00:00 2026-10-01T00:03 2
3       email   link     mailer   2026-10-01T00:00 2026-10-01T02:00 0
4       email   -        mailer   2026-10-02T00:00 -                0
5       *       agent    crm      2026-10-02T00:00 2026-10-03T00:00 1
"""


def test_groups_are_those_of_channel_method_source_and_month() -> None:
    engine = measured_spans(GROUPS, "2026-10-10")
    rows = engine.rows(
        "select channel, dimension, value, span_count, open_count, median_seconds, asked_again_count"
        " from metrics.response_groups where channel in ('*', 'email')"
    )
    assert set(rows) == {
        # Of five, sorted 60 s, 180 s, 7,200 s, 86,400 s and open: half within 7,200 s.
        ("*", "channel", "*", 5, 1, 7200, 2),
        ("email", "channel", "email", 2, 1, 7200, 0),
        ("*", "method", "keyword", 2, 0, 60, 1),
        ("*", "method", "link", 1, 0, 7200, 0),
        ("*", "method", "unknown", 1, 1, None, 0),
        ("*", "method", "agent", 1, 0, 86400, 1),
        ("email", "method", "link", 1, 0, 7200, 0),
        ("email", "method", "unknown", 1, 1, None, 0),
        ("*", "source", "gateway", 2, 0, 60, 1),
        ("*", "source", "mailer", 2, 1, 7200, 0),
        ("*", "source", "crm", 1, 0, 86400, 1),
        ("email", "source", "mailer", 2, 1, 7200, 0),
        ("*", "month", "2026-09-01", 1, 0, 60, 0),
        ("*", "month", "2026-10-01", 4, 1, 7200, 2),
        ("email", "month", "2026-10-01", 2, 1, 7200, 0),
    }
    # By channel: sms, email and all. Its one span is small, and known up to its own 60 s.
    assert engine.rows("select value from metrics.response_groups where dimension = 'channel' order by value") == [
        ("*",), ("email",), ("sms",),
    ]  # fmt: skip
    assert engine.rows(
        "select is_small, restricted_to_seconds, mean_completed_seconds, share_within_1_hour, due_count"
        " from metrics.response_groups where value = '2026-09-01' and channel = '*'"
    ) == [(True, 60, 60, 1, 0)]


def test_a_group_says_what_the_measurements_say() -> None:
    engine = measured_spans(RESPONSE_SPANS, "2026-10-01T01:00")
    pairs = {
        "kaplan_meier_median": "median_seconds", "kaplan_meier_p90": "p90_seconds", "kaplan_meier_p95": "p95_seconds",
        "restricted_mean": "restricted_mean_seconds", "restricted_mean_30_days": "mean_30_days_seconds",
        "mean_completed": "mean_completed_seconds", "share_within_1_hour": "share_within_1_hour",
        "share_within_24_hours": "share_within_24_hours", "share_within_48_hours": "share_within_48_hours",
        "share_within_deadline": "share_within_deadline", "share_asked_again": "share_asked_again",
    }  # fmt: skip
    for definition, column in pairs.items():
        differing = engine.rows(
            f"select m.channel from metrics.measurements as m join metrics.response_groups as g"
            f" on g.dimension = case m.grain when 'all' then 'channel' else 'month' end and g.channel = m.channel"
            f" where m.metric = 'response_time' and m.definition = '{definition}' and (m.value is distinct from"
            f" g.{column} or m.lower is distinct from g.{column}_lower or m.upper is distinct from g.{column}_upper)"
        )
        assert differing == [], definition


def test_the_mean_of_30_days_is_the_area_up_to_there() -> None:
    # Two spans, applied after 10 and open since 40 days: all open to day 10, half of them to day 30: 10 + 20 / 2 = 20.
    engine = measured_spans("contact begins processed\n1 2026-10-01 2026-10-11\n2 2026-10-01 -", "2026-11-10")
    where = "grain = 'all' and channel = '*' and definition like 'restricted%'"
    assert numbers(engine, "response_time", where, "definition", "value") == {
        ("restricted_mean_30_days", 20 * 86400),
        ("restricted_mean", (10 + 30 / 2) * 86400),
    }


# Open requests


def test_open_requests_by_age_with_the_next_deadline() -> None:
    # As of 1 October 00:00. Contact 4 has opted in again before the deadline: nothing is left to apply. 5 opted in
    # again after it. 6 was applied, 7 is applied later: still open. Of 3 the deadline is this very instant: not missed.
    engine = measured_spans(
        """
        contact channel begins           processed        ends             deadline
        1       sms     2026-09-30T23:30 -                -                2026-10-15T00:00
        2       sms     2026-09-30T00:00 -                -                2026-10-10T00:00
        3       email   2026-09-29T12:00 -                -                2026-10-01T00:00
        4       sms     2026-09-10T00:00 -                2026-09-11T00:00 2026-09-24T00:00
        5       sms     2026-09-10T00:00 -                2026-09-26T00:00 2026-09-24T00:00
        6       sms     2026-09-10T00:00 2026-09-10T01:00 -                2026-09-24T00:00
        7       *       2026-08-01T00:00 2026-10-02T00:00 -                2026-08-15T00:00
        """,
        "2026-10-01T00:00",
    )
    columns = "age, open_count, withdrawn_count, past_deadline_count, strftime(next_deadline_at, '%m-%d')"
    of = "from metrics.open_requests where channel = '{}' order by position"
    assert engine.rows(f"select {columns} {of.format('*')}") == [
        ("under 1 hour", 1, 0, 0, "10-15"),
        ("1 to 24 hours", 0, 0, 0, None),
        ("1 to 3 days", 2, 0, 0, "10-01"),
        ("3 to 10 days", 0, 0, 0, None),
        ("10 to 30 days", 2, 2, 1, None),
        ("over 30 days", 1, 0, 1, None),
    ]
    assert engine.rows(f"select open_count {of.format('email')}") == [(0,), (0,), (1,), (0,), (0,), (0,)]
    assert engine.rows("select distinct channel from metrics.open_requests order by 1") == [
        ("*",),
        ("email",),
        ("sms",),
    ]
    # Every open request is in one age, and the measurement counts the same.
    assert engine.value("select sum(open_count) from metrics.open_requests where channel = '*'") == 6
    assert numbers(engine, "response_time", "definition = 'open_count' and grain = 'all'", "channel", "value") == {
        ("*", 6), ("email", 1), ("sms", 4),
    }  # fmt: skip


# Repeats


def test_how_often_people_had_to_ask() -> None:
    engine = measured_spans(GROUPS, "2026-10-10")
    assert set(engine.rows("select * from metrics.repeat_requests where channel in ('*', 'sms')")) == {
        ("*", "*", 1, 3),
        ("*", "*", 2, 1),
        ("*", "*", 3, 1),
        ("*", "keyword", 1, 1),
        ("*", "keyword", 3, 1),
        ("*", "link", 1, 1),
        ("*", "unknown", 1, 1),
        ("*", "agent", 2, 1),
        ("sms", "*", 1, 1),
        ("sms", "*", 3, 1),
        ("sms", "keyword", 1, 1),
        ("sms", "keyword", 3, 1),
    }
    where = "definition = 'share_asked_again' and grain = 'all'"
    assert numbers(engine, "response_time", where, "channel", "numerator", "denominator", "value") == {
        ("*", 2, 5, 0.4), ("sms", 1, 2, 0.5), ("email", 0, 2, 0.0),
    }  # fmt: skip


def test_an_empty_record_has_relations_without_rows() -> None:
    engine = measured_spans("", "2026-10-01")
    for relation in ("response_time_curve", "response_groups", "open_requests", "repeat_requests"):
        assert engine.value(f"select count(*) from metrics.{relation}") == 0
