"""The page Audience: the numbers of the snapshot, the segments as files, and states without them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Open, Published, words


def traces(app: AppTest, chart: int) -> dict[str, dict[str, Any]]:
    """The traces of a chart by name."""
    return {trace["name"]: trace for trace in json.loads(app.get("plotly_chart")[chart].proto.spec)["data"]}


def test_the_answer_names_growth_and_coverage(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "audience")
    [(net, now)] = published(
        "select m.net_growth, n.opted_in_at_end from metrics.audience m, metrics.audience n where m.grain = 'month'"
        " and n.grain = 'month' and m.channel = '*' and n.channel = '*' and m.period_start = '2026-10-01'"
        " and n.period_start = '2026-11-01'"
    )
    said = words(app)
    assert f"The audience grew by {net:,} in October 2026; {now:,} contacts opted in now." in said
    assert "of the messages that reached somebody were covered by recorded consent" in said


@pytest.mark.parametrize(
    ("label", "grain", "shown"), [("Month", "month", 15), ("Week", "week", 53), ("Day", "day", 92)]
)
def test_what_came_and_went_is_drawn_as_counted(
    homes: dict[str, Path], open_page: Open, published: Published, label: str, grain: str, shown: int
) -> None:
    app = open_page(homes["findings"], "audience", audience_grain=label, channel="Email")
    rows = published(
        "select opt_ins + re_opt_ins + unblocks, opt_outs + complaints + blocks, opted_in_at_end from metrics.audience"
        f" where grain = '{grain}' and channel = 'email' order by period_start"
    )[-shown:]
    drawn = traces(app, 0)
    assert drawn["Opted in"]["y"] == [gained for gained, _, _ in rows]
    assert drawn["Opted out"]["y"] == [-lost for _, lost, _ in rows]
    assert drawn["Net growth"]["y"] == [gained - lost for gained, lost, _ in rows]
    table = app.dataframe[0].value
    assert list(table["Opted in at end"])[::-1] == [end for _, _, end in rows]
    assert list(table["Opted in at start"])[:-1] == list(table["Opted in at end"])[1:]
    assert list(table["Over"])[:2] == ["not yet", "yes"]


def test_uncovered_messages_are_split_by_why(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "audience", channel="SMS")
    drawn = traces(app, 1)
    assert set(drawn) == {"Never asked", "Asked only later", "Asked, not confirmed", "After an opt-out"}
    shares = published(
        "select 100.0 * sum(message_count) filter (where phase = 'never_asked') / sum(message_count)"
        " from metrics.consent_coverage where channel = 'sms' group by period_start order by period_start"
    )
    assert drawn["Never asked"]["y"] == pytest.approx([share for (share,) in shares])


def test_segments_are_counted_and_offered_as_keys(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    app = open_page(homes["findings"], "audience")
    counts: dict[str, int] = dict(published("select segment, pair_count from metrics.segments where channel = '*'"))
    choice = next(box for box in app.selectbox if box.label == "Segment to take with you")
    assert [option.split(": ")[0] for option in choice.options] == [
        "Opted in", "Opted out", "Pending confirmation", "Never asked",
    ]  # fmt: skip
    assert choice.options[0] == f"Opted in: {counts['opted_in']:,}"
    assert [button.proto.label for button in app.get("download_button")] == ["Keys as CSV", "Keys as Parquet"]
    assert "Keys only, no addresses" in words(app)


def test_what_cannot_be_known_is_not_called_inactive(homes: dict[str, Path], open_page: Open) -> None:
    said = words(open_page(homes["findings"], "audience", channel="WhatsApp"))
    assert "cannot be known here" in said
    tables = [table.value for table in open_page(homes["findings"], "audience").table]
    inactive = next(table for table in tables if "Known" in table)
    by_channel = inactive.set_index("Channel")
    assert by_channel.loc["WhatsApp", "Known"] == "cannot be known"
    assert by_channel["Inactive"].isna()["WhatsApp"]
    assert by_channel.loc["SMS", "Known"] == "by answers only"


def test_the_rate_stands_with_and_without_machines(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "audience")
    said = words(app)
    assert "3 opt-outs look like a scanner that opened the link" in said
    assert "each must be honoured" in said
    assert "RFC 8058" in said
    rates = next(table.value for table in app.table if "Without machines" in table.value)
    assert (rates["Opt-out rate"] != rates["Without machines"]).any()


def test_an_earlier_snapshot_says_how_to_get_the_page(homes: dict[str, Path], open_page: Open) -> None:
    assert "This snapshot has no audience" in words(open_page(homes["old"], "audience"))


def test_an_empty_record_has_an_empty_page(homes: dict[str, Path], open_page: Open) -> None:
    assert "No consent event and no message is on record here." in words(open_page(homes["empty"], "audience"))
