"""Trends, response time, reasons and data show the snapshot's numbers, in charts and tables alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Open, Published, words

RATE = "metric = 'opt_out_rate' and program = '*' and campaign_id = '*'"


def drawn(app: AppTest, chart: int = 0) -> dict[str, dict[str, Any]]:
    """The traces of a chart by name."""
    traces = json.loads(app.get("plotly_chart")[chart].proto.spec)["data"]
    return {trace.get("name", str(index)): trace for index, trace in enumerate(traces)}


@pytest.mark.parametrize(("grain", "label"), [("day", "Day"), ("week", "Week"), ("month", "Month")])
def test_the_rate_is_drawn_as_measured(
    homes: dict[str, Path], open_page: Open, published: Published, grain: str, label: str
) -> None:
    app = open_page(homes["findings"], "trends", grain=label)
    measured = published(
        f"select value * 100 from metrics.measurements where {RATE} and grain = '{grain}' and channel = '*' "
        "order by period_start"
    )
    traces = drawn(app)
    shown = traces["Opt-out rate"]["y"] + traces["Not over yet"]["y"]
    assert shown == pytest.approx([value for (value,) in measured])
    assert list(app.dataframe[0].value["Rate"])[::-1] == pytest.approx([value for (value,) in measured])


def test_the_running_period_is_marked(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "trends", grain="Month")
    assert drawn(app)["Not over yet"]["x"] == ["2026-11-01"]
    assert list(app.dataframe[0].value["Over"])[:2] == ["not yet", "yes"]


def test_the_weeks_of_the_trend_are_shaded(homes: dict[str, Path], open_page: Open) -> None:
    layout = json.loads(open_page(homes["findings"], "trends").get("plotly_chart")[0].proto.spec)["layout"]
    assert [(shape["x0"], shape["x1"]) for shape in layout["shapes"]] == [("2026-08-24", "2026-11-15")]
    assert "12 weeks used for the trend" in [note["text"] for note in layout["annotations"]]


def test_the_trend_of_a_channel_is_its_own(homes: dict[str, Path], open_page: Open) -> None:
    assert "**Decreasing.** The weekly rate changes by −0.05 percentage points a week" in words(
        open_page(homes["findings"], "trends", channel="SMS")
    )
    assert "**Not enough data.** A trend needs at least 6 weeks; there are 4" in words(
        open_page(homes["findings"], "trends", channel="WhatsApp")
    )


@pytest.mark.parametrize(("split", "series"), [("Channel", 3), ("Program", 2)])
def test_a_split_draws_one_chart_each(homes: dict[str, Path], open_page: Open, split: str, series: int) -> None:
    app = open_page(homes["findings"], "trends", split=split, grain="Month")
    assert len(app.get("plotly_chart")) == series
    assert app.dataframe[0].value[split].nunique() == series


def test_campaigns_are_ranked_by_what_is_sure(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "trends", split="Campaign", grain="Month")
    [trace] = drawn(app).values()
    highest = published(
        "select value * 100 from metrics.measurements where metric = 'opt_out_rate' and grain = 'month' "
        "and channel = '*' and program = '*' and campaign_id <> '*' order by lower desc limit 12"
    )
    assert trace["x"] == pytest.approx([value for (value,) in highest])
    assert app.dataframe[0].value["Campaign"].nunique() == 6


def test_response_time_numbers_are_the_snapshots(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "response")
    measured: dict[str, float] = dict(
        published(
            "select definition, value from metrics.measurements "
            "where metric = 'response_time' and grain = 'all' and channel = '*'"
        )
    )
    shown = {metric.label: metric.value.replace("\u00a0", " ") for metric in app.metric}
    assert shown["Still open"] == str(int(measured["open_count"]))
    assert shown["Within the deadline"] == f"{100 * measured['share_within_deadline']:.1f} %"
    assert measured["kaplan_meier_median"] / 3_600 == pytest.approx(float(shown["Median"].split()[0]), abs=0.06)
    curve = published(
        "select share_processed * 100 from metrics.response_time_curve where channel = '*' order by seconds"
    )
    assert drawn(app, 1)["2"]["y"] == pytest.approx([share for (share,) in curve])


def test_open_requests_are_counted_and_listed(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "response")
    [(waiting, overdue)] = published(
        "select count(*), count(*) filter (where deadline_at < (select as_of from run.parameters)) "
        "from core.opt_out_spans where processed_at is null"
    )
    assert f"**{waiting} opt-outs are still open, {overdue} of them past the deadline.**" in words(app)
    assert sum(app.table[0].value["Open"]) == waiting
    assert len(app.dataframe[-1].value) == waiting
    assert "Nothing is waiting" in words(open_page(homes["clean"], "response"))


def test_every_span_is_in_the_distribution(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "response", channel="SMS")
    [(spans,)] = published("select count(*) from core.opt_out_spans where channel = 'sms'")
    assert sum(sum(trace["y"]) for trace in drawn(app).values()) == spans


def test_reasons_compare_the_last_complete_month(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "reasons")
    measured = published(
        "select reason, value * 100 from metrics.measurements where metric = 'feedback_reasons' "
        "and grain = 'month' and period_start = date '2026-10-01' and channel = '*'"
    )
    traces = drawn(app)
    assert sorted(traces["October 2026"]["x"]) == pytest.approx(sorted(value for _, value in measured))
    assert "September 2026" in traces
    assert list(app.table[0].value["Reason"])[-1] == "Unspecified"
    assert len(app.table[0].value) == len(measured)


def test_data_accounts_for_every_record(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    text = words(open_page(homes["findings"], "data"))
    [(read, accepted, duplicate, quarantined)] = published(
        "select sum(read_count), sum(accepted_count), sum(duplicate_count), sum(quarantined_count) from run.inputs"
    )
    assert f"{read:,} records read from 5 files: {accepted:,} accepted, {duplicate:,} duplicates" in text
    assert f"{quarantined} in quarantine" in text
    assert "Every record is accounted for." in text
    for source, limits in published("select source, limits from run.sources where limits <> ''"):
        assert f"- **{source}:** {limits}" in text
    assert "**1 was not met**" in text


def test_data_lists_runs_newest_first(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "data")
    assert list(app.table[-1].value["Run"]) == [
        run_id for (run_id,) in published("select run_id from run.history order by started_at desc")
    ]


def test_the_data_page_counts_what_was_judged_without_class_and_against_the_clock(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    shown = words(open_page(homes["findings"], "data"))
    [(classless, messages, skewed)] = published(
        "select sum(unknown_class_count)::bigint, sum(message_count)::bigint, sum(clock_skew_count)::bigint"
        " from run.sources"
    )
    assert classless
    assert skewed
    assert f"{classless:,} of {messages:,} messages have no class and are audited as marketing" in shown
    assert f"{skewed:,} consent events recorded as processed before the request" in shown
