"""The Data page: is the evidence complete, what was set aside, and what became of what was reported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb

from tests.pages.conftest import Open, Published, words


def test_the_answer_comes_first(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "data")
    shown = words(app)
    [(reasons,)] = published(
        "select reasons from metrics.verdicts where period_start is null and channel = '*' and source = '*'"
    )
    holes = [line for line in reasons.splitlines() if not line.startswith(("Violations:", "Waived:", "No violation"))]
    assert holes
    assert all(f"- {hole}" in shown for hole in holes)
    assert [element.value for element in app.header][:3] == [
        "When there are records, and when there are none", "Quarantine", "What the sources cannot know",
    ]  # fmt: skip


def test_a_silence_is_named_and_drawn(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "data")
    assert "- gateway, messages by SMS: nothing between 9 Mar 2026 and 1 Apr 2026, 23 days." in words(app)
    assert "no gap in them is called a silence: mailer, messages by Email." in words(app)
    traces = json.loads(app.get("plotly_chart")[0].proto.spec)["data"]
    strips, *silences = traces
    assert strips["type"] == "heatmap"
    assert [(trace["x"][0][:10], trace["x"][1][:10]) for trace in silences] == [
        ("2026-03-09", "2026-04-01"), ("2026-10-05", "2026-10-12"),
    ]  # fmt: skip
    week = [start[:10] for start in strips["x"]].index("2026-03-16")
    table = next(frame.value for frame in app.dataframe if "Silences" in frame.value)
    row = [name.startswith("gateway: messages") for name in table["Source"] + ": " + table["Log"]].index(True)
    assert strips["z"][row][week] == 0
    assert list(table["Longest gap (days)"])[row] == 23


def test_where_no_log_is_silent_it_is_said(homes: dict[str, Path], open_page: Open) -> None:
    shown = words(open_page(homes["clean"], "data"))
    assert "No log fell silent" in shown
    assert "No row was set aside." in shown


def test_refused_rows_are_shown_by_their_shape_and_place(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "data")
    reasons = next(table.value for table in app.table if "Looks like" in table.value)
    assert list(zip(reasons["Reason"], reasons["Looks like"], reasons["For example"], strict=True)) == [
        ("Contact missing", "contact: (empty)", "events-2026.jsonl, row 17"),
        ("Timestamp without zone", "sent\\_at: 9999-99-99 99:99:99", "messages-2026.csv, row 120"),
        ("Timestamp implausible", "id: aaaaa.AaaAAA9999, timestamp: 9", "webhooks-2026.jsonl, row 3"),
    ]
    assert "private/quarantine/" in words(app)


def test_the_run_before_is_compared_in_a_sentence(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "data")
    assert "12 violations fewer (" in words(app)
    assert "opt-out rate 1.3 % then, 1.2 % now, verdict still Fail." in words(app)
    assert "restated" in {str(link.proto.page) for link in app.get("page_link")}
    assert "nothing to compare it with" in words(open_page(homes["empty"], "data"))


def test_what_an_earlier_version_did_not_publish_is_said(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["old"], "data")
    assert "This snapshot has no coverage of the logs" in words(app)
    assert "Looks like" not in {column for table in app.table for column in table.value}


def test_years_of_records_are_drawn_by_month(homes: dict[str, Path], open_page: Open, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(homes["findings"], home)
    [snapshot] = (home / "published").glob("*.duckdb")
    with duckdb.connect(str(snapshot)) as connection:
        connection.execute(
            "update metrics.log_coverage set first_on = date '2022-01-15' where log = 'inbound_messages'"
        )
        connection.execute(
            "insert into metrics.log_weeks values ('inbound_messages', 'sms', 'gateway', date '2022-01-10', 2, 9)"
        )
    app = open_page(home, "data")
    drawn = json.loads(app.get("plotly_chart")[0].proto.spec)["data"][0]
    starts = [start[:10] for start in drawn["x"]]
    assert starts[:2] == ["2022-01-01", "2022-02-01"]
    assert max(share for row in drawn["z"] for share in row if share is not None) <= 1
    assert "month by month" in words(app)
