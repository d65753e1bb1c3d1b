"""The page of reasons answers first, names what differs and nothing else, and shows what leavers say."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Open, Published, words
from tests.support.snapshot_factory import write_home


def changed(home: Path, *statements: str) -> None:
    """Change the rows of a home's snapshot before any page reads it."""
    path = next((home / "published").glob("*.duckdb"))
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_the_answer_comes_first_and_says_that_nothing_changed(homes: dict[str, Path], open_page: Open) -> None:
    text = words(open_page(homes["findings"], "reasons"))
    assert "**Most often: too frequent, " in text
    assert "No share differs from September 2026 by more than chance explains." in text


def test_a_share_that_changed_is_named(open_page: Open, tmp_path: Path) -> None:
    write_home(tmp_path, "findings")
    changed(
        tmp_path,
        "update metrics.reason_changes set has_changed = true, difference = 0.125, q_value = 0.001"
        " where reason = 'content' and month_start = date '2026-10-01'",
    )
    app = open_page(tmp_path, "reasons")
    assert "Against September 2026, this changed by more than chance explains: content +12.5 points." in words(app)
    shown = app.table[0].value
    assert list(shown[shown["Beyond chance"] == "yes"]["Reason"]) == ["Content"]


def test_a_mix_may_change_where_no_share_stands_out(open_page: Open, tmp_path: Path) -> None:
    write_home(tmp_path, "findings")
    changed(tmp_path, "update metrics.reason_differences set is_different = true where dimension = 'month'")
    assert "The mix of reasons is another than in September 2026" in words(open_page(tmp_path, "reasons"))


def test_reasons_that_grow_are_named_with_their_slope(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    app = open_page(homes["findings"], "reasons")
    assert "**Too frequent up by 1.2 points a week**, over the last 12 complete weeks." in words(app)
    charts = [chart for chart in app.get("plotly_chart") if "Weekly share" in chart.proto.alt]
    assert len(charts) == 4
    assert "too frequent: increasing" in charts[0].proto.alt
    [line] = [trace for trace in json.loads(charts[0].proto.spec)["data"] if trace.get("name") == "Share of opt-outs"]
    measured = published(
        "select value * 100 from metrics.reason_shares_by_week where channel = '*' and reason = 'too_frequent' "
        "order by week_start"
    )
    assert line["y"] == pytest.approx([value for (value,) in measured][: len(line["y"])])
    assert "**No reason has a clear trend**" in words(open_page(homes["findings"], "reasons", channel="SMS"))


def test_the_campaign_that_differs_is_named_and_no_other(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "reasons")
    text = words(app)
    assert "**Yes: 1 campaign of 7.** Most of all product-updates: too frequent 80.0 % of reasons given" in text
    campaigns = next(table.value for table in app.table if "Campaign" in table.value)
    bold = [row["Campaign"] for _, row in campaigns.iterrows() if row["Most above the rest"].startswith("**")]
    assert bold == ["product-updates"]
    assert "**None stands out**" in words(open_page(homes["findings"], "reasons", channel="SMS"))


def test_tenure_is_compared_and_drawn(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "reasons")
    assert "**Not by more than chance explains**, whatever the time since the opt-in." in words(app)
    for reason, share in (("too_frequent", 34.0), ("not_relevant", 21.0)):
        app.selectbox(key="reason").set_value(reason).run()
        chart = next(one for one in app.get("plotly_chart") if "time since the opt-in" in one.proto.alt)
        assert reason.replace("_", " ") in chart.proto.alt
        [bars] = [trace for trace in json.loads(chart.proto.spec)["data"] if trace["type"] == "bar"]
        assert bars["x"] == pytest.approx([share] * 4)


def test_leavers_are_quoted_letter_by_letter(homes: dict[str, Path], open_page: Open) -> None:
    text = words(open_page(homes["findings"], "reasons"))
    assert "“Too many messages” :small[41 people, English]" in text
    assert r"“Zu viele Mails, \[name\]” :small[12 people, German]" in text


def test_texts_may_be_switched_off(open_page: Open, tmp_path: Path) -> None:
    write_home(tmp_path, "findings")
    changed(tmp_path, "update run.parameters set publish_reason_texts = false", "delete from metrics.reason_texts")
    text = words(open_page(tmp_path, "reasons"))
    assert "Texts are not published" in text
    assert "Too many messages" not in text


def test_an_earlier_snapshot_shows_its_shares_and_says_what_is_missing(homes: dict[str, Path], open_page: Open) -> None:
    app: AppTest = open_page(homes["old"], "reasons")
    text = words(app)
    assert "**Most often: " in text
    assert "This snapshot has no trends, campaigns or texts of reasons" in text
    assert "Beyond chance" not in app.table[0].value


def test_an_empty_record_is_said_plainly(homes: dict[str, Path], open_page: Open) -> None:
    assert "No opt-out was recorded here." in words(open_page(homes["empty"], "reasons"))
