"""The plain-Python reference against cases worked out by hand: it judges the pipeline, so it is judged first.

Times are written `DD HH:MM`, a day of March 2026 in UTC; a dash is an empty value.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from tests.support.reference import answer_for, linked_persons
from tests.support.reference_numbers import period_start, survival, trend
from tests.support.reference_spans import Event, Message, Policy, deadline, spans


def at(text: str) -> datetime:
    return datetime.strptime(f"2026-03-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def optional(text: str) -> str | None:
    return None if text == "-" else text


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]


def messages(table: str) -> list[Message]:
    """Message per line: id | contact | channel | program | campaign | class | status | sent_at."""
    return [
        Message("s", name, channel, contact, None, program, optional(campaign), message_class, at(sent), status)
        for name, contact, channel, program, campaign, message_class, status, sent in cells(table)
    ]


def events(table: str) -> list[Event]:
    """Event per line: id | contact | channel | program | type | requested_at | processed_at."""
    return [
        Event(
            "c", name, channel, contact, None, program, kind, at(requested), at(processed) if processed != "-" else None
        )
        for name, contact, channel, program, kind, requested, processed in cells(table)
    ]


def shown(instant: datetime | None) -> str:
    return "-" if instant is None else instant.strftime("%d %H:%M")


def spans_of(table: str, message_table: str = "", scope: str = "channel", **person_of: str) -> list[str]:
    known = messages(message_table) if message_table else []
    return [
        f"{span.kind} {span.key.owner} {span.key.channel} {span.key.program} | "
        f"{shown(span.begins_at)} | {shown(span.processed_at)} | {shown(span.ends_at)} | {span.repeat_count}"
        for span in spans(known, events(table), person_of, Policy(scope=scope))
    ]


# Spans


def test_an_opt_in_ends_an_opt_out_and_repeats_are_counted() -> None:
    assert spans_of(
        """
        1 | a | sms | * | opt_out          | 01 10:00 | -
        2 | a | sms | * | complaint        | 01 11:00 | 01 12:00
        3 | a | sms | * | opt_in_requested | 01 13:00 | -
        4 | a | sms | * | opt_in           | 02 10:00 | -
        5 | a | sms | * | opt_in_confirmed | 02 11:00 | -
        6 | a | sms | * | opt_out          | 03 10:00 | 03 09:00
        """
    ) == [
        "opt_out a sms * | 01 10:00 | 01 12:00 | 02 10:00 | 1",
        # Applied before it was asked for: counts as applied when asked.
        "opt_out a sms * | 03 10:00 | 03 10:00 | - | 0",
    ]


def test_blocks_and_opt_outs_are_kept_apart() -> None:
    assert spans_of(
        """
        1 | a | sms | * | block   | 01 10:00 | 01 10:00
        2 | a | sms | * | opt_out | 01 11:00 | 01 11:30
        3 | a | sms | * | unblock | 01 12:00 | -
        4 | a | sms | * | block   | 01 13:00 | -
        5 | a | sms | * | opt_in  | 01 14:00 | -
        """
    ) == [
        "opt_out a sms * | 01 11:00 | 01 11:30 | 01 14:00 | 0",
        "block a sms * | 01 10:00 | 01 10:00 | 01 12:00 | 0",
        "block a sms * | 01 13:00 | - | 01 14:00 | 0",
    ]


def test_at_equal_times_the_opt_out_is_the_later_act() -> None:
    assert spans_of(
        """
        1 | a | sms | * | opt_out | 01 10:00 | -
        2 | a | sms | * | opt_out | 01 12:00 | -
        3 | a | sms | * | opt_in  | 01 12:00 | -
        """
    ) == ["opt_out a sms * | 01 10:00 | - | 01 12:00 | 0", "opt_out a sms * | 01 12:00 | - | - | 0"]


def test_every_channel_means_each_known_channel_of_the_contact() -> None:
    assert spans_of(
        """
        1 | a | *     | * | opt_out | 01 10:00 | -
        2 | a | email | * | opt_in  | 01 12:00 | -
        3 | b | *     | * | opt_out | 01 10:00 | -
        """,
        "m | a | sms | default | - | transactional | sent | 01 09:00",
    ) == [
        "opt_out a email * | 01 10:00 | - | 01 12:00 | 0",
        "opt_out a sms * | 01 10:00 | - | - | 0",
        "opt_out b * * | 01 10:00 | - | - | 0",
    ]


def test_scope_program_keeps_programs_apart_and_every_program_means_each_known_one() -> None:
    assert spans_of(
        """
        1 | a | sms | news | opt_out | 01 10:00 | -
        2 | a | sms | *    | opt_out | 01 11:00 | -
        3 | a | sms | sale | opt_in  | 01 12:00 | -
        4 | a | *   | news | opt_in  | 01 13:00 | -
        """,
        "m | a | sms | default | - | marketing | sent | 01 09:00",
        scope="program",
    ) == [
        "opt_out a sms default | 01 11:00 | - | - | 0",
        "opt_out a sms news | 01 10:00 | - | 01 13:00 | 1",
        "opt_out a sms sale | 01 11:00 | - | 01 12:00 | 0",
    ]


def test_scope_person_joins_the_addresses_of_one_person() -> None:
    assert spans_of(
        """
        1 | a | sms   | news | opt_out | 01 10:00 | -
        2 | b | email | *    | opt_out | 01 11:00 | -
        3 | c | sms   | *    | opt_out | 01 11:00 | -
        """,
        scope="person",
        a="p",
        b="p",
    ) == ["opt_out c * * | 01 11:00 | - | - | 0", "opt_out p * * | 01 10:00 | - | - | 1"]


def test_persons_are_linked_over_any_number_of_steps() -> None:
    links = [("a", "p3"), ("b", "p3"), ("b", "p1"), ("c", "p1"), ("d", "p9")]
    assert linked_persons(links) == {"a": "p1", "b": "p1", "c": "p1", "d": "p9"}


# Findings


def classes_of(message_table: str, event_table: str, **policy: str) -> list[str]:
    found = answer_for(messages(message_table), events(event_table), {}, at("31 00:00"), Policy(**policy)).findings
    return [
        f"{finding.message.message_id} {finding.finding_class} {finding.severity} "
        f"{'delivered' if finding.delivered else 'not delivered'}, span {shown(finding.span.begins_at)}"
        for finding in found
    ]


def test_the_first_matching_class_decides() -> None:
    assert classes_of(
        """
        at-begin   | a | sms | default | - | marketing     | sent        | 01 10:00
        in-flight  | a | sms | default | - | marketing     | sent        | 01 10:30
        at-process | a | sms | default | - | unknown       | failed      | 01 11:00
        after      | a | sms | default | - | unknown       | undelivered | 01 11:01
        refused    | a | sms | default | - | marketing     | suppressed  | 01 12:00
        service    | a | sms | default | - | transactional | sent        | 01 12:00
        goodbye    | a | sms | default | - | confirmation  | sent        | 01 12:00
        mail       | a | email | default | - | marketing   | sent        | 01 12:00
        at-end     | a | sms | default | - | marketing     | sent        | 05 10:00
        """,
        """
        1 | a | sms | * | opt_out | 01 10:00 | 01 11:00
        2 | a | sms | * | opt_in  | 05 10:00 | -
        """,
    ) == [
        "in-flight sent_in_flight notice delivered, span 01 10:00",
        "at-process sent_in_flight notice not delivered, span 01 10:00",
        "after sent_after_processing critical not delivered, span 01 10:00",
        "refused suppressed_by_provider warning not delivered, span 01 10:00",
    ]


def test_without_proof_of_processing_the_deadline_decides() -> None:
    # 48 h after 01 10:00 is 03 10:00; at that very instant the message is still in time.
    assert classes_of(
        """
        in-time | a | sms | default | - | marketing | sent | 03 10:00
        late    | a | sms | default | - | marketing | sent | 03 10:01
        """,
        "1 | a | sms | * | opt_out | 01 10:00 | -",
        default_deadline="48h",
    ) == [
        "in-time sent_in_flight notice delivered, span 01 10:00",
        "late sent_past_deadline critical delivered, span 01 10:00",
    ]


def test_the_span_that_began_first_is_cited_and_of_two_the_opt_out() -> None:
    assert classes_of(
        """
        both  | a | sms | default | - | marketing | sent | 01 12:00
        equal | b | sms | default | - | marketing | sent | 01 12:00
        """,
        """
        1 | a | sms | * | opt_out | 01 10:00 | 01 10:00
        2 | a | sms | * | block   | 01 09:00 | -
        3 | b | sms | * | block   | 01 10:00 | -
        4 | b | sms | * | opt_out | 01 10:00 | 01 10:00
        """,
    ) == [
        "both sent_in_flight notice delivered, span 01 09:00",
        "equal sent_after_processing critical delivered, span 01 10:00",
    ]


@pytest.mark.parametrize(
    ("default_deadline", "report_timezone", "expected"),
    [
        ("24h", "UTC", datetime(2026, 3, 7, 3, 30, tzinfo=UTC)),
        ("2d", "America/New_York", datetime(2026, 3, 8, 3, 30, tzinfo=UTC)),
        # Friday 6 March; day 1 is Monday the 9th, and that day ends at 00:00 on the 10th.
        ("1bd", "UTC", datetime(2026, 3, 10, tzinfo=UTC)),
        # In New York it is still Thursday the 5th: day 1 is Friday, which ends at 05:00 UTC on Saturday.
        ("1bd", "America/New_York", datetime(2026, 3, 7, 5, tzinfo=UTC)),
        # Day 2 is Monday the 9th; the clocks have gone forward on the 8th, so it ends at 04:00 UTC.
        ("2bd", "America/New_York", datetime(2026, 3, 10, 4, tzinfo=UTC)),
    ],
)
def test_deadlines_count_hours_days_or_business_days(
    default_deadline: str, report_timezone: str, expected: datetime
) -> None:
    policy = Policy(default_deadline=default_deadline, report_timezone=report_timezone)
    assert deadline(datetime(2026, 3, 6, 3, 30, tzinfo=UTC), policy) == expected


# Numbers


def test_opt_out_rate_counts_pairs_reached_that_began_a_span_in_the_period() -> None:
    rates = answer_for(
        messages(
            """
            1 | a | sms   | news | x | marketing     | delivered | 02 10:00
            2 | a | sms   | sale | y | marketing     | sent      | 03 10:00
            3 | a | email | news | - | unknown       | read      | 02 10:00
            4 | b | sms   | news | x | marketing     | accepted  | 10 10:00
            5 | c | sms   | news | x | marketing     | failed    | 02 10:00
            6 | d | sms   | news | x | transactional | delivered | 02 10:00
            """
        ),
        events(
            """
            1 | a | sms | * | opt_out | 03 12:00 | -
            2 | b | sms | * | block   | 03 12:00 | -
            3 | c | sms | * | opt_out | 03 12:00 | -
            """
        ),
        {},
        at("31 00:00"),
        Policy(),
    ).opt_out_rates
    # Reached: (a, sms), (a, email) in the week of Monday the 2nd, (b, sms) in the week of the 9th.
    assert rates["all", None, "*", "*", "*"] == (2, 3)
    assert rates["month", date(2026, 3, 1), "*", "*", "*"] == (2, 3)
    assert rates["week", date(2026, 3, 2), "*", "*", "*"] == (1, 2)
    # b began its block on the 3rd, in a week in which it was not reached.
    assert rates["week", date(2026, 3, 9), "*", "*", "*"] == (0, 1)
    assert rates["day", date(2026, 3, 2), "*", "*", "*"] == (0, 2)
    assert rates["day", date(2026, 3, 3), "*", "*", "*"] == (1, 1)
    assert rates["all", None, "email", "*", "*"] == (0, 1)
    assert rates["all", None, "*", "news", "*"] == (2, 3)
    assert rates["all", None, "sms", "sale", "*"] == (1, 1)
    assert rates["all", None, "*", "*", "x"] == (2, 2)
    assert rates["week", date(2026, 3, 2), "*", "*", "x"] == (1, 1)
    assert ("all", None, "push", "*", "*") not in rates


def test_by_program_only_spans_that_cover_the_program_count() -> None:
    rates = answer_for(
        messages(
            """
            1 | a | sms | news | - | marketing | sent | 02 10:00
            2 | a | sms | sale | - | marketing | sent | 02 10:00
            """
        ),
        events("1 | a | sms | news | opt_out | 03 12:00 | -"),
        {},
        at("31 00:00"),
        Policy(scope="program"),
    ).opt_out_rates
    assert rates["all", None, "*", "*", "*"] == (1, 1)
    assert rates["all", None, "*", "news", "*"] == (1, 1)
    assert rates["all", None, "*", "sale", "*"] == (0, 1)


def test_opt_outs_of_pairs_not_reached_are_counted_beside_the_rate() -> None:
    counts = answer_for(
        messages(
            """
            1 | a | sms | news | x | marketing | sent   | 02 10:00
            2 | c | sms | news | x | marketing | failed | 02 10:00
            """
        ),
        events(
            """
            1 | a | sms   | * | opt_out | 03 12:00 | -
            2 | c | sms   | * | opt_out | 03 12:00 | -
            3 | e | email | * | opt_out | 03 12:00 | -
            """
        ),
        {},
        at("31 00:00"),
        Policy(),
    ).opt_outs_not_reached
    assert counts["all", None, "*", "*", "*"] == (2, 0)
    assert counts["day", date(2026, 3, 3), "*", "*", "*"] == (3, 0)
    assert counts["all", None, "email", "*", "*"] == (1, 0)


def test_iso_weeks_begin_on_monday_and_belong_to_one_year_only() -> None:
    assert period_start(date(2027, 1, 1), "week") == date(2026, 12, 28)
    assert period_start(date(2026, 3, 2), "week") == date(2026, 3, 2)
    assert period_start(date(2026, 3, 1), "week") == date(2026, 2, 23)


def fractions(*values: int) -> list[Fraction]:
    return [Fraction(value) for value in values]


def test_kaplan_meier_by_hand() -> None:
    # At 1: 5 at risk, 1 done, share still open 4/5. At 2: one censored. At 3: 3 at risk, 1 done, 4/5 * 2/3 = 8/15.
    # At 4: 2 at risk, 1 done, 8/15 * 1/2 = 4/15, so 11/15 are processed: the median is 4. Then one censored at 10.
    # Area: 1*1 + 4/5*2 + 8/15*1 + 4/15*6 = 1 + 1.6 + 0.5333 + 1.6 = 4.7333.
    result = survival(fractions(1, 3, 4), fractions(2, 10))
    assert (result.median, result.p90, result.p95) == (4.0, None, None)
    assert result.restricted_mean == pytest.approx(71 / 15)
    assert result.mean_completed == pytest.approx(8 / 3)
    assert (result.open_count, result.oldest_open_age) == (2, 10.0)


def test_quantiles_are_exact_where_the_share_is_just_reached() -> None:
    # Ten completed: after the fifth exactly half, after the ninth exactly nine tenths.
    result = survival(fractions(*range(1, 11)), [])
    assert (result.median, result.p90, result.p95) == (5.0, 9.0, 10.0)
    assert result.restricted_mean == 5.5


def test_a_completion_at_the_moment_of_censoring_counts_first() -> None:
    # Both at risk at 5, one done: exactly half are processed.
    assert survival(fractions(5), fractions(5)).median == 5.0
    assert survival([], fractions(5)).median is None


def test_response_time_is_about_opt_outs_and_leaves_those_without_proof_open() -> None:
    found = answer_for(
        [],
        events(
            """
            1 | a | sms   | * | opt_out | 01 10:00 | 01 12:00
            2 | b | sms   | * | opt_out | 01 10:00 | -
            3 | b | sms   | * | opt_in  | 01 11:00 | -
            4 | c | email | * | block   | 01 10:00 | 01 11:00
            """
        ),
        {},
        at("02 10:00"),
        Policy(),
    ).response_times
    assert found["all", None, "*"].mean_completed == 7200
    # b's opt-out ended an hour later, yet nothing shows that it was ever applied: 24 h old at as_of.
    assert found["all", None, "*"].oldest_open_age == 86400
    assert ("all", None, "email") not in found


def weeks(*percentages: int) -> list[tuple[int, Fraction]]:
    return [(position, Fraction(percentage, 100)) for position, percentage in enumerate(percentages)]


def test_a_steady_rise_is_increasing() -> None:
    # Six rising weeks: S = 15, Var = 6*5*17/18 = 28.33, z = 14/5.32 = 2.63, p = 0.0085.
    result = trend(weeks(1, 2, 3, 4, 5, 6))
    assert (result.direction, result.weeks_used) == ("Increasing", 6)
    assert result.slope == pytest.approx(1.0)
    assert trend(weeks(6, 5, 4, 3, 2, 1)).direction == "Decreasing"


def test_ties_take_variance_away_and_too_little_is_not_a_trend() -> None:
    # S = 8 of 15 pairs (7 tied); Var = (510 - 2*(3*2*11))/18 = 21.0, z = 8/4.58 = 1.75, p = 0.081.
    assert trend(weeks(1, 1, 1, 2, 2, 2)).direction == "No clear trend"
    assert trend(weeks(3, 3, 3, 3, 3, 3)).direction == "No clear trend"
    assert trend(weeks(1, 2, 3, 4, 5)).direction == "Not enough data"


def test_a_missing_week_keeps_its_place_on_the_time_axis() -> None:
    # Slopes per week between (0, 1 %), (1, 2 %), (3, 4 %) ... are all one point.
    assert trend([(place, Fraction(place + 1, 100)) for place in (0, 1, 3, 4, 6, 7)]).slope == pytest.approx(1.0)
