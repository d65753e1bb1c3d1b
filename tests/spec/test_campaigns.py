"""The league of campaigns by example: what is counted where, and the arithmetic of one campaign."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.engines.duckdb import DuckDBEngine
from tests.support.measured import measured

REPORTS = [{"source": "shop", "reports_delivery": 1}]
MESSAGES = """
message_id channel campaign_id contact sent             status
m1         sms     autumn      1       2026-09-30       delivered
m2         sms     autumn      2       2026-10-05       read
m3         sms     autumn      3       2026-10-05       delivered
m4         sms     autumn      4       2026-10-05       sent
m5         sms     spring      5       2026-10-05       delivered
m6         sms     -           6       2026-10-05       delivered
m7         email   autumn      7       2026-10-05       delivered
m8         sms     failed      8       2026-10-05       failed
"""


def attributed(span_id: int, **columns: Any) -> dict[str, Any]:
    """An attribution of an opt-out of October by SMS."""
    told = {
        "span_id": span_id,
        "contact_key": span_id,
        "begins_at": "2026-10-06 12:00:00+00",
        "begins_on": "2026-10-06",
    }
    return told | {"attributed_by": "message", "channel": "sms", "program": "default"} | columns


def league(engine: DuckDBEngine, columns: str, where: str = "grain = 'month'") -> set[tuple[Any, ...]]:
    """Rows of metrics.campaigns, dates as text."""
    return set(
        engine.rows(
            f"select cast(period_start as text), channel, campaign_id, {columns} from metrics.campaigns where {where}"
        )
    )


def test_a_campaign_s_messages_and_opt_outs_count_in_the_month_of_sending() -> None:
    opt_outs = [
        # m1 was sent in September: that its reader left in October changes nothing.
        attributed(1, campaign_id="autumn", source="shop", message_id="m1", sent_at="2026-09-30 12:00:00+00"),
        attributed(2, campaign_id="autumn", source="shop", message_id="m2", sent_at="2026-10-05 12:00:00+00"),
        # Only the campaign is known: its own day counts.
        attributed(3, attributed_by="campaign", campaign_id="spring"),
        attributed(4, attributed_by="none"),
    ]
    engine = measured(MESSAGES, core__attributions=opt_outs, core__delivery_reports=REPORTS)
    assert league(engine, "delivered_count, opt_out_count") == {
        ("2026-09-01", "sms", "autumn", 1, 1),
        # m4 was sent, by a source that reports deliveries: it is none.
        ("2026-10-01", "sms", "autumn", 2, 1),
        ("2026-10-01", "sms", "spring", 1, 1),
        ("2026-10-01", "email", "autumn", 1, 0),
    }
    assert league(engine, "delivered_count, opt_out_count", "grain = 'all'") == {
        (None, "sms", "autumn", 3, 2),
        (None, "sms", "spring", 1, 1),
        (None, "email", "autumn", 1, 0),
    }


def test_without_reports_of_delivery_sent_messages_count() -> None:
    engine = measured(MESSAGES, core__delivery_reports=[{"source": "shop", "reports_delivery": 0}])
    assert ("2026-10-01", "sms", "autumn", 3) in league(engine, "delivered_count")


def test_an_opt_out_on_every_channel_counts_on_the_campaign_s_only_one() -> None:
    opt_outs = [
        attributed(1, attributed_by="campaign", campaign_id="spring", channel="*"),
        # autumn went out on two channels, so nobody can tell which.
        attributed(2, attributed_by="campaign", campaign_id="autumn", channel="*"),
    ]
    engine = measured(MESSAGES, core__attributions=opt_outs, core__delivery_reports=REPORTS)
    assert {(channel, campaign) for _, channel, campaign, count in league(engine, "opt_out_count") if count} == {
        ("sms", "spring")
    }


def test_days_are_those_of_the_report_time_zone() -> None:
    # 03:59 UTC on 1 November is still October in New York.
    messages = "message_id campaign_id contact sent             sent_on\nm1 autumn 1 2026-11-01T03:59 2026-10-31"
    opt_outs = [attributed(1, campaign_id="autumn", message_id="m1", sent_at="2026-11-01 03:59:00+00")]
    engine = measured(messages, zone="America/New_York", core__attributions=opt_outs, core__delivery_reports=REPORTS)
    assert league(engine, "delivered_count, opt_out_count") == {("2026-10-01", "sms", "autumn", 1, 1)}


def test_names_come_from_the_list_of_campaigns() -> None:
    listed = [
        {"source": "crm", "campaign_id": "autumn", "channel": "sms", "name": "Autumn by text", "language": "en"},
        {"source": "crm", "campaign_id": "autumn", "channel": "*", "name": "Autumn", "program": "offers"},
    ]
    engine = measured(MESSAGES, core__campaigns=listed, core__delivery_reports=REPORTS)
    assert league(engine, "name, language, program", "grain = 'all' and campaign_id = 'autumn'") == {
        (None, "sms", "autumn", "Autumn by text", "en", "default"),
        (None, "email", "autumn", "Autumn", None, "default"),
    }


def counts(engine: DuckDBEngine, *campaigns: tuple[str | None, int, int]) -> None:
    """Put counts of October by SMS in place of those of a record, and judge them."""
    import polars

    from pipelines.measures import campaigns as family
    from pipelines.measures.periods import read_record

    schema = {
        "channel": polars.String, "campaign_id": polars.String, "month_start": polars.String, "name": polars.String,
        "program": polars.String, "language": polars.String, "delivered_count": polars.Int64,
        "opt_out_count": polars.Int64,
    }  # fmt: skip
    rows = [("sms", campaign, "2026-10-01", None, None, None, n, k) for campaign, n, k in campaigns]
    frame = polars.DataFrame(rows, schema=schema, orient="row")
    engine.create_from_frame("metrics.campaign_counts", frame.with_columns(polars.col("month_start").str.to_date()))
    family.measure(engine, read_record(engine))


@pytest.fixture(scope="module")
def engine() -> DuckDBEngine:
    return measured(core__delivery_reports=REPORTS)


def row(engine: DuckDBEngine, campaign: str) -> dict[str, Any]:
    """One campaign of October."""
    [found] = engine.records(f"select * from metrics.campaigns where grain = 'month' and campaign_id = '{campaign}'")
    return found


def test_one_campaign_s_numbers_by_hand(engine: DuckDBEngine) -> None:
    # 30 of 1,000 against 20 of 3,000 in the rest, 500 messages of no campaign among them.
    counts(engine, ("bad", 1_000, 30), ("a", 1_000, 7), ("b", 1_500, 10), (None, 500, 3))
    bad = row(engine, "bad")
    assert bad["rate"] == 0.03
    assert bad["rest_rate"] == pytest.approx(20 / 3_000)
    assert bad["ratio"] == pytest.approx(4.5)
    # Of 30 opt-outs 1,000 * 20 / 3,000 = 6.67 were to be expected.
    assert bad["excess_opt_outs"] == pytest.approx(30 - 20 / 3)
    # 50 opt-outs, a quarter of the messages: P(X >= 30 of 50 at 1/4) = 1.6e-7.
    assert bad["p_value"] == pytest.approx(1.6e-7, rel=0.05)
    # The smallest of three p values, times three.
    assert bad["q_value"] == pytest.approx(3 * bad["p_value"])
    assert bad["is_alert"]
    assert bad["league_rank"] == 1
    assert bad["limit_upper_998"] < bad["rate"]
    assert not row(engine, "a")["is_alert"]


def test_one_or_two_opt_outs_are_an_anecdote(engine: DuckDBEngine) -> None:
    # Two of two messages in a channel at 1 in 1,000: as unlikely as 1 in 10,000 by chance, and no ground to name it.
    counts(engine, ("tiny", 2, 2), ("a", 20_000, 20), ("b", 20_000, 20))
    tiny = row(engine, "tiny")
    assert tiny["q_value"] < 0.05
    assert not tiny["is_alert"]


def test_a_small_campaign_is_not_crowned(engine: DuckDBEngine) -> None:
    counts(engine, ("tiny", 10, 1), ("bad", 10_000, 150), ("a", 9_000, 50), ("b", 11_000, 55), ("c", 8_000, 44))
    tiny, bad = row(engine, "tiny"), row(engine, "bad")
    assert tiny["rate"] > bad["rate"]
    assert bad["league_rank"] == 1
    assert tiny["shrunken_rate"] < 0.015
    assert not tiny["is_alert"]
    assert bad["is_alert"]


def test_without_a_rest_there_is_nothing_to_say(engine: DuckDBEngine) -> None:
    counts(engine, ("only", 1_000, 30))
    only = row(engine, "only")
    assert (only["ratio"], only["p_value"], only["q_value"], only["is_alert"]) == (None, None, None, False)
    assert only["shrunken_rate"] == pytest.approx(0.03, abs=0.001)


def test_a_campaign_of_no_delivered_message_is_listed_and_not_judged(engine: DuckDBEngine) -> None:
    counts(engine, ("ghost", 0, 4), ("a", 1_000, 5), ("b", 1_000, 5))
    ghost = row(engine, "ghost")
    assert ghost["opt_out_count"] == 4
    assert all(ghost[name] is None for name in ("rate", "shrunken_rate", "q_value", "league_rank"))
    assert not ghost["is_alert"]


def test_more_opt_outs_than_messages_are_said_and_break_nothing(engine: DuckDBEngine) -> None:
    counts(engine, ("odd", 3, 5), ("a", 1_000, 5))
    odd = row(engine, "odd")
    assert odd["rate"] == pytest.approx(5 / 3)
    assert odd["shrunken_rate"] <= 1
    assert odd["upper"] == 1


def test_the_funnel_is_published_with_its_spread(engine: DuckDBEngine) -> None:
    counts(engine, ("a", 500, 5), ("b", 1_000, 9), ("c", 8_000, 85))
    funnel = engine.records("select * from metrics.campaign_funnels where grain = 'month' order by message_count")
    assert len(funnel) == 40
    assert funnel[0]["message_count"] == pytest.approx(400)
    assert funnel[-1]["message_count"] == pytest.approx(9_600)
    assert {row["centre"] for row in funnel} == {99 / 9_500}
    assert all(row["lower_998"] <= row["lower_95"] <= row["centre"] <= row["upper_95"] for row in funnel)
    assert all(row["upper_95"] <= row["upper_998"] for row in funnel)


def test_an_empty_record_has_an_empty_league() -> None:
    engine = measured()
    for relation in ("campaigns", "campaign_funnels", "message_breakdowns", "breakdown_tests", "costs"):
        assert engine.value(f"select count(*) from metrics.{relation}") == 0
