"""The headline numbers in words, by example."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.headline import display_duration, display_share
from tests.support.measured import measured


def test_headline_of_the_last_complete_month() -> None:
    # October: 1 of 4; September: 1 of 2; November is not over. Opt-outs took 1 h in October, 2 days in September.
    engine = measured(
        """
        contact sent
        1       2026-09-10
        2       2026-09-10
        2       2026-10-10
        3       2026-10-10
        4       2026-10-10
        5       2026-10-10
        6       2026-11-10
        """,
        """
        contact begins           processed
        1       2026-09-11T00:00 2026-09-13T00:00
        2       2026-10-11T00:00 2026-10-11T01:00
        7       2026-10-12T00:00 2026-10-12T01:00
        6       2026-11-11T00:00 -
        """,
    )
    rate, trend, response = engine.records("select * from metrics.headline order by position")
    assert [row["metric"] for row in (rate, trend, response)] == ["opt_out_rate", "opt_out_trend", "response_time"]
    assert (rate["value"], rate["display"], rate["period_label"]) == (0.25, "25.0 %", "October 2026")
    assert (rate["previous_value"], rate["previous_display"]) == (0.5, "50.0 %")
    assert rate["sentence"] == (
        "Of 4 contact and channel pairs reached in October 2026, 1 opted out (95 % interval 4.6 % to 69.9 %); "
        "September: 50.0 %. Opt-outs of pairs that were not reached in that time, counted apart: 1."
    )
    assert trend["display"] == "Not enough data"
    assert (response["value"], response["display"], response["previous_display"]) == (3600, "1 h", "2 days")
    assert response["sentence"] == (
        "Half of the 2 opt-outs of October 2026 were processed within 1 h; September: 2 days."
    )


def test_headline_of_a_record_without_a_complete_month_is_of_the_whole() -> None:
    engine = measured(
        "contact sent\n1 2026-11-02\n2 2026-11-02", "contact begins\n2 2026-11-03T12:00", as_of="2026-11-04"
    )
    rate, _, response = engine.records("select * from metrics.headline order by position")
    assert (rate["display"], rate["period_label"], rate["previous_value"]) == ("50.0 %", "Whole record", None)
    assert (response["value"], response["display"], response["period_label"]) == (None, "Not reached", "Whole record")
    assert response["sentence"] == (
        "The one opt-out of the whole record is not known to be processed; still open: 1, the oldest for 1 day."
    )


@pytest.mark.parametrize("as_of", ["2026-11-18", None])
def test_empty_record_says_no_data(as_of: Any) -> None:
    engine = measured(as_of=as_of)
    rows = engine.rows("select value, display, period_label, previous_value from metrics.headline order by position")
    assert rows == [(None, "No data", "Whole record", None)] * 3
    others = "select metric, value, numerator from metrics.measurements where metric <> 'net_growth' order by all"
    assert engine.rows(others) == [
        ("opt_out_trend", None, 0),
        ("opt_out_trend_direction", None, 0),
    ]
    assert engine.rows("select period_start, channel, source, verdict, reasons from metrics.verdicts") == [
        (None, "*", "*", "Cannot attest", "No message is on record.")
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "under 1 s"),
        (0.9, "under 1 s"),
        (12.4, "12 s"),
        (59.6, "1 min"),
        (45 * 60, "45 min"),
        (3599, "1 h"),
        (5400, "1.5 h"),
        (12 * 3600 + 1700, "12 h"),
        (86399, "1 day"),
        (2.3 * 86400, "2.3 days"),
        (40.2 * 86400, "40 days"),
        (None, "Not reached"),
    ],
)
def test_durations_in_words(seconds: float | None, text: str) -> None:
    assert display_duration(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0.0 %"),
        (0.00001, "under 0.01 %"),
        (0.0004, "0.04 %"),
        (0.025, "2.5 %"),
        (1.0, "100.0 %"),
        (None, "No data"),
    ],
)
def test_shares_in_words(share: float | None, text: str) -> None:
    assert display_share(share) == text
