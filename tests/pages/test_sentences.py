"""The overview's sentences and steps, each from its numbers: singular and plural, none, unknown, and no run before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from dashboard import access, next_steps
from dashboard.next_steps import State
from dashboard.words import overview as words

AS_OF = date(2026, 11, 18)


def verdict(word: str, violations: int = 0, messages: int = 1_200, reasons: str = "") -> dict[str, Any]:
    return {"verdict": word, "violation_count": violations, "message_count": messages, "reasons": reasons}


@pytest.mark.parametrize(
    ("row", "answer", "reason"),
    [
        (
            verdict("Pass"), "Yes. Every opt-out was heeded.",
            "There is no violation in 1,200 messages, and the evidence is complete.",
        ),
        (
            verdict("Pass", messages=1), "Yes. Every opt-out was heeded.",
            "There is no violation in 1 message, and the evidence is complete.",
        ),
        (
            verdict("Fail", 1, reasons="Violations: 1.\nRows quarantined: 3."), ":red[No.] 1 violation is on record.",
            "No waiver covers it; 1,200 messages looked at.",
        ),
        (
            verdict("Fail", 2_001), ":red[No.] 2,001 violations are on record.",
            "No waiver covers them; 1,200 messages looked at.",
        ),
        (
            verdict("Cannot attest", messages=0, reasons="No message is on record."),
            "Nobody can tell. The record has a hole.",
            "No violation was found in 0 messages, but something is missing. No message is on record.",
        ),
        (
            verdict("Cannot attest", reasons="Rows quarantined: 3.\nSource x_y is silent.\nWaived: 1."),
            "Nobody can tell. The record has 2 holes.",
            "No violation was found in 1,200 messages, but something is missing. Rows quarantined: 3.",
        ),
        (
            verdict("Cannot attest"), "Nobody can tell. The record has holes.",
            "No violation was found in 1,200 messages, but something is missing.",
        ),
    ],
)  # fmt: skip
def test_the_answer_and_what_it_rests_on(row: dict[str, Any], answer: str, reason: str) -> None:
    assert (words.answer(row), words.reason(row)) == (answer, reason)


def test_months_are_named_with_their_year_where_it_differs() -> None:
    def month(start: date, word: str, count: int) -> dict[str, Any]:
        return {"period_start": start, "verdict": word, "violation_count": count}

    said = words.month_against
    january, december = month(date(2026, 1, 1), "Pass", 0), month(date(2025, 12, 1), "Fail", 1)
    assert said(january, december) == "**January 2026: Pass**, December 2025: Fail with 1 violation."
    assert said(month(date(2026, 3, 1), "Fail", 12), month(date(2026, 2, 1), "Cannot attest", 0)) == (
        "**March 2026: Fail with 12 violations**, February: Cannot attest."
    )
    assert said(january, None) == "**January 2026: Pass**."
    assert said(None, None) is None


def change(
    what: str, then: int, now: int | None, new: int | None = None, gone: int | None = None, name: str = "*"
) -> dict[str, Any]:
    return {
        "since_run_id": "r1", "what": what, "name": name, "then_count": then, "now_count": now, "new_count": new,
        "gone_count": gone,
    }  # fmt: skip


def violations(rule: str, new: int, gone: int, now: int = 50) -> dict[str, Any]:
    return change("violations", now - new + gone, now, new, gone, rule)


def run(run_id: str, word: str | None = "Fail", count: int | None = 10) -> dict[str, Any]:
    return {"run_id": run_id, "verdict": word, "violation_count": count}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([], None),
        ([violations("message_after_opt_out", 0, 0)], None),
        ([violations("message_after_opt_out", 1, 0)], "**1 new violation**: message after opt-out (1)."),
        (
            [violations("message_after_opt_out", 0, 1)],
            "No new violation. 1 of before is a violation no more: waived, or the record now says otherwise.",
        ),
        (
            # As many as then, but other ones: the totals alone would say that nothing happened.
            [violations("message_after_opt_out", 3, 3)],
            "**3 new violations**: message after opt-out (3). 3 of before are violations no more: waived, or the "
            "record now says otherwise.",
        ),
        (
            [
                violations("message_after_opt_out", 1, 0), violations("message_without_consent", 1_200, 0),
                violations("opt_in_without_act", 2, 0), violations("confirmation_repeated", 1, 0),
            ],
            "**1,204 new violations**: message without consent (1,200), opt-in without an act (2), confirmation "
            "repeated (1), 1 of other rules.",
        ),
    ],
)  # fmt: skip
def test_new_violations_by_rule(changes: list[dict[str, Any]], said: str | None) -> None:
    assert words.new_violations(changes) == said


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        (3, 3, None),
        (0, 0, None),
        (0, 1, "1 row is in quarantine, 1 more than then."),
        (56, 70, "70 rows are in quarantine, 14 more than then."),
        (1_300, 70, "70 rows are in quarantine, 1,230 fewer than then."),
        (2, 0, "No row is in quarantine any more, 2 fewer than then."),
    ],
)
def test_a_count_beside_the_run_before(then: int, now: int, said: str | None) -> None:
    counted = words.count_change(
        [change("quarantined_rows", then, now)], "quarantined_rows", "row is in quarantine", "rows are in quarantine"
    )
    assert counted == said


def test_a_count_that_only_one_run_has_is_not_compared() -> None:
    assert words.count_change([], "open_requests", "x", "y") is None


def test_a_first_run_has_nothing_to_compare_with() -> None:
    assert words.since_last_run([run("r1")], []) == [words.FIRST_RUN]
    assert words.since_last_run([], []) == [words.FIRST_RUN]


def test_nothing_changed_is_said() -> None:
    changes = [violations("message_after_opt_out", 0, 0), change("restated_numbers", 900, None, None, 0)]
    [said] = words.since_last_run([run("r1"), run("r2")], changes)
    assert said.startswith("Nothing changed: ")


def test_a_run_whose_snapshot_is_gone_is_compared_by_its_totals() -> None:
    history = [run("r1", "Pass", 0), run("r2", "Fail", 1)]
    assert words.since_last_run(history, []) == [
        "**The verdict was Pass and is Fail.**",
        "**1 violation** on record, 0 then.",
        words.NOT_KEPT,
    ]
    # A verdict that nobody wrote down is no change.
    assert words.since_last_run([run("r1", None, None), run("r2")], []) == [words.NOT_KEPT]


def test_the_run_compared_with_is_the_one_that_was_published() -> None:
    history = [run("r1", "Pass"), run("r0", "Cannot attest"), run("r2", "Fail")]
    assert words.before(history, [change("open_requests", 1, 1)])["verdict"] == "Pass"
    assert words.before(history, [])["verdict"] == "Cannot attest"


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, None),
        (1, "1 number of finished periods is restated (900 had been reported)."),
        (2, "2 numbers of finished periods are restated (900 had been reported)."),
    ],
)
def test_restated_numbers(count: int, said: str | None) -> None:
    assert words.restated([change("restated_numbers", 900, None, None, count)]) == said
    assert words.restated([]) is None


def number(
    display: str,
    value: float | None,
    before: str = "No data",
    before_value: float | None = None,
    period: str = "October 2026",
) -> dict[str, Any]:
    return {
        "display": display, "value": value, "previous_display": before, "previous_value": before_value,
        "period_label": period,
    }  # fmt: skip


def test_headline_numbers_beside_the_month_before() -> None:
    rate, response = words.rate, words.response
    assert rate(number("1.2 %", 0.012, "1.3 %", 0.013)) == (
        "**Opt-out rate 1.2 %** in October 2026, 1.3 % the month before."
    )
    assert rate(number("1.2 %", 0.012, period="Whole record")) == "**Opt-out rate 1.2 %** in the whole record."
    assert rate(number("No data", None)) is None
    assert rate(None) is None
    assert response(number("1 h", 3_600.0, "Not reached")) == (
        "**Half of the opt-outs applied within 1 h** in October 2026, not reached the month before."
    )
    assert response(number("Not reached", None, "2 h", 7_200.0)) == (
        "**Fewer than half** of the opt-outs of October 2026 are known to be applied, 2 h the month before."
    )
    assert response(number("No data", None)) is None
    assert response(None) is None


NO_TEST = "No test tells a change of it from chance: no new level, no trend over twelve weeks."
FALLING = "More than chance explains: it has been falling for 12 weeks; it is lower than in October 2025."


def trend(direction: int | None) -> dict[str, Any]:
    return {"direction": direction, "weeks_used": 12 if direction is not None else 4}


def level(starts_on: date, before: float, after: float) -> dict[str, Any]:
    return {"starts_on": starts_on, "value_before": before, "value_after": after}


@pytest.mark.parametrize(
    ("direction", "levels", "year", "said"),
    [
        (0, [], None, NO_TEST),
        (None, [], None, "There are too few weeks to tell a change of it from chance."),
        (1, [], None, "More than chance explains: it has been rising for 12 weeks."),
        (-1, [], "Lower", FALLING),
        (0, [], "No clear difference", NO_TEST),
        # A level that changed half a year ago is no news.
        (0, [level(date(2026, 5, 4), 0.01, 0.02)], None, NO_TEST),
        (
            None, [level(date(2026, 10, 5), 0.01, 0.0125)], None,
            "More than chance explains: its level rose around the week of 5 Oct 2026, from 1.00 % to 1.25 % a week.",
        ),
    ],
)  # fmt: skip
def test_only_published_tests_speak_of_change(
    direction: int | None, levels: list[dict[str, Any]], year: str | None, said: str
) -> None:
    compared = {"label": year, "month": date(2026, 10, 1)} if year else None
    text = words.beyond_chance(trend(direction), levels, compared, AS_OF)
    assert text is not None
    assert text.replace("\u00a0", " ") == said


def test_without_a_published_test_nothing_is_said_of_chance() -> None:
    assert words.beyond_chance(None, [], None, AS_OF) is None


def test_silent_sources_and_slow_stretches() -> None:
    mail = {"source": "mail", "last_on": date(2026, 11, 3), "gap_days": 15.0}
    crm = {"source": "crm", "last_on": date(2026, 11, 9), "gap_days": 9.0}
    assert words.silence([]) is None
    assert words.silence([mail, mail]) == (
        "**mail is silent**: nothing since 3 Nov 2026, longer than its rhythm explains."
    )
    assert words.silence([crm, mail]) == ("**2 sources are silent**, longest of all mail: nothing since 3 Nov 2026.")
    stretch = {"first_on": date(2026, 10, 3), "last_on": date(2026, 10, 9)}
    assert words.slow(stretch, AS_OF) == (
        "Opt-outs of 3 Oct 2026 to 9 Oct 2026 took longer to be applied than others, more than chance explains."
    )
    assert words.slow(stretch, date(2027, 1, 5)) is None
    assert words.slow(None, AS_OF) is None


def found(rule: str, count: int, contact_count: int) -> Mapping[str, Any]:
    return {"rule": rule, "finding_count": count, "violation_count": count, "contact_count": contact_count}


ALARM = State(
    found=(found("message_after_opt_out", 7, 1), found("opt_out_request_missed", 1, 1)),
    open_count=3, late_count=1, oldest=datetime(2026, 5, 5, tzinfo=UTC), broken_waivers=1, silent_sources=2,
    quarantined_rows=70, limited_sources=1,
    campaigns=({"name": None, "campaign_id": "c_1", "channel": "sms", "ratio": 3.96, "period_start": None},),
    rising_reasons=({"reason": "too_frequent", "weeks_used": 12},),
    pressure={
        "dimension": "messages_7_days", "trend_q_value": 0.01, "ratio": 2.04, "ratio_lower": 1.5, "high_bucket": "5-6",
    },
)  # fmt: skip


def open_to(role: str) -> Any:
    return lambda page: role in access.PAGES[page]


def test_at_most_five_steps_the_most_pressing_first() -> None:
    steps = next_steps.steps(ALARM, open_to(access.OFFICER))
    assert [(step.page, step.label, step.concerns) for step in steps] == [
        ("findings", "Read the 8 violations, worst first", "Most of all message after opt-out, 1 contact"),
        ("missed", "Hear the 1 request to stop that nobody recorded", "1 contact who wrote to you"),
        ("response", "Apply the 1 opt-out past its deadline now", "The oldest was asked for on 5 May 2026"),
        ("response", "Apply 2 opt-outs before the deadline", "Not late yet"),
        ("waivers", "Renew or remove 1 waiver that does not hold", "What they excused counts again"),
    ]
    assert steps[0].query == {"violations": "true"}


def test_a_marketer_gets_steps_of_marketing() -> None:
    steps = next_steps.steps(ALARM, open_to(access.MARKETER))
    assert [(step.page, step.concerns) for step in steps] == [
        ("campaigns", "SMS: it loses 4.0 times as many people as the rest, beyond chance"),
        ("reasons", "Rising for 12 weeks, beyond chance"),
        ("timing", "5-6 messages in 7 days go with 2.0 times the opt-outs of one, beyond chance"),
    ]
    assert steps[0].label == "Look at the campaign c\\_1"
    assert steps[0].query == {"channel": "SMS"}


def test_a_viewer_is_led_to_the_audit_overview() -> None:
    steps = next_steps.steps(ALARM, open_to(access.VIEWER))
    assert steps[0].page == "audit"
    assert all(access.VIEWER in access.PAGES[step.page] for step in steps)


def test_where_nothing_presses_one_step_is_left() -> None:
    for role in (access.OFFICER, access.MARKETER, access.VIEWER):
        [step] = next_steps.steps(State(), open_to(role))
        assert (step.page, step.concerns) == ("trends", "Nothing presses")


@pytest.mark.parametrize(
    "told", [{"trend_q_value": 0.2}, {"trend_q_value": None}, {"ratio_lower": 0.9}, {"ratio_lower": None}]
)
def test_pressure_within_chance_is_no_step(told: dict[str, Any]) -> None:
    assert ALARM.pressure is not None
    assert next_steps.pressure(State(pressure={**ALARM.pressure, **told})) is None
