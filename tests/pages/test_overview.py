"""The overview says the verdict in words first, and every number on it is the snapshot's."""

from __future__ import annotations

from pathlib import Path

from dashboard import rule_texts
from tests.pages.conftest import Open, Published, words
from tests.support.snapshot_factory import write_home


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


def test_a_verdict_by_the_strict_preset_says_so(homes: dict[str, Path], open_page: Open, tmp_path: Path) -> None:
    write_home(tmp_path, "clean", preset="strict")
    assert "Judged by the strict preset, which is heed's own" in words(open_page(tmp_path, "overview"))
    assert "preset" not in words(open_page(homes["clean"], "overview"))


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


def test_findings_are_counted_by_rule(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "overview")
    wrong, others = (app.table[index].value for index in range(2))
    expected = {
        rule_texts.audit_name(rule): tuple(counts)
        for rule, *counts in published(
            "select rule, count(*), count(*) filter (where severity in ('critical', 'high') and waived_by is null), "
            "count(waived_by) from audits.findings group by rule"
        )
    }
    shown = {
        row["What happened"].split("**")[1]: (row["Findings"], row["Violations"], row["Waived"])
        for table in (wrong, others)
        for _, row in table.iterrows()
    }
    assert shown == expected
    assert len(shown) == 16
    assert min(wrong["Violations"]) > 0 == sum(others["Violations"])
    left = sum(others["Findings"])
    assert f"{len(others)} more rules with {left} findings and no violation" in words(app)


def test_a_rule_divides_into_its_classes(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    cell = open_page(homes["findings"], "overview").table[0].value["What happened"].iloc[0].replace("\u00a0", " ")
    assert cell.startswith("**Message after opt-out** :red-badge[Critical]")
    for finding_class, count in published(
        "select finding_class, count(*) from audits.findings where rule = 'message_after_opt_out' group by 1"
    ):
        assert f"{rule_texts.class_name('message_after_opt_out', finding_class)} {count}" in cell


def test_a_campaign_s_finding_has_no_contact(homes: dict[str, Path], open_page: Open) -> None:
    cells = open_page(homes["findings"], "overview").table[0].value["What happened"]
    [cell] = [cell for cell in cells if "Campaign ignores opt-outs" in cell]
    assert cell.endswith("A campaign is set up to send to those who opted out. 5 campaigns.")


def test_waived_findings_are_counted_apart(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    [(waived,)] = published("select count(waived_by) from audits.findings")
    labels = {link.proto.page: link.proto.label for link in open_page(homes["findings"], "overview").page_link}
    links = [link.proto.label for link in open_page(homes["findings"], "overview").page_link]
    assert f"{waived} findings are waived and counted apart" in links
    assert labels["waivers"] == "Renew or remove 3 waivers that do not hold"


def test_exposure_is_a_range_with_its_caveat(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    text = words(open_page(homes["findings"], "overview"))
    for citation, low, high, count in published(
        "select r.citation, e.low_amount, e.high_amount, e.violation_count from metrics.exposure as e "
        "join run.rules as r on r.rule_id = e.legal_rule_id"
    ):
        said = f"**between ${low:,.0f} and ${high:,.0f}** under [{citation}](https://example.org/law/"
        assert said in text.replace("%28", "(").replace("%29", ")").replace("\\", "")
        assert f"{count} messages, each counted once" in text
    assert "7 more may fall under it, by a guessed region, and are in no amount." in text
    assert "never add them up" in text
    assert "It is no forecast and no advice" in text
    [(total,)] = published("select sum(high_amount) from metrics.exposure")
    assert f"{total:,.0f}" not in text
    assert "If a court" not in words(open_page(homes["clean"], "overview"))


def test_rules_without_a_finding_are_named(homes: dict[str, Path], open_page: Open) -> None:
    text = words(open_page(homes["findings"], "overview", channel="Email"))
    assert "Looked for and not found: " in text
    assert "Campaign ignores opt-outs" in text.split("Looked for and not found: ")[1]


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
    months = open_page(homes["findings"], "overview").table[2].value
    expected = published(
        "select violation_count from metrics.verdicts where channel = '*' and source = '*' "
        "and period_start is not null order by period_start desc limit 12"
    )
    assert list(months["All channels"]) == [f":red-badge[Fail · {count}]" for (count,) in expected]
    assert months["Month"].iloc[0] == "November\u00a02026"


def test_links_lead_on(homes: dict[str, Path], open_page: Open) -> None:
    links = [link.proto for link in open_page(homes["findings"], "overview").page_link]
    assert ("findings", "violations=true") in [(link.page, link.query_string) for link in links]
    assert {"findings", "missed", "response", "data", "trends", "waivers"} <= {link.page for link in links}
    clean = [link.proto.page for link in open_page(homes["clean"], "overview").page_link]
    assert "findings" not in clean
