"""The timing page says when and how often, with the evidence, and that nothing matters where nothing does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Open, Published, words

ALL = "grain = 'all' and channel = '*'"


def chart(app: AppTest, place: int) -> dict[str, Any]:
    """The first trace of a chart."""
    trace: dict[str, Any] = json.loads(app.get("plotly_chart")[place].proto.spec)["data"][0]
    return trace


def test_the_answer_says_what_goes_with_more_opt_outs(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    told = words(open_page(homes["findings"], "timing"))
    said = {"messages_7_days": "Messages that are the 4th or later in 7 days", "hour": "sent between"}
    for dimension, says in said.items():
        [(ratio, lower, upper)] = published(
            "select ratio, ratio_lower, ratio_upper from metrics.breakdown_tests"
            f" where {ALL} and dimension = '{dimension}'"
        )
        assert says in told
        assert f"**{ratio:.1f} times** ({lower:.1f}–{upper:.1f})" in told
    assert "These are differences seen, not effects proven" in told
    # The weekday has no effect in the made record, and is not said to have one.
    assert "days lose" not in told.replace("7 days lose", "").replace("30 days lose", "")


def test_the_pressure_curve_is_the_snapshots(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "timing")
    measured = published(
        f"select bucket, rate * 100, q_value < 0.05 from metrics.message_breakdowns where {ALL}"
        " and dimension = 'messages_7_days' and message_count > 0 order by place"
    )
    drawn = chart(app, 0)
    assert drawn["x"] == [bucket for bucket, _, _ in measured]
    assert drawn["y"] == pytest.approx([rate for _, rate, _ in measured])
    assert len(set(drawn["marker"]["color"])) == 2
    assert app.dataframe[0].value["Rate"].tolist() == pytest.approx([rate for _, rate, _ in measured])


@pytest.mark.parametrize(
    ("frequency", "dimension"),
    [("Messages in 30 days", "messages_30_days"), ("Place in the sequence", "sequence_position")],
)
def test_the_other_frequencies_are_one_click_away(
    homes: dict[str, Path], open_page: Open, published: Published, frequency: str, dimension: str
) -> None:
    app = open_page(homes["findings"], "timing", frequency=frequency)
    measured = published(
        f"select bucket from metrics.message_breakdowns where {ALL} and dimension = '{dimension}'"
        " and message_count > 0 order by place"
    )
    assert chart(app, 0)["x"] == [bucket for (bucket,) in measured]


def test_the_week_is_drawn_by_weekday_and_hour(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "timing")
    week = chart(app, 1)
    cells = published(
        f"select place, rate * 100 from metrics.message_breakdowns where {ALL} and dimension = 'weekday_hour'"
    )
    for place, rate in cells:
        hour = week["x"].index(f"{place % 24:02d}")
        assert week["z"][place // 24][hour] == pytest.approx(rate)
    assert sum(value is not None for row in week["z"] for value in row) == len(cells)
    hours = chart(open_page(homes["findings"], "timing", clock="Hour"), 1)
    assert hours["x"] == ["09:00", "12:00", "15:00", "18:00", "21:00"]


def test_what_it_costs_is_told_by_currency(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "timing", channel="SMS", period="October 2026")
    costs: dict[str, float] = dict(
        published(
            "select audience, cost from metrics.costs where channel = 'sms' and period_start = date '2026-10-01'"
            " and currency = 'USD'"
        )
    )
    told = words(app)
    assert f"{costs['opted_out']:,.2f} USD to contacts that had opted out" in told
    assert f"{costs['inactive']:,.2f} USD to inactive contacts of {costs['all']:,.2f} USD" in told


def test_template_and_language_are_shown_with_what_is_known(homes: dict[str, Path], open_page: Open) -> None:
    told = words(open_page(homes["findings"], "timing"))
    assert "**Template**" in told
    assert "Language is known of 100.0 % of the messages" in told
    assert "No difference beyond chance" in told


def test_where_chance_is_all_nothing_is_found(homes: dict[str, Path], open_page: Open) -> None:
    told = words(open_page(homes["clean"], "timing"))
    assert "Neither the hour nor the number of messages makes a difference beyond chance here" in told
    assert " times** (" not in told


@pytest.mark.parametrize(("kind", "says"), [("empty", "Nothing in this selection"), ("old", "An earlier version")])
def test_without_breakdowns_the_page_says_so(homes: dict[str, Path], open_page: Open, kind: str, says: str) -> None:
    assert says in words(open_page(homes[kind], "timing"))
