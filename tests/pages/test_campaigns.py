"""The campaigns page names who drove people away, shows how sure that is, and names nobody where chance is all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Open, Published, words

OCTOBER = "period_start = date '2026-10-01'"


def funnels(app: AppTest) -> list[dict[str, dict[str, Any]]]:
    """The traces of each funnel by name."""
    specs = [json.loads(chart.proto.spec)["data"] for chart in app.get("plotly_chart")]
    return [{trace.get("name", ""): trace for trace in traces} for traces in specs]


def test_the_answer_names_the_campaign_of_the_last_month(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    app = open_page(homes["findings"], "campaigns")
    [(opt_outs, messages, ratio)] = published(
        f"select opt_out_count, delivered_count, ratio from metrics.campaigns where is_alert and {OCTOBER}"
    )
    told = words(app)
    assert "October 2026" in told
    assert "**One campaign drove people away in October 2026, beyond chance:**" in told
    assert "**Autumn sale (autumn-sale)** (SMS)" in told
    assert f"{opt_outs} opt-outs of {messages:,} messages" in told
    assert f"{ratio:.1f} times the rest of SMS" in told


def test_the_funnels_show_every_campaign_and_mark_the_one_outside(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    drawn = funnels(open_page(homes["findings"], "campaigns"))
    # The channel with a campaign that stands out comes first.
    assert len(drawn) == 3
    assert len(drawn[0]["Stands out"]["x"]) == 1
    assert all("Stands out" not in funnel for funnel in drawn[1:])
    listed = published(f"select count(*) from metrics.campaigns where {OCTOBER} and channel = 'sms'")[0][0]
    assert len(drawn[0]["Campaign"]["x"]) == listed - 1
    band = drawn[0]["95 % of campaigns"]["y"]
    [centre, *_] = drawn[0]["Channel"]["y"]
    assert all(upper > centre for upper in band)


def test_the_league_is_the_snapshots_and_crowns_no_small_campaign(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    league = open_page(homes["findings"], "campaigns", channel="SMS").dataframe[-1].value
    measured = published(
        "select campaign_id, shrunken_rate * 100, ratio from metrics.campaigns "
        f"where {OCTOBER} and channel = 'sms' and delivered_count > 0"
    )
    by_id = {campaign: (rate, ratio) for campaign, rate, ratio in measured}
    assert set(league["Id"]) == set(by_id)
    for _, line in league.iterrows():
        assert (line["Drawn in"], line["Times the rest"]) == pytest.approx(by_id[line["Id"]])
    assert league.iloc[0]["Id"] == "autumn-sale"
    assert league.iloc[0]["Stands out"] == "yes"
    # One opt-out of four messages is 25 %, the highest rate of all, and stands nowhere near the top.
    tiny = league[league["Id"] == "tiny"].iloc[0]
    assert tiny["Rate"] == 25
    assert tiny["Stands out"] == ""
    assert tiny["Drawn in"] < league.iloc[0]["Drawn in"]


def test_the_whole_record_can_be_chosen(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "campaigns", campaign_span="Whole record")
    assert "in the whole record, beyond chance" in words(app)
    assert "Whole record, all channels" in words(app)


def test_a_chosen_month_needs_no_second_choice(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "campaigns", period="September 2026")
    assert "No campaign stands out in September 2026" in words(app)
    assert "campaign_span" not in [control.key for control in app.button_group]


def test_chance_names_nobody(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["clean"], "campaigns")
    assert "**No campaign stands out in October 2026.**" in words(app)
    assert all("Stands out" not in funnel for funnel in funnels(app))


def test_another_definition_shows_its_own_league_without_judgement(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    app = open_page(homes["findings"], "campaigns", definition="Opt-out rate")
    [first, *_] = published(
        "select campaign_id, value * 100 from metrics.measurements"
        " where metric = 'opt_out_rate' and definition = 'heed'"
        f" and grain = 'month' and {OCTOBER} and campaign_id <> '*' and program = '*' and channel <> '*'"
        " order by coalesce(lower, value) desc, channel, campaign_id limit 1"
    )
    told = words(app)
    assert f"Highest in October 2026 by Opt-out rate: {first[0]}" in told
    assert app.dataframe[0].value.iloc[0]["Rate"] == pytest.approx(first[1])
    assert "beyond chance" not in told


@pytest.mark.parametrize(("kind", "says"), [("empty", "Nothing in this selection"), ("old", "An earlier version")])
def test_without_campaigns_the_page_says_so(homes: dict[str, Path], open_page: Open, kind: str, says: str) -> None:
    assert says in words(open_page(homes[kind], "campaigns"))
