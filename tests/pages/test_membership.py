"""The page of how long people stay shows the snapshot's numbers and names the differences that are sure, no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.conftest import Open, Published, words
from tests.pages.test_numbers import drawn


def share(value: float) -> str:
    return f"{100 * value:.1f} %"


def test_the_answer_counts_opt_ins_since_departures_are_on_record(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    app = open_page(homes["findings"], "membership")
    where = "channel = '*' and dimension = 'channel' and value = '*'"
    [(count, month, quarter)] = published(
        f"select opt_in_count, left_30_days, left_90_days from metrics.membership where cohort = 'watched' and {where}"
    )
    [(every, too_low)] = published(
        f"select opt_in_count, left_30_days from metrics.membership where cohort = 'all' and {where}"
    )
    text = words(app)
    told = (
        f"**Of {count:,} opt-ins, {share(month)} are gone within 30 days and {share(quarter)} are gone within 90 days."
    )
    assert told in text
    assert f"{every - count:,} opt-ins are older than the first departure on record, and left out here" in text
    assert f"With them, {share(too_low)} are gone within 30 days; without them, {share(month)}." in text
    shown = {metric.label: metric.value.replace("\u00a0", " ") for metric in app.metric}
    assert shown["Gone within 30 days"] == share(month)


def test_every_opt_in_can_be_counted_instead(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "membership", counted="Every opt-in on record", channel="SMS")
    [(count,)] = published(
        "select opt_in_count from metrics.membership where cohort = 'all' and dimension = 'channel' and value = 'sms'"
    )
    assert f"**Of {count:,} opt-ins, " in words(app)
    assert "counted here, so the shares are too low" in words(app)


def test_the_curve_is_the_snapshots(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "membership", channel="Email")
    steps = published(
        "select share_left * 100 from metrics.membership_curve where cohort = 'watched' and channel = '*'"
        " and dimension = 'channel' and value = 'email' order by days"
    )
    line = drawn(app)["All of them"]["y"]
    # From 0, through the steps, and level to the end of what is known.
    assert line == pytest.approx([0, *(value for (value,) in steps), steps[-1][0]])


def test_only_sure_differences_are_named(homes: dict[str, Path], open_page: Open) -> None:
    text = words(open_page(homes["findings"], "membership"))
    assert (
        "**By double or single opt-in:** Single opt-in sooner: 1,575 left, 1,386 expected; Double opt-in later:" in text
    )
    assert "(p < 0.001)" in text
    assert "**By source:**" in text
    assert "No difference that chance would not explain: by where exactly they opted in, by method." in text
    assert "p values corrected for 5 questions asked at once" in text


@pytest.mark.parametrize(
    ("by", "column", "groups"),
    [
        ("Double or single", "Double or single", ["Single opt-in", "Double opt-in"]),
        ("Incentive", "Incentive", ["Without one", "With an incentive", "Not recorded"]),
        ("Source", "Source", ["Own web", "Ad campaign", "Not recorded", "Scraped"]),
        ("Where exactly", "Where exactly", ["checkout", "autumn ad", "Not recorded", "Other"]),
    ],
)
def test_groups_are_listed_largest_first(
    homes: dict[str, Path], open_page: Open, by: str, column: str, groups: list[str]
) -> None:
    app = open_page(homes["findings"], "membership", by=by)
    [table] = [frame.value for frame in app.dataframe if "Half gone within" in frame.value.columns]
    assert list(table[column]) == groups
    if by == "Source":
        assert "Fewer than 20 opt-ins, so little is known: Scraped." in words(app)
        assert set(drawn(app, 1)) == {"Own web", "Ad campaign"}


def test_an_empty_record_and_an_older_snapshot_say_so(homes: dict[str, Path], open_page: Open) -> None:
    assert "No opt-in is on record here." in words(open_page(homes["empty"], "membership"))
    assert "This snapshot has no times from opt-in to opt-out" in words(open_page(homes["old"], "membership"))
