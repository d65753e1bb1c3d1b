"""The page of response times shows the snapshot's numbers, says what the plain mean hides, and lists what is open."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.conftest import Open, Published, words
from tests.pages.test_numbers import drawn
from tests.support.snapshot_factory import write_home

WHOLE = "metric = 'response_time' and grain = 'all' and channel = '*'"


def test_the_answer_is_the_snapshots(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "response")
    measured: dict[str, float] = dict(
        published(f"select definition, value from metrics.measurements where {WHOLE}")  # type: ignore[arg-type]
    )
    shown = {metric.label: metric.value.replace("\u00a0", " ") for metric in app.metric}
    assert shown["Still open"] == str(int(measured["open_count"]))
    assert shown["Within the deadline"] == f"{100 * measured['share_within_deadline']:.1f} %"
    assert measured["kaplan_meier_median"] / 3_600 == pytest.approx(float(shown["Median"].split()[0]), abs=0.06)
    curve = published(
        "select share_processed * 100 from metrics.response_time_curve where channel = '*' order by seconds"
    )
    assert drawn(app, 1)["2"]["y"] == pytest.approx([share for (share,) in curve])


def test_shares_within_a_time_are_bars_in_order(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "response", channel="SMS")
    measured = dict(
        published(
            "select definition, value * 100 from metrics.measurements where metric = 'response_time'"
            " and grain = 'all' and channel = 'sms'"
        )
    )
    [bars] = drawn(app).values()
    names = ("share_within_1_hour", "share_within_24_hours", "share_within_48_hours", "share_within_deadline")
    assert bars["x"] == pytest.approx([measured[name] for name in names])


def test_the_plain_mean_is_said_to_flatter_where_requests_are_open(tmp_path: Path, open_page: Open) -> None:
    import duckdb

    path = write_home(tmp_path, "findings")
    numbers = {"mean_completed": 7_200, "restricted_mean": 10_800}
    with duckdb.connect(str(path)) as connection:
        for definition, value in numbers.items():
            connection.execute(
                f"update metrics.measurements set value = {value} where definition = '{definition}' and {WHOLE}"
            )
        [(done, waiting)] = connection.execute(
            "select count(processed_at), count(*) - count(processed_at) from core.opt_out_spans"
        ).fetchall()
    text = words(open_page(tmp_path, "response"))
    assert (
        f"The mean of the {done} applied ones is 2 h. It leaves out the {waiting} still waiting, so it flatters" in text
    )
    assert "the mean is **3 h**, 50 % longer." in text


def test_with_nothing_open_the_mean_leaves_nobody_out(homes: dict[str, Path], open_page: Open) -> None:
    text = words(open_page(homes["clean"], "response"))
    assert "Nothing is open, so this mean leaves nobody out." in text
    assert "Nothing is waiting" in text


@pytest.mark.parametrize(("by", "dimension"), [("Method", "method"), ("Source", "source"), ("Channel", "channel")])
def test_groups_are_compared_slowest_first(
    homes: dict[str, Path], open_page: Open, published: Published, by: str, dimension: str
) -> None:
    app = open_page(homes["findings"], "response", by=by)
    medians = published(
        f"select median_seconds from metrics.response_groups where dimension = '{dimension}' and value <> '*'"
        f" and (channel = '*' or dimension = 'channel') order by median_seconds desc"
    )
    chart = len(app.get("plotly_chart")) - 1
    assert drawn(app, chart)["Median"]["x"] == pytest.approx([median for (median,) in medians])
    [table] = [frame.value for frame in app.dataframe if by in frame.value.columns and "Median" in frame.value.columns]
    assert len(table) == len(medians)


def test_months_are_listed_newest_first(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "response", by="Month")
    [table] = [frame.value for frame in app.dataframe if "Month" in frame.value.columns]
    assert list(table["Month"])[:2] == ["November 2026", "October 2026"]


def test_open_requests_are_counted_and_listed(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "response")
    [(waiting, overdue)] = published(
        "select count(*), count(*) filter (where deadline_at < (select as_of from run.parameters)) "
        "from core.opt_out_spans where processed_at is null"
    )
    [(coming,)] = published(
        "select strftime(min(deadline_at), '%-d %b %Y %H:%M UTC') from core.opt_out_spans"
        " where processed_at is null and ends_at is null and deadline_at >= (select as_of from run.parameters)"
    )
    following = f" The next deadline is {coming}." if coming else ""
    assert f"**{waiting} opt-outs are still open, {overdue} of them past the deadline.{following}**" in words(app)
    [ages] = [table.value for table in app.table if "Waiting for" in table.value.columns]
    assert (sum(ages["Open"]), sum(ages["Past the deadline"])) == (waiting, overdue)
    [listed] = [frame.value for frame in app.dataframe if "Left" in frame.value.columns]
    dates = published(
        "select contact_masked from core.opt_out_spans where processed_at is null and ends_at is null"
        " order by deadline_at, begins_at limit 20"
    )
    assert list(listed["Contact"]) == [masked for (masked,) in dates]


def test_who_had_to_ask_again_is_counted(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "response")
    [(again, total, most)] = published(
        "select count(*) filter (where repeat_count > 0), count(*), max(repeat_count) + 1 from core.opt_out_spans"
    )
    said = f"**{again} of {total} opt-outs ({100 * again / total:.1f} %) were asked for more than once, "
    assert f"{said}up to {most} times.**" in words(app)
    [table] = [table.value for table in app.table if "First asked by" in table.value.columns]
    assert sum(table["Once"]) + sum(table["Twice"]) + sum(table["3 times"]) + sum(table["More often"]) == total


def test_a_snapshot_of_before_keeps_what_it_knows(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["old"], "response")
    assert "This snapshot has no response times by method and source" in words(app)
    assert "Median" in {metric.label for metric in app.metric}
