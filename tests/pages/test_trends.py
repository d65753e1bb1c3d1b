"""The page on trends: the rate by every grain and definition, its levels, its days and hours, a year before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Open, Published, words

RATE = "metric = 'opt_out_rate' and definition = 'heed' and program = '*' and campaign_id = '*'"


def drawn(app: AppTest, chart: int = 0) -> dict[str, dict[str, Any]]:
    """The traces of a chart by name."""
    traces = json.loads(app.get("plotly_chart")[chart].proto.spec)["data"]
    return {trace.get("name", str(index)): trace for index, trace in enumerate(traces)}


def layout_of(app: AppTest, chart: int = 0) -> dict[str, Any]:
    """The layout of a chart."""
    found: dict[str, Any] = json.loads(app.get("plotly_chart")[chart].proto.spec)["layout"]
    return found


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
    layout = layout_of(open_page(homes["findings"], "trends"))
    shaded = [(shape["x0"], shape["x1"]) for shape in layout["shapes"] if shape["type"] == "rect"]
    assert shaded == [("2026-08-24", "2026-11-15")]
    assert "12 weeks used for the trend" in [note["text"] for note in layout["annotations"]]


@pytest.mark.parametrize("channel", [None, "SMS", "Email", "WhatsApp"])
def test_the_answer_comes_first_with_its_sentence(
    homes: dict[str, Path], open_page: Open, published: Published, channel: str | None
) -> None:
    query = {"channel": channel} if channel else {}
    app = open_page(homes["findings"], "trends", **query)
    code = channel.lower() if channel else "*"
    [(label, sentence)] = published(f"select label, sentence from metrics.trends where channel = '{code}'")
    assert app.markdown[0].value == f"**{label}.** {sentence}"


def test_changes_of_level_are_marked_and_said(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "trends")
    level = drawn(app)["Level"]
    assert level["x"][:2] == ["2025-09-01", "2026-08-24"]
    assert level["y"][:2] + level["y"][3:5] == pytest.approx([1.0, 1.0, 0.72, 0.72])
    assert "Since 24 Aug 2026: 0.7\u00a0%" in [note["text"] for note in layout_of(app)["annotations"]]
    shown = words(app)
    assert "**In the week of 24 Aug 2026 the rate fell** from 1.00 %" in shown
    assert "the change came between the weeks of 17 Aug 2026 and 24 Aug 2026. Chance gives as much in 1.2 %" in shown
    assert "slow drift" not in shown
    assert "a slow drift explains it as well as a step" in words(open_page(homes["findings"], "trends", channel="SMS"))


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        ("Email", "**No change of level** stands out from chance in 63 complete weeks."),
        ("WhatsApp", "**Not enough data.** A change of level needs at least 8 complete weeks; there are 4."),
    ],
)
def test_a_channel_without_a_change_says_so(homes: dict[str, Path], open_page: Open, channel: str, said: str) -> None:
    assert said in words(open_page(homes["findings"], "trends", channel=channel))


def test_days_and_hours_are_drawn_with_what_is_expected(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    app = open_page(homes["findings"], "trends")
    shown = words(app)
    assert "**By day of the week:** there is a season: more than expected on Sunday." in shown
    assert "**By hour of the day:** no clear season. Chance gives as much in 31 % of cases" in shown
    for chart, cycle, name in ((1, "weekday", "Opt-out rate of the day"), (2, "hour", "Share of opt-outs")):
        measured = published(
            "select value * 100, expected * 100 from metrics.seasons "
            f"where channel = '*' and cycle = '{cycle}' order by position"
        )
        traces = drawn(app, chart)
        assert traces[name]["y"] == pytest.approx([value for value, _ in measured])
        assert traces["Without a season"]["y"] == pytest.approx([expected for _, expected in measured])
    assert drawn(app, 1)["Opt-out rate of the day"]["x"][-1] == "Sun"


def test_a_season_that_nobody_can_tell_says_why(homes: dict[str, Path], open_page: Open) -> None:
    shown = words(open_page(homes["findings"], "trends", channel="WhatsApp"))
    assert "**By day of the week:** not enough data" in shown
    assert "**By hour of the day:** cannot be told. All messages go out at one time" in shown


def test_a_year_before_stands_beside(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "trends")
    shown = words(app)
    assert "**October 2026 is lower than a year before:** 2.10 % against 3.10 %, −1.00 points" in shown
    assert "Of 2 months compared, 0 are clearly higher and 1 clearly lower." in shown
    assert drawn(app, 3)["A year before"]["y"] == pytest.approx([3.1, 3.1])
    assert "No month and the same month a year before are both on record" in words(
        open_page(homes["findings"], "trends", channel="Email")
    )


def test_another_definition_is_drawn_and_named(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "trends", definition="Opt-outs per message", grain="Month")
    measured = published(
        "select value * 100 from metrics.measurements where metric = 'opt_out_rate_per_message' "
        "and definition = 'heed' and grain = 'month' and channel = '*' and program = '*' and campaign_id = '*' "
        "order by period_start"
    )
    traces = drawn(app)
    assert traces["Opt-outs per message"]["y"] + traces["Not over yet"]["y"] == pytest.approx(
        [value for (value,) in measured]
    )
    shown = words(app)
    assert "The trend is tested on the headline opt-out rate" in shown
    assert "What follows is of the headline opt-out rate in the whole record." in shown
    assert "opt_out_rate_per_message/heed" in shown
    assert "Level" not in traces


@pytest.mark.parametrize(("split", "series"), [("Channel", 3), ("Program", 2)])
def test_a_split_draws_one_chart_each(homes: dict[str, Path], open_page: Open, split: str, series: int) -> None:
    app = open_page(homes["findings"], "trends", split=split, grain="Month")
    # Below them: weekdays, hours, a year before.
    assert len(app.get("plotly_chart")) == series + 3
    assert app.dataframe[0].value[split].nunique() == series


def test_campaigns_are_ranked_by_what_is_sure(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "trends", split="Campaign", grain="Month")
    [trace] = drawn(app).values()
    highest = published(
        "select value * 100 from metrics.measurements where metric = 'opt_out_rate' and definition = 'heed' "
        "and grain = 'month' and channel = '*' and program = '*' and campaign_id <> '*' order by lower desc limit 12"
    )
    assert trace["x"] == pytest.approx([value for (value,) in highest])
    assert app.dataframe[0].value["Campaign"].nunique() == 6


def test_a_program_has_no_trend_of_its_own(homes: dict[str, Path], open_page: Open) -> None:
    shown = words(open_page(homes["findings"], "trends", program="offers"))
    assert "The trend is measured for all programs together" in shown
    assert "When did the level change?" not in shown


@pytest.mark.parametrize("kind", ["old", "empty"])
def test_the_page_stands_without_its_relations(homes: dict[str, Path], open_page: Open, kind: str) -> None:
    shown = words(open_page(homes[kind], "trends"))
    if kind == "old":
        assert "**Decreasing.**" in shown or "**No clear trend.**" in shown
        assert shown.count("An earlier version of heed published these numbers") == 3
    else:
        assert "Nobody was reached by a marketing message here" in shown
