"""How long people stay, by example: small tables of consent acts, and what they come to, with the arithmetic."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars
import pytest
from scipy import stats

from pipelines import sqlfiles
from pipelines.build import write_reference
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures import membership
from pipelines.resources import reference_folder
from tests.support.measured import nine, numbers
from tests.support.one_family import measured_alone
from tests.support.working_database import insert, working_database

DAY = 86_400
AS_OF = "2026-06-30 00:00:00+00"
START = datetime(2026, 1, 1)  # noqa: DTZ001
#: Event type, kind of span, and what such an act does to one.
ROLES = polars.read_csv(reference_folder() / "span_acts.csv").rows()


def stayed(acts: list[dict[str, Any]], spans: list[dict[str, Any]] | None = None) -> DuckDBEngine:
    """A working database of these acts, measured: `day` counts from 1 January, `type` is the event type.

    Each contact is on one channel (sms unless told), and has one scope key there. The first departure is on record as
    an opt-out span, unless other `spans` are told.
    """
    events, scoped = [], []
    for number, act in enumerate(acts):
        told = dict(act)
        at = f"{START + timedelta(days=told.pop('day'))}+00"
        key = {"source": "crm", "event_id": f"e{number}", "contact_key": told.pop("contact")}
        key |= {"channel": told.pop("channel", "sms"), "event_type": told.pop("type", "opt_in"), "requested_at": at}
        events.append(key | {"requested_on": at[:10]} | told)
        scope = {"scope_key": f"{key['contact_key']}|{key['channel']}", "program": "*"}
        scoped += [key | scope | {"kind": kind, "role": role} for of, kind, role in ROLES if of == key["event_type"]]
    if spans is None:
        left = [event for event in events if event["event_type"] in ("opt_out", "complaint", "block")]
        firsts = {event["channel"]: event for event in sorted(left, key=lambda one: one["requested_at"], reverse=True)}
        spans = [
            {"span_id": number, "contact_key": event["contact_key"], "channel": channel}
            | {"begins_at": event["requested_at"], "begins_on": event["requested_on"]}
            for number, (channel, event) in enumerate(firsts.items())
        ]
    # The stretches are made from the acts, as in a run.
    with working_database() as made:
        write_reference(made)
        insert(made, "core.scoped_acts", *scoped)
        stretches = made.records(sqlfiles.read("core.consent_spans").text)
    rows = {
        "core.consent_events": events,
        "core.scoped_acts": scoped,
        "core.opt_out_spans": spans,
        "core.consent_spans": stretches,
    }
    return measured_alone(membership.measure, ("opt_in_profiles", "consent_stretches"), rows, AS_OF)


def groups(engine: DuckDBEngine, where: str, *columns: str) -> list[tuple[Any, ...]]:
    """Columns of metrics.membership, floats to nine decimals."""
    rows = engine.rows(f"select {', '.join(columns)} from metrics.membership where {where} order by all")
    return [tuple(nine(cell) if isinstance(cell, float) else cell for cell in row) for row in rows]


FIVE = [
    {"contact": 1, "day": 0, "type": "opt_in"}, {"contact": 1, "day": 5, "type": "opt_out"},
    {"contact": 2, "day": 10, "type": "opt_in"}, {"contact": 2, "day": 30, "type": "block"},
    {"contact": 3, "day": 60, "type": "opt_in"},
    {"contact": 4, "day": 160, "type": "opt_in"},
    {"contact": 5, "day": 170, "type": "opt_in"}, {"contact": 5, "day": 178, "type": "complaint"},
]  # fmt: skip


def test_the_share_gone_counts_those_who_stay_as_staying_on() -> None:
    # As of day 180 the stays are 5, 20 and 8 days, ended, and 120 and 20 days, going on.
    # Within 7 days: 1/5. Then 8 days: 4 are at risk: 1 - 4/5 * 3/4 = 0.4; 20 days: 3 at risk: 1 - 3/5 * 2/3 = 0.6.
    # Nobody has been there for 365 days. Half are gone within 20 days.
    engine = stayed(FIVE)
    where = "cohort = 'all' and dimension = 'channel'"
    columns = ("value", "opt_in_count", "left_count", "left_7_days", "left_30_days", "left_90_days", "left_365_days")
    assert groups(engine, where, *columns, "median_days", "followed_days", "is_small") == [
        ("*", 5, 3, 0.2, 0.6, 0.6, None, 20.0, 120.0, True),
        ("sms", 5, 3, 0.2, 0.6, 0.6, None, 20.0, 120.0, True),
    ]
    assert numbers(engine, "membership", "channel = '*' and definition not like '%watched'",
                   "definition", "numerator", "denominator", "value", "unit") == {
        ("left_within_7_days", 1, 5, 0.2, "share"),
        ("left_within_30_days", 3, 5, 0.6, "share"),
        ("left_within_90_days", 3, 5, 0.6, "share"),
        ("left_within_365_days", 3, 5, None, "share"),
        ("median_stay", 3, 5, 20 * DAY, "seconds"),
    }  # fmt: skip
    steps = engine.rows(
        "select days, share_left, at_risk from metrics.membership_curve"
        " where cohort = 'all' and dimension = 'channel' and value = 'sms' order by days"
    )
    assert steps == [(5, pytest.approx(0.2), 5), (8, pytest.approx(0.4), 4), (20, pytest.approx(0.6), 3)]


def test_opt_ins_of_before_departures_are_on_record_are_told_apart() -> None:
    # The first departure on record is on day 5: who opted in on day 0 or 3 is older than that.
    engine = stayed([*FIVE, {"contact": 6, "day": 3, "type": "opt_in"}])
    where = "dimension = 'channel' and value = '*'"
    assert groups(engine, where, "cohort", "opt_in_count", "left_count") == [("all", 6, 3), ("watched", 4, 2)]
    # Watched: 8 and 20 days, ended; 20 and 120 going on. Within 7 days none of 4.
    watched = numbers(engine, "membership", "channel = '*' and definition like '%watched'", "definition", "value")
    assert ("left_within_7_days_watched", 0.0) in watched


def test_a_record_without_older_opt_ins_has_one_cohort() -> None:
    spans = [{"contact_key": 9, "begins_at": "2025-12-01 00:00:00+00", "begins_on": "2025-12-01"}]
    assert groups(stayed(FIVE, spans=spans), "true", "distinct cohort") == [("all",)]


def test_how_an_opt_in_began_is_what_its_first_act_says() -> None:
    acts = [
        # Confirmed at once: double. Its method is the opening act's.
        {"contact": 1, "day": 0, "type": "opt_in_confirmed", "method": "link", "source_type": "own_web"},
        # Confirmed three hours later: double. The further opt-in changes nothing.
        {"contact": 2, "day": 0, "method": "web_form", "consent_text": "Yes, and 10 % OFF my order"},
        {"contact": 2, "day": 0.125, "type": "opt_in_confirmed"}, {"contact": 2, "day": 9, "method": "agent"},
        # Confirmed after three days: those who left in between could not: single.
        {"contact": 3, "day": 0, "method": "web_form", "consent_source": "Gewinnspiel 2026"},
        {"contact": 3, "day": 3, "type": "opt_in_confirmed"},
        # Its second stretch is confirmed, not the first.
        {"contact": 4, "day": 0, "consent_source": "checkout"}, {"contact": 4, "day": 0.5, "type": "opt_out"},
        {"contact": 4, "day": 0.75, "type": "opt_in_confirmed"},
    ]  # fmt: skip
    engine = stayed(acts)
    found = {
        dimension: dict(groups(engine, f"cohort = 'all' and channel = '*' and dimension = '{dimension}'",
                               "value", "opt_in_count"))
        for dimension in ("opt_in_kind", "incentive", "method", "source_type", "consent_source")
    }  # fmt: skip
    assert found == {
        "opt_in_kind": {"double": 3, "single": 2},
        "incentive": {"yes": 2, "no": 1, "unknown": 2},
        "method": {"link": 1, "web_form": 2, "unknown": 2},
        "source_type": {"own_web": 1, "unknown": 4},
        # Named by fewer than 20 contacts: not published.
        "consent_source": {"unknown": 3, "other": 2},
    }


#: Texts that promise something (yes) and texts that do not.
SAID = {
    "Get 10% off your first order": "yes", "Enter to win a trip": "yes", "Free gift with your sign-up": "yes",
    "Mit Gutschein zum Newsletter": "yes", "Participa en el sorteo": "yes", "Recevez un code promo": "yes",
    "iscriviti e ricevi uno sconto": "yes", "ニュースレター登録でクーポン": "yes",
    "I want to hear from you and can stop at any time": "no", "Ich möchte den Newsletter gratis erhalten": "no",
    "Twin airbags: news": "no",
}  # fmt: skip


def test_an_incentive_is_read_from_source_or_text() -> None:
    acts = [{"contact": number, "day": 0, "consent_source": said} for number, said in enumerate(SAID)]
    acts += [{"contact": 100 + number, "day": 0, "consent_text": said} for number, said in enumerate(SAID)]
    engine = stayed(acts)
    for column in ("consent_source", "consent_text"):
        found = engine.rows(f"select {column}, incentive from metrics.opt_in_profiles where {column} is not null")
        assert dict(found) == SAID, column
    assert groups(engine, "dimension = 'incentive' and channel = '*'", "value", "opt_in_count") == [
        ("no", 6), ("yes", 16),
    ]  # fmt: skip


def test_a_source_is_named_once_twenty_contacts_share_it() -> None:
    acts = [{"contact": number, "day": 1, "consent_source": "fair"} for number in range(20)]
    acts += [{"contact": 100 + number, "day": 1, "consent_source": "a.b, 1 Main St"} for number in range(19)]
    engine = stayed(acts)
    where = "dimension = 'consent_source' and channel = '*'"
    assert groups(engine, where, "value", "opt_in_count") == [("fair", 20), ("other", 19)]


# The test between groups


def planted(seed: int, *, ratio: float = 1.0, count: int = 160) -> tuple[list[dict[str, Any]], Any]:
    """Opt-ins of half a year, double ones leaving `ratio` times as slowly; and the times, ends and kinds in them."""
    chance = np.random.default_rng(seed)
    begins = chance.uniform(0, 170, count)
    kinds = chance.integers(0, 2, count)
    stays = chance.exponential(np.where(kinds == 0, 60.0 * ratio, 60.0))
    acts = []
    for number, (day, kind, stay) in enumerate(zip(begins, kinds, stays, strict=True)):
        kind_of = "opt_in" if kind else "opt_in_confirmed"
        acts.append({"contact": number, "day": float(day), "type": kind_of})
        if day + stay < 180:
            acts.append({"contact": number, "day": float(day + stay), "type": "opt_out"})
    seconds = np.minimum(stays, 180 - begins)
    return acts, (seconds, begins + stays < 180, kinds)


EARLY = [{"contact_key": 1, "begins_at": "2025-12-01 00:00:00+00", "begins_on": "2025-12-01"}]


@pytest.mark.parametrize("seed", range(2))
def test_groups_are_compared_by_log_rank(seed: int) -> None:
    acts, (days, left, kinds) = planted(seed, ratio=1.5)
    engine = stayed(acts, spans=EARLY)
    double, single = (stats.CensoredData.right_censored(days[kinds == kind], ~left[kinds == kind]) for kind in (0, 1))
    expected = stats.logrank(double, single)
    columns = "chi_squared, degrees, p_value, stratified_by, group_count, opt_in_count"
    [found] = engine.rows(
        f"select {columns} from metrics.membership_tests where dimension = 'opt_in_kind' and channel = '*'"
    )
    assert found[:3] == (pytest.approx(expected.statistic**2, rel=1e-6), 1, pytest.approx(expected.pvalue, rel=1e-6))
    assert found[3:] == ("channel", 2, len(days))
    curve = stats.ecdf(double).sf
    [(month, gone, hoped)] = engine.rows(
        "select left_30_days, left_count, expected_left_count from metrics.membership"
        " where cohort = 'all' and channel = '*' and value = 'double'"
    )
    assert month == pytest.approx(1 - float(curve.evaluate(30)), abs=1e-9)
    assert gone == left[kinds == 0].sum()
    # Double opt-ins leave more slowly, so fewer left than if all left alike.
    assert gone < hoped


def test_a_planted_difference_is_found_and_equal_groups_are_not_told_apart() -> None:
    where = "dimension = 'opt_in_kind' and channel = '*'"
    acts, _ = planted(7, ratio=4.0, count=160)
    [(sure,)] = stayed(acts, spans=EARLY).rows(f"select p_adjusted from metrics.membership_tests where {where}")
    assert sure < 0.001
    acts, _ = planted(9)
    [(chance,)] = stayed(acts, spans=EARLY).rows(f"select p_adjusted from metrics.membership_tests where {where}")
    assert chance > 0.05


def test_a_difference_between_channels_is_none_between_methods() -> None:
    # By sms all leave soon and most opted in by keyword; by email few leave, and most opted in by web form.
    chance = np.random.default_rng(11)
    acts = []
    for number in range(400):
        channel = "sms" if number % 2 else "email"
        usual = chance.random() < 0.85
        method = "keyword" if (channel == "sms") == usual else "web_form"
        stay = float(chance.exponential(20 if channel == "sms" else 200))
        day = float(chance.uniform(0, 170))
        acts.append({"contact": number, "day": day, "channel": channel, "method": method})
        if day + stay < 180:
            acts.append({"contact": number, "day": day + stay, "channel": channel, "type": "opt_out"})
    spans = [EARLY[0] | {"span_id": 1, "channel": "sms"}, EARLY[0] | {"span_id": 2, "channel": "email"}]
    found = dict(
        stayed(acts, spans=spans).rows("select dimension, p_adjusted from metrics.membership_tests where channel = '*'")
    )
    assert found["channel"] < 1e-6
    assert found["method"] > 0.05


def test_small_and_unknown_groups_are_in_no_test() -> None:
    acts = [{"contact": number, "day": number % 50, "method": "web_form"} for number in range(40)]
    acts += [{"contact": 100 + number, "day": number, "method": "agent"} for number in range(19)]
    acts += [{"contact": 200 + number, "day": number} for number in range(40)]
    acts += [{"contact": number, "day": 60 + number, "type": "opt_out"} for number in range(10)]
    engine = stayed(acts)
    assert engine.value("select count(*) from metrics.membership_tests where dimension = 'method'") == 0
    assert groups(engine, "cohort = 'all' and channel = '*' and dimension = 'method'", "value", "is_small") == [
        ("agent", True), ("unknown", False), ("web_form", False),
    ]  # fmt: skip


def test_an_empty_record_has_relations_without_rows() -> None:
    engine = stayed([])
    for relation in ("membership", "membership_curve", "membership_tests"):
        assert engine.value(f"select count(*) from metrics.{relation}") == 0
