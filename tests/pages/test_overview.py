"""The overview answers, says what changed and leads on; every number on it is the snapshot's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dashboard import access
from tests.pages.conftest import Open, Published, words
from tests.support.snapshot_factory import write_home


def test_a_fail_is_a_no_with_its_number(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "overview")
    [(count, messages)] = published(
        "select violation_count, message_count from metrics.verdicts "
        "where period_start is null and channel = '*' and source = '*'"
    )
    assert app.header[0].value == f":red[No.] {count} violations are on record."
    assert f"No waiver covers them; {messages:,} messages looked at. Most of all: " in words(app)


def test_the_last_whole_month_stands_beside_the_one_before(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    october, september = (
        published(
            "select verdict || case when violation_count = 0 then '' else ' with ' || violation_count end "
            f"from metrics.verdicts where period_start = date '2026-{month}-01' and channel = '*' and source = '*'"
        )[0][0]
        for month in ("10", "09")
    )
    text = words(open_page(homes["findings"], "overview"))
    assert f"**October 2026: {october} violation" in text
    assert f"September: {september} violation" in text


def test_a_pass_is_a_yes_without_red(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["clean"], "overview")
    assert app.header[0].value == "Yes. Every opt-out was heeded."
    assert "There is no violation in " in words(app)
    assert ":red" not in words(app)


def test_an_empty_record_says_what_to_do(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["empty"], "overview")
    assert app.header[0].value == "Nobody can tell. The record has a hole."
    assert "No message is on record" in words(app)
    assert "This is the first run" in words(app)
    assert app.code[0].value.endswith(" run")


def test_what_changed_is_said_in_numbers(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    text = words(open_page(homes["findings"], "overview"))
    assert "**Since the run before**, with data up to 18 Oct 2026 14:05 UTC" in text
    assert "**2 new violations**: message after opt-out (2). 14 of before are violations no more" in text
    [(waiting,)] = published("select sum(open_count)::int from metrics.open_requests where channel = '*'")
    assert f"{waiting} opt-outs wait to be applied, 1 fewer than then." in text
    assert "214 numbers of finished periods are restated (9,120 had been reported)." in text
    assert "quarantine, " not in text  # as many rows as then
    assert "**Opt-out rate 1.2 %** in October 2026, 1.3 % the month before." in text
    assert "More than chance explains: it has been falling for 12 weeks; it is lower than in October 2025." in text
    assert "**Half of the opt-outs applied within 1.1 h** in October 2026, 1.4 h the month before." in text


def test_a_verdict_that_changed_is_said(homes: dict[str, Path], open_page: Open) -> None:
    assert "**The verdict was Fail and is Pass.**" in words(open_page(homes["clean"], "overview"))


def test_the_headline_numbers_are_the_snapshots(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "overview")
    expected = published(
        "select label, display, 'before: ' || previous_display from metrics.headline order by position"
    )
    assert [(metric.label, metric.value, metric.delta) for metric in app.metric] == expected
    for (sentence,) in published("select sentence from metrics.headline"):
        assert sentence in words(app)


def test_an_officer_s_steps_begin_with_the_violations(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    links = [link.proto for link in open_page(homes["findings"], "overview").page_link]
    steps = [(link.page, link.query_string) for link in links if link.page != "audit"]
    assert steps == [
        ("findings", "violations=true"), ("missed", ""), ("response", ""), ("waivers", ""), ("data", ""),
    ]  # fmt: skip
    [(count,)] = published(
        "select count(*) from audits.findings where severity in ('critical', 'high') and waived_by is null"
    )
    assert links[1].label == f"Read the {count} violations, worst first"


@pytest.mark.parametrize(
    ("role", "pages"),
    [
        (access.VIEWER, ["audit", "response", "campaigns", "timing"]),
        (access.MARKETER, ["campaigns", "timing"]),
    ],
)
def test_other_roles_get_steps_of_their_own(
    monkeypatch: pytest.MonkeyPatch, homes: dict[str, Path], open_page: Open, role: str, pages: list[str]
) -> None:
    monkeypatch.setenv("HEED_DASHBOARD", json.dumps({"login": "none", "role": role}))
    app = open_page(homes["findings"], "overview")
    steps = [link.proto for link in app.page_link if link.proto.label != LINK_TO_AUDIT]
    assert [step.page for step in steps if step.page != "reasons"] == pages
    [campaign] = [step for step in steps if step.page == "campaigns"]
    assert campaign.label == "Look at the campaign Autumn sale"
    assert campaign.query_string == "period=October+2026&channel=SMS"


LINK_TO_AUDIT = "The verdict by channel and month"


def test_nothing_to_do_is_no_empty_list(open_page: Open, tmp_path: Path, homes: dict[str, Path]) -> None:
    links = [link.proto.page for link in open_page(homes["clean"], "overview").page_link]
    assert "findings" not in links
    assert links


def test_a_home_without_a_run_before_says_so(open_page: Open, tmp_path: Path) -> None:
    write_home(tmp_path, "empty")
    assert "The next one will say what changed" in words(open_page(tmp_path, "overview"))
