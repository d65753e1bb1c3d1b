"""The overview says the verdict in words first, and every number on it is the snapshot's."""

from __future__ import annotations

from pathlib import Path

from tests.pages.conftest import Open, Published, words


def test_a_fail_is_said_with_its_reasons(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "overview")
    [(verdict, reasons)] = published(
        "select verdict, reasons from metrics.verdicts where period_start is null and channel = '*' and source = '*'"
    )
    assert verdict == "Fail"
    assert app.header[0].value == ":red[Fail]"
    for reason in reasons.split("\n"):
        assert f"- {reason}" in words(app)


def test_a_pass_is_said_without_red(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["clean"], "overview")
    assert app.header[0].value == "Pass"
    assert "No violation was found, and the evidence is complete." in words(app)
    assert ":red" not in words(app)


def test_an_empty_record_cannot_be_attested(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["empty"], "overview")
    assert app.header[0].value == "Cannot attest"
    assert "No message was loaded." in words(app)


def test_the_headline_numbers_are_the_snapshots(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "overview")
    expected = published(
        "select label, display, 'before: ' || previous_display from metrics.headline order by position"
    )
    assert [(metric.label, metric.value, metric.delta) for metric in app.metric] == expected
    for (sentence,) in published("select sentence from metrics.headline"):
        assert sentence in words(app)


def test_findings_are_counted_by_class(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    table = open_page(homes["findings"], "overview").table[0].value
    expected = published("select count(*) from audits.findings group by finding_class order by 1")
    assert sorted(table["Findings"]) == [count for (count,) in expected]
    assert sum(table["Findings"]) == published("select count(*) from audits.findings")[0][0]


def test_month_and_channel_choose_the_verdict(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    [(month, verdict)] = published(
        "select strftime(period_start, '%B %Y'), verdict from metrics.verdicts "
        "where channel = 'email' and source = '*' and verdict = 'Pass' and period_start is not null limit 1"
    )
    app = open_page(homes["findings"], "overview", period=month, channel="Email")
    assert app.header[0].value == verdict
    assert app.caption[0].value.startswith(f"**{month}, Email**")


def test_months_are_listed_newest_first_with_their_violations(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    months = open_page(homes["findings"], "overview").table[1].value
    expected = published(
        "select violation_count from metrics.verdicts where channel = '*' and source = '*' "
        "and period_start is not null order by period_start desc limit 12"
    )
    assert list(months["All channels"]) == [f":red-badge[Fail · {count}]" for (count,) in expected]
    assert months["Month"].iloc[0] == "November\u00a02026"


def test_links_lead_on(homes: dict[str, Path], open_page: Open) -> None:
    links = [link.proto for link in open_page(homes["findings"], "overview").page_link]
    assert ("findings", "violations=true") in [(link.page, link.query_string) for link in links]
    assert {"findings", "response", "data", "trends"} <= {link.page for link in links}
    clean = [link.proto.page for link in open_page(homes["clean"], "overview").page_link]
    assert "findings" not in clean
