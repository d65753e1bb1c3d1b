"""The numbers by example: small tables of messages and spans, and what they come to, with the arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.build import write_reference
from pipelines.measure import measure
from pipelines.measures.periods import last_complete_week
from tests.support.measured import derive_core, measured, nine, numbers
from tests.support.working_database import insert, working_database

OVERALL = "channel = '*' and program = '*' and campaign_id = '*' and reason = '*'"


# opt_out_rate


def test_rate_is_of_pairs_reached_and_counts_a_pair_once() -> None:
    # Four pairs are reached: (1, sms), (1, email), (2, sms), (3, sms). (1, sms) began a span of each kind: one pair.
    # (4, sms) began one without being reached. 1 / 4.
    engine = measured(
        """
        contact channel sent
        1       sms     2026-10-05
        1       sms     2026-10-06
        1       email   2026-10-06
        2       sms     2026-10-07
        3       sms     2026-10-08
        """,
        """
        contact channel begins     kind
        1       sms     2026-10-05 opt_out
        1       sms     2026-10-20 block
        4       sms     2026-10-20 opt_out
        """,
    )
    where = f"grain = 'month' and {OVERALL}"
    assert numbers(engine, "opt_out_rate", where, "period_start", "numerator", "denominator", "value", "unit") == {
        ("2026-10-01", 1, 4, 0.25, "share")
    }
    by_channel = "grain = 'all' and channel <> '*' and program = '*' and campaign_id = '*'"
    assert numbers(engine, "opt_out_rate", by_channel, "channel", "numerator", "denominator", "value") == {
        ("sms", 1, 3, nine(1 / 3)),
        ("email", 0, 1, 0.0),
    }
    # Wilson of 1 / 4: (0.25 + 0.4802 -+ 1.96 * sqrt(0.046875 + 0.0600)) / 1.9604 = 0.0456 and 0.6994.
    lower, upper = engine.rows(
        f"select lower, upper from metrics.measurements where metric = 'opt_out_rate' and {where}"
    )[0]
    assert (lower, upper) == pytest.approx((0.0456, 0.6994), abs=5e-5)


def test_rate_counts_a_span_in_its_own_period_only() -> None:
    # Reached on Thursday 1 and Friday 9 October; the span began on Sunday 4, still in the week of Monday 28 September.
    engine = measured(
        """
        contact sent
        1       2026-10-01
        1       2026-10-09
        """,
        """
        contact begins
        1       2026-10-04
        """,
    )
    assert numbers(engine, "opt_out_rate", OVERALL, "grain", "period_start", "numerator", "denominator") == {
        ("day", "2026-10-01", 0, 1),
        ("day", "2026-10-09", 0, 1),
        ("week", "2026-09-28", 1, 1),
        ("week", "2026-10-05", 0, 1),
        ("month", "2026-10-01", 1, 1),
        ("all", None, 1, 1),
    }


def test_weeks_are_iso_weeks_across_a_new_year() -> None:
    # Friday 1 January 2027 belongs to the week that begins on Monday 28 December 2026.
    engine = measured("contact sent\n1 2026-12-28\n1 2027-01-01\n2 2027-01-04")
    where = f"grain = 'week' and {OVERALL}"
    assert numbers(engine, "opt_out_rate", where, "period_start", "denominator") == {
        ("2026-12-28", 1),
        ("2027-01-04", 1),
    }


def test_rate_leaves_out_who_was_not_reached() -> None:
    # A transactional or failed message reaches nobody: no denominator, no row.
    engine = measured("contact sent is_reached\n1 2026-10-05 false", "contact begins\n1 2026-10-06")
    assert numbers(engine, "opt_out_rate", "true", "grain") == set()


def test_rate_by_program_needs_a_span_on_the_program() -> None:
    # The pair was reached by two programs and left one. As a pair it opted out; program news kept it.
    engine = measured(
        """
        contact program campaign_id sent
        1       news    n1          2026-10-05
        1       sale    s1          2026-10-06
        1       sale    -           2026-10-07
        """,
        """
        contact program begins
        1       sale    2026-10-08
        """,
    )
    columns = ("channel", "program", "campaign_id", "numerator", "denominator")
    assert numbers(engine, "opt_out_rate", "grain = 'month'", *columns) == {
        ("*", "*", "*", 1, 1),
        ("sms", "*", "*", 1, 1),
        ("*", "news", "*", 0, 1),
        ("*", "sale", "*", 1, 1),
        ("sms", "news", "*", 0, 1),
        ("sms", "sale", "*", 1, 1),
        ("*", "*", "n1", 1, 1),
        ("*", "*", "s1", 1, 1),
        ("sms", "*", "n1", 1, 1),
        ("sms", "*", "s1", 1, 1),
    }


def test_span_on_every_channel_counts_for_each_pair_it_covers() -> None:
    # One person, two contacts, scope person: the span covers both on every channel. 2 of 3 pairs.
    engine = measured(
        """
        contact channel sent
        1       sms     2026-10-05
        2       email   2026-10-05
        3       email   2026-10-05
        """,
        """
        contact channel begins     covers
        1       *       2026-10-08 1,2
        """,
    )
    where = "grain = 'month' and program = '*' and campaign_id = '*'"
    assert numbers(engine, "opt_out_rate", where, "channel", "numerator", "denominator") == {
        ("*", 2, 3),
        ("sms", 1, 1),
        ("email", 1, 2),
    }


message_lists = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from(["sms", "email"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from([None, "c", "d"]),
    ).flatmap(lambda pair: st.tuples(st.just(pair), st.integers(0, 75), st.booleans())),
    max_size=12,
)
span_lists = st.lists(
    st.tuples(
        st.integers(1, 4), st.sampled_from(["sms", "email", "*"]), st.sampled_from(["a", "b", "*"]), st.integers(0, 75)
    ),
    max_size=5,
)


def period(grain: str, day: date) -> date | None:
    return {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1), "all": None}[grain]


@given(message_lists, span_lists)
@settings(max_examples=10, deadline=None)
def test_rate_is_what_counting_one_by_one_gives(messages: list[Any], spans: list[Any]) -> None:
    first = date(2026, 8, 20)
    reached: dict[tuple[Any, ...], set[tuple[int, str]]] = {}
    left: dict[tuple[Any, ...], set[tuple[int, str]]] = {}
    with working_database() as engine:
        write_reference(engine)
        insert(engine, "run.parameters", {"as_of": "2026-11-18 12:00:00+00"})
        for span_id, (contact, channel, program, offset) in enumerate(spans):
            day = first + timedelta(days=offset)
            row = {"span_id": span_id, "contact_key": contact, "channel": channel, "program": program}
            row |= {"begins_on": day, "begins_at": datetime(day.year, day.month, day.day, tzinfo=UTC)}
            insert(engine, "core.opt_out_spans", row)
            insert(engine, "core.span_coverage", row)
        for (contact, channel, program, campaign), offset, is_reached in messages:
            day = first + timedelta(days=offset)
            row = {"contact_key": contact, "channel": channel, "program": program, "campaign_id": campaign}
            insert(engine, "core.messages", row | {"sent_on": day, "is_reached": is_reached})
            if not is_reached:
                continue
            for grain, c, p in product(("day", "week", "month", "all"), ("*", channel), ("*", program)):
                for g in ("*",) if p != "*" or campaign is None else ("*", campaign):
                    place = (grain, period(grain, day), c, p, g)
                    reached.setdefault(place, set()).add((contact, channel))
                    left.setdefault(place, set()).update(
                        (contact, channel)
                        for who, where, what, begins in spans
                        if who == contact
                        and where in ("*", channel)
                        and (p == "*" or what in ("*", p))
                        and period(grain, first + timedelta(days=begins)) == place[1]
                    )
        derive_core(engine)
        measure(engine)
        rows = engine.rows(
            "select grain, period_start, channel, program, campaign_id, numerator, denominator"
            " from metrics.opt_out_rate"
        )
    assert {row[:5]: row[5:] for row in rows} == {place: (len(left[place]), len(reached[place])) for place in reached}
    assert len(rows) == len(reached)


# opt_outs_not_reached


def test_opt_outs_not_reached_are_counted_beside_the_rate() -> None:
    # Three pairs began a span in October: (1, sms) was reached in it, (2, sms) in September, (3, email) never.
    engine = measured(
        """
        contact channel sent
        1       sms     2026-10-30
        2       sms     2026-09-30
        3       sms     2026-10-02
        """,
        """
        contact channel begins
        1       sms     2026-10-03
        2       sms     2026-10-03
        2       sms     2026-10-20
        3       email   2026-10-03
        """,
    )
    where = "grain in ('month', 'all')"
    columns = ("grain", "channel", "numerator", "denominator", "value", "unit")
    assert numbers(engine, "opt_outs_not_reached", where, *columns) == {
        ("month", "*", 2, 3, 2, "count"),
        ("month", "sms", 1, 2, 1, "count"),
        ("month", "email", 1, 1, 1, "count"),
        ("all", "*", 1, 3, 1, "count"),
        ("all", "sms", 0, 2, 0, "count"),
        ("all", "email", 1, 1, 1, "count"),
    }


def test_span_that_covers_a_reached_pair_is_reached() -> None:
    # The span of contact 1 on every channel also covers contact 2, who was reached by e-mail.
    engine = measured(
        "contact channel sent\n2 email 2026-10-05",
        "contact channel begins covers\n1 * 2026-10-08 1,2\n3 * 2026-10-08 3",
    )
    assert numbers(engine, "opt_outs_not_reached", "grain = 'month'", "channel", "numerator", "denominator") == {
        ("*", 1, 2)
    }


# opt_out_trend


def weekly(rates: Mapping[date, int], reached: int = 10) -> tuple[str, str]:
    """Messages to `reached` contacts of their own each week, of whom so many opt out on the next day."""
    messages, spans = ["contact sent"], ["contact begins"]
    for position, (monday, opted_out) in enumerate(sorted(rates.items())):
        for contact in range(100 * position, 100 * position + reached):
            messages.append(f"{contact} {monday}")
            if contact - 100 * position < opted_out:
                spans.append(f"{contact} {monday + timedelta(days=1)}")
    return "\n".join(messages), "\n".join(spans) if len(spans) > 1 else ""


LAST_WEEK = date(2026, 11, 9)
TREND = ("channel", "numerator", "denominator", "value", "lower", "upper", "unit")


def test_trend_of_the_last_twelve_complete_weeks() -> None:
    # 18 November 2026 is a Wednesday: the last complete week begins on Monday the 9th. Six weeks fall by one opt-out of
    # ten, 10 percentage points, a week; the running week and the 13th before would turn the trend round.
    rates = {LAST_WEEK - timedelta(weeks=back): back for back in range(6)}
    rates |= {LAST_WEEK + timedelta(weeks=1): 9, LAST_WEEK - timedelta(weeks=12): 0}
    engine = measured(*weekly(rates))
    unit = "percentage_points_per_week"
    # A straight line: every slope is -10, and so are the bounds.
    assert numbers(engine, "opt_out_trend", "true", *TREND) == {
        ("*", 6, 12, -10, -10, -10, unit),
        ("sms", 6, 12, -10, -10, -10, unit),
    }
    assert numbers(engine, "opt_out_trend_direction", "true", *TREND) == {
        ("*", 6, 12, -1, None, None, "direction"),
        ("sms", 6, 12, -1, None, None, "direction"),
    }
    headline = engine.records("select * from metrics.headline where metric = 'opt_out_trend'")[0]
    assert (headline["display"], headline["previous_display"]) == ("Decreasing", "Not enough data")
    assert headline["period_label"] == "12 weeks to 15 November 2026"
    assert headline["sentence"] == (
        "Over the 12 weeks to 15 November 2026 the weekly opt-out rate was decreasing: -10.00 percentage points a week "
        "(95 % interval -10.00 to -10.00); the 12 weeks before: not enough data."
    )


def test_trend_needs_six_weeks() -> None:
    engine = measured(*weekly({LAST_WEEK - timedelta(weeks=back): back for back in (0, 1, 2, 3, 11)}))
    unit = "percentage_points_per_week"
    assert numbers(engine, "opt_out_trend", "channel = '*'", *TREND) == {("*", 5, 12, None, None, None, unit)}
    assert numbers(engine, "opt_out_trend_direction", "channel = '*'", "value") == {(None,)}
    headline = engine.records("select * from metrics.headline where metric = 'opt_out_trend'")[0]
    assert (headline["value"], headline["display"]) == (None, "Not enough data")


@pytest.mark.parametrize(
    ("as_of_on", "monday"),
    [("2026-11-15", "2026-11-02"), ("2026-11-16", "2026-11-09"), ("2026-11-22", "2026-11-09")],
)
def test_week_is_complete_when_the_next_monday_has_come(as_of_on: str, monday: str) -> None:
    assert last_complete_week(date.fromisoformat(as_of_on)) == date.fromisoformat(monday)


def test_week_ends_in_the_report_time_zone() -> None:
    # Monday 03:00 UTC is still Sunday evening in New York: the week of the 9th is not over there.
    rates = {LAST_WEEK - timedelta(weeks=back): 1 for back in range(6)}
    for zone, weeks in (("UTC", 6), ("America/New_York", 5), ("-05:00", 5)):
        engine = measured(*weekly(rates), as_of="2026-11-16T03:00", zone=zone)
        assert numbers(engine, "opt_out_trend", "channel = '*'", "numerator") == {(weeks,)}, zone


# feedback_reasons


def test_every_reason_is_listed_and_unspecified_never_dropped() -> None:
    engine = measured(
        "",
        """
        contact channel kind    begins     reason
        1       sms     opt_out 2026-10-01 too_frequent
        2       sms     opt_out 2026-10-02 unspecified
        3       email   opt_out 2026-10-03 too_frequent
        4       sms     opt_out 2026-10-04 out_of_this_world
        5       sms     block   2026-10-05 privacy
        """,
    )
    where = "grain = 'all' and channel = '*'"
    found = dict(numbers(engine, "feedback_reasons", where, "reason", "value"))
    assert found == {
        "too_frequent": 0.5,
        "not_relevant": 0.0,
        "never_signed_up": 0.0,
        "content": 0.0,
        "privacy": 0.0,
        "found_alternative": 0.0,
        "temporary": 0.0,
        "wrong_recipient": 0.0,
        "technical": 0.0,
        "other": 0.25,
        "unspecified": 0.25,
    }
    by_channel = "grain = 'month' and numerator > 0 and channel <> '*'"
    columns = ("period_start", "channel", "reason", "numerator", "denominator")
    assert numbers(engine, "feedback_reasons", by_channel, *columns) == {
        ("2026-10-01", "sms", "too_frequent", 1, 3),
        ("2026-10-01", "sms", "unspecified", 1, 3),
        ("2026-10-01", "sms", "other", 1, 3),
        ("2026-10-01", "email", "too_frequent", 1, 1),
    }
