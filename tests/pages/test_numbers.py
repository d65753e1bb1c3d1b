"""Reasons and data show the snapshot's numbers, in charts and tables alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import Open, Published, words


def drawn(app: AppTest, chart: int = 0) -> dict[str, dict[str, Any]]:
    """The traces of a chart by name."""
    traces = json.loads(app.get("plotly_chart")[chart].proto.spec)["data"]
    return {trace.get("name", str(index)): trace for index, trace in enumerate(traces)}


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
