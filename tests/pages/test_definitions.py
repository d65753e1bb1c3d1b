"""The definitions page sets one month side by side under each; the switch is one choice for every page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.words import formats
from dashboard.words.definitions_example import ANSWERS
from tests.pages.conftest import Open, Published, words

ITERABLE = "Iterable: last message within 3 h"
MONTH = """
select name, measurements.numerator, measurements.denominator, value
from metrics.measurements join metrics.definitions using (metric, definition)
where grain = 'month' and period_start = date '2026-10-01' and channel = '{}' and program = '*' and campaign_id = '*'
"""


def rows_of(app: AppTest, column: str) -> dict[str, dict[str, str]]:
    """The rows of every table that has the column, by their first cell without marks."""
    found = {}
    for table in app.table:
        if column in table.value.columns:
            for row in table.value.to_dict("records"):
                name = str(row["Definition"]).removesuffix(" (heed)").strip("*")
                found[name] = {str(key): str(value).replace("\u00a0", " ") for key, value in row.items()}
    return found


@pytest.mark.parametrize(("query", "channel"), [({}, "*"), ({"channel": "SMS"}, "sms")])
def test_the_last_complete_month_is_shown_under_every_definition(
    homes: dict[str, Path], open_page: Open, published: Published, query: dict[str, str], channel: str
) -> None:
    app = open_page(homes["findings"], "definitions", **query)
    shown = rows_of(app, "Counted")
    expected = published(MONTH.format(channel))
    assert len(expected) >= len(ANSWERS)
    for name, numerator, denominator, value in expected:
        assert shown[name]["Counted"] == f"{numerator:,.0f} / {denominator:,.0f}"
        assert float(shown[name]["Value"]) == pytest.approx(value)
    assert "October 2026" in words(app)


def test_the_unattributed_share_stands_beside_each_rate_per_message(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    shown = rows_of(open_page(homes["findings"], "definitions"), "Counted")
    for name, value in published(
        "select name, value from metrics.measurements join metrics.definitions using (definition)"
        " where measurements.metric = 'unattributed_share' and definitions.metric = 'opt_out_rate_per_message'"
        " and measurements.grain = 'month' and period_start = date '2026-10-01' and channel = '*'"
    ):
        assert shown[name]["Unattributed"] == formats.share(value).replace("\u00a0", " ")


def test_the_example_shows_each_definition_s_arithmetic(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "definitions")
    shown = [row["Result"].replace("*", "") for row in rows_of(app, "Result").values()]
    assert len(shown) == len(ANSWERS)
    assert "4 / 10 = 40.0 %" in shown
    assert "11 / 10 = 110.0 %" in shown
    assert "9 contacts opted in by text message" in words(app)


def test_each_definition_says_where_it_is_written_and_how_surely(homes: dict[str, Path], open_page: Open) -> None:
    text = words(open_page(homes["findings"], "definitions"))
    assert "[https://docs.customer.io/journeys/subscription-metrics]" in text.replace("\\", "").replace("\u2060", "")
    assert "read on the page, in a stored copy, checked 2026-11-22" in text
    assert "not confirmed" in text


def test_a_snapshot_of_before_is_a_designed_state(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["old"], "definitions")
    assert "This snapshot has no table of definitions" in words(app)
    assert app.code[0].value == f"heed -C {homes['old']} run"


def test_an_empty_record_says_so_and_still_explains(homes: dict[str, Path], open_page: Open) -> None:
    text = words(open_page(homes["empty"], "definitions"))
    assert "No numbers in October 2026" in text
    assert "Why they differ: one example" in text


# ---- the switch


def page_with_switch() -> None:
    """A page that offers what its query names."""
    import streamlit as st

    from dashboard import definitions, snapshot

    snapshot.choose()
    every = ("opt_out_rate", "opt_out_rate_without_machines", "opt_out_rate_per_message", "list_churn")
    metrics = tuple(st.session_state.get("metrics", every))
    chosen = definitions.choose(metrics)
    st.code(f"{chosen.metric}/{chosen.definition} {chosen.unit} {chosen.is_share}")
    st.text(definitions.footer(chosen))


@pytest.fixture
def switch(homes: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AppTest]:
    def opened(kind: str) -> AppTest:
        monkeypatch.setenv("HEED_HOME", str(homes[kind]))
        return AppTest.from_function(page_with_switch, default_timeout=30)

    return opened


def test_heed_s_own_come_first_and_every_definition_can_be_chosen(
    switch: Callable[[str], AppTest], published: Published
) -> None:
    app = switch("findings").run()
    assert app.code[0].value == "opt_out_rate/heed share True"
    [choice] = app.selectbox
    assert choice.options[0] == "Opt-out rate"
    assert choice.options.index("Opt-outs per message") < choice.options.index(ITERABLE)
    assert set(choice.options) == {name for (name,) in published("select name from metrics.definitions")}
    app.selectbox[0].set_value(ITERABLE).run()
    assert app.code[0].value == "opt_out_rate_per_message/iterable opt_outs_per_message False"
    assert "within 3 h" in app.caption[0].value
    assert "may exceed 100 %" in app.caption[0].value
    assert app.text[0].value.startswith(f"{ITERABLE} by the definition `opt_out_rate_per_message/iterable`: Opt-outs ")


def test_the_choice_stands_in_the_url(switch: Callable[[str], AppTest]) -> None:
    app = switch("findings")
    app.query_params["definition"] = ITERABLE
    app.run()
    assert app.code[0].value == "opt_out_rate_per_message/iterable opt_outs_per_message False"


def test_a_page_that_does_not_offer_the_choice_shows_its_first_and_forgets_nothing(
    switch: Callable[[str], AppTest],
) -> None:
    app = switch("findings").run()
    app.selectbox[0].set_value(ITERABLE).run()
    app.session_state["metrics"] = ["list_churn"]
    app.run()
    assert app.code[0].value == "list_churn/heed ratio False"
    app.session_state["metrics"] = ["opt_out_rate", "opt_out_rate_per_message"]
    app.run()
    assert app.code[0].value == "opt_out_rate_per_message/iterable opt_outs_per_message False"


def test_an_earlier_snapshot_offers_heed_s_own_alone(switch: Callable[[str], AppTest]) -> None:
    app = switch("old").run()
    assert not app.selectbox
    assert app.code[0].value == "opt_out_rate/heed share True"
