"""The audit overview says the verdict in words, draws it by channel and month, and counts what was found."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import access, charts_calendar, verdict_calendar
from dashboard.words import formats, rule_texts
from dashboard.words import verdict_calendar as calendar_words
from tests.pages.conftest import Open, Published, words
from tests.support.snapshot_factory import write_home


def cells_of(app: AppTest, number: int = 0) -> dict[str, str]:
    """The text of every cell of a calendar by what is said on hovering."""
    figure = json.loads(app.get("plotly_chart")[number].proto.spec)
    bars, *texts = figure["data"]
    written = {(x, round(y)): text for one in texts for x, y, text in zip(one["x"], one["y"], one["text"], strict=True)}
    assert len(written) == len(bars["x"])
    places = zip(bars["x"], bars["base"], bars["customdata"], strict=True)
    return {said[1]: written[x, round(base + 0.45)] for x, base, said in places}


def test_a_fail_is_said_with_its_reasons(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "audit")
    [(verdict, reasons)] = published(
        "select verdict, reasons from metrics.verdicts where period_start is null and channel = '*' and source = '*'"
    )
    assert verdict == "Fail"
    assert app.header[0].value == ":red[Fail]"
    for reason in reasons.split("\n"):
        assert f"- {reason}" in words(app)


def test_a_pass_is_said_without_red(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["clean"], "audit")
    assert app.header[0].value == "Pass"
    assert "No violation was found, and the evidence is complete." in words(app)
    assert ":red" not in words(app)


def test_a_verdict_by_the_strict_preset_says_so(homes: dict[str, Path], open_page: Open, tmp_path: Path) -> None:
    write_home(tmp_path, "clean", preset="strict")
    assert "Judged by the strict preset, which is heed's own" in words(open_page(tmp_path, "audit"))
    assert "preset" not in words(open_page(homes["clean"], "audit"))


def test_an_empty_record_cannot_be_attested(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["empty"], "audit")
    assert app.header[0].value == "Cannot attest"
    assert "No message was loaded." in words(app)


def test_findings_are_counted_by_rule(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "audit")
    # The first table is that of the sources.
    wrong, others = (app.table[index].value for index in (1, 2))
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
    cell = open_page(homes["findings"], "audit").table[1].value["What happened"].iloc[0].replace("\u00a0", " ")
    assert cell.startswith("**Message after opt-out** :red-badge[Critical]")
    for finding_class, count in published(
        "select finding_class, count(*) from audits.findings where rule = 'message_after_opt_out' group by 1"
    ):
        assert f"{rule_texts.class_name('message_after_opt_out', finding_class)} {count}" in cell


def test_a_campaign_s_finding_has_no_contact(homes: dict[str, Path], open_page: Open) -> None:
    cells = open_page(homes["findings"], "audit").table[1].value["What happened"]
    [cell] = [cell for cell in cells if "Campaign ignores opt-outs" in cell]
    assert cell.endswith("A campaign is set up to send to those who opted out. 5 campaigns.")


def test_waived_findings_are_counted_apart(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    [(waived,)] = published("select count(waived_by) from audits.findings")
    links = [(link.proto.page, link.proto.label) for link in open_page(homes["findings"], "audit").page_link]
    assert ("waivers", f"{waived} findings are waived and counted apart") in links


def test_exposure_is_a_range_with_its_caveat(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    text = words(open_page(homes["findings"], "audit"))
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
    assert "If a court" not in words(open_page(homes["clean"], "audit"))


def test_rules_without_a_finding_are_named(homes: dict[str, Path], open_page: Open) -> None:
    text = words(open_page(homes["findings"], "audit", channel="Email"))
    assert "Looked for and not found: " in text
    assert "Campaign ignores opt-outs" in text.split("Looked for and not found: ")[1]


def test_month_and_channel_choose_the_verdict(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    [(month, verdict)] = published(
        "select strftime(period_start, '%B %Y'), verdict from metrics.verdicts "
        "where channel = 'email' and source = '*' and verdict = 'Pass' and period_start is not null limit 1"
    )
    app = open_page(homes["findings"], "audit", period=month, channel="Email")
    assert app.header[0].value == verdict
    assert app.caption[0].value.startswith(f"**{month}, Email**")


def test_every_cell_of_the_calendar_is_a_verdict(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    cells = cells_of(open_page(homes["findings"], "audit"))
    # Three channels and all of them, over the twelve months to November 2026.
    assert len(cells) == 4 * 12
    letters = {"Fail": "F", "Pass": "P", "Cannot attest": "?"}
    expected = {}
    for month, channel, verdict, count, messages in published(
        "select strftime(period_start, '%B %Y'), channel, verdict, violation_count, message_count "
        "from metrics.verdicts where source = '*' and period_start >= date '2025-12-01'"
    ):
        violations = f", {count} violation{'s' if count > 1 else ''}" if count else ""
        said = f"{calendar_words.name(channel)}, {month}: {verdict}{violations}, {messages:,} messages"
        expected[said] = f"<b>{letters[verdict]}</b>" + (f"<br>{count}" if count else "")
    assert {said.replace("\u00a0", " "): text for said, text in cells.items()} == expected


def test_the_calendar_s_table_has_the_reasons(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    table = open_page(homes["findings"], "audit").dataframe[0].value
    assert table["Month"].iloc[0] == "November 2026"
    row = table[(table["Channel"] == "WhatsApp") & (table["Verdict"] == "Cannot attest")].iloc[0]
    assert row["Reasons"] == "Opt-outs without proof of processing: 1."
    assert len(table) == 4 * 12


def test_a_cell_is_chosen_from_the_list(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "audit")
    [(count,)] = published(
        "select violation_count from metrics.verdicts where channel = 'sms' and source = '*' "
        "and period_start = date '2026-10-01'"
    )
    app.selectbox(key="cell").set_value("sms 2026-10-01").run()
    assert app.selectbox(key="period").value == date(2026, 10, 1)
    assert app.selectbox(key="channel").value == "sms"
    assert app.caption[0].value.startswith("**October 2026, SMS**")
    links = [link.proto.label for link in app.page_link]
    assert (f"Read the {count} violations, worst first" in links) == (count > 1)
    [chosen] = json.loads(app.get("plotly_chart")[0].proto.spec)["layout"]["shapes"]
    assert chosen["line"]["color"] == charts_calendar.ACCENT


def test_an_earlier_window_of_twelve_months_is_shown(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "audit", period="October 2025")
    assert any(said.startswith("SMS, October 2025") for said in cells_of(app))
    assert "3 months, all channels together" in words(app)


def test_days_count_violations_and_say_where_nothing_is_known(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    app = open_page(homes["findings"], "audit", period="October 2026", channel="WhatsApp")
    days = cells_of(app, 1)
    assert len(days) == 31
    # A silence of six days, two of them a Sunday on which nothing is ever sent.
    unknown = [said for said in days if "silent: messages of messenger" in said]
    assert [said.split(".")[0] for said in unknown] == [
        f"{name} {day} Oct 2026" for name, day in zip(
            ("Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), range(6, 12), strict=True
        )
    ]  # fmt: skip
    assert "6 days in a silence of messages of messenger" in words(app)
    for day, count in published(
        "select strftime(on_date, '%-d'), violation_count from metrics.violation_days "
        "where channel = 'whatsapp' and violation_count > 0 and date_trunc('month', on_date) = date '2026-10-01'"
    ):
        [text] = [text for said, text in days.items() if f" {day} Oct 2026." in said]
        assert text.endswith(f"<b>{count}</b>")
    [sunday] = [text for said, text in days.items() if "Sunday 4 Oct 2026" in said]
    assert sunday.endswith("<b>–</b>")
    [monday] = [text for said, text in days.items() if "Monday 19 Oct 2026" in said]
    assert monday.endswith("<b>0</b>")


def test_days_after_the_data_s_end_are_empty(homes: dict[str, Path], open_page: Open) -> None:
    days = cells_of(open_page(homes["clean"], "audit", period="November 2026"), 1)
    ended = [said for said in days if said.endswith("after the end of the data")]
    assert len(ended) == 12  # as_of is on the 18th of 30 days
    assert "No violation on the 18 days on record." in words(open_page(homes["clean"], "audit", period="November 2026"))


def test_a_day_s_violations_are_opened_from_the_list(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    app = open_page(homes["findings"], "audit", channel="SMS", period="October 2026")
    [choice] = [one for one in app.selectbox if str(one.key).startswith("day_of_")]
    days = published(
        "select on_date, violation_count from metrics.violation_days where channel = 'sms' and violation_count > 0 "
        "and on_date between '2026-10-01' and '2026-10-31' order by on_date"
    )
    assert len(choice.options) == len(days) > 0
    assert choice.options[0].endswith(f": {formats.plural(days[0][1], 'violation')}")
    choice.select_index(0).run()
    assert app.date_input(key="day").value == days[0][0]
    assert app.toggle(key="violations").value is True
    assert f"of which {formats.plural(days[0][1], 'violation')}." in words(app)


def test_a_viewer_gets_no_link_to_findings(
    monkeypatch: pytest.MonkeyPatch, homes: dict[str, Path], open_page: Open
) -> None:
    monkeypatch.setenv("HEED_DASHBOARD", json.dumps({"login": "none", "role": access.VIEWER}))
    app = open_page(homes["findings"], "audit")
    assert app.header[0].value == ":red[Fail]"
    assert {link.proto.page for link in app.page_link} <= {"audit"}
    assert "counted apart" in words(app)


@pytest.mark.parametrize(
    ("first", "last", "sizes"),
    [
        (date(2026, 11, 1), date(2026, 11, 1), [1]),
        (date(2025, 12, 1), date(2026, 11, 1), [12]),
        (date(2025, 11, 1), date(2026, 11, 1), [12, 1]),
        (date(2021, 12, 1), date(2026, 11, 1), [12] * 5),
    ],
)
def test_months_come_in_windows_of_twelve(first: date, last: date, sizes: list[int]) -> None:
    windows = verdict_calendar.windows(verdict_calendar.months_between(first, last))
    assert [len(window) for window in windows] == sizes
    assert windows[0][-1] == last
    assert windows[-1][0] == first


@pytest.mark.parametrize(
    ("count", "text"),
    [(7, "7"), (999, "999"), (1_000, "1.0k"), (9_949, "9.9k"), (9_950, "10k"), (51_234, "51k"), (2_600_000, "2.6M")],
)
def test_counts_fit_in_a_cell(count: int, text: str) -> None:
    assert verdict_calendar.short(count) == text


def test_the_shade_follows_the_count() -> None:
    shades: list[Any] = [charts_calendar.shade(count, 1_000) for count in (1, 5, 50, 100, 1_000)]
    assert shades == [0, 0, 1, 2, 2]
    assert charts_calendar.shade(1, 1) == 0
