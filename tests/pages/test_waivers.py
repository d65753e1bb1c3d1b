"""The waivers page says what is excused and by whom, and warns first of waivers that do not hold."""

from __future__ import annotations

from pathlib import Path

from tests.pages.conftest import Open, Published, words


def test_waivers_that_do_not_hold_come_first(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "waivers")
    expired, subject, rule = [warning.value for warning in app.warning]
    assert expired.startswith("**1 waiver: expired.**")
    assert (
        "Waiver 4: Message without consent, campaign store-hours, until 30 Sep 2026. 4 findings count again." in expired
    )
    assert "names nothing on record" in subject
    assert "names no rule" in rule
    assert "Waiver 6: Message after optout, message m1." in rule


def test_what_is_in_force_is_told_with_its_counts(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    text = words(open_page(homes["findings"], "waivers"))
    [(waived, excused)] = published(
        "select count(*), count(*) filter (where severity in ('critical', 'high')) from audits.findings "
        "where waived_by is not null"
    )
    assert f"**3 waivers in force; {waived} findings are waived, of which {excused} would be violations.**" in text
    assert "3 others do not hold." in text
    for number, (about, until) in enumerate(
        (("campaign autumn-sale", "until 31 Dec 2026"), ("period 2026-10", "no end"))
    ):
        [(count,)] = published(f"select finding_count from audits.waivers where waiver_number = {number + 1}")
        item = next(part for part in text.split("\n\n") if about in part)
        assert f"excuses **{count} finding{'s' if count > 1 else ''}**" in item
        assert until in item
    assert "1 waiver ends within 30 days of the data's end." in text
    assert "1 waiver excuses no finding today and could go." in text
    assert "A waiver excuses findings of one rule" in text


def test_no_address_is_shown_but_of_who_decided(homes: dict[str, Path], open_page: Open) -> None:
    text = words(open_page(homes["findings"], "waivers"))
    assert "Waiver 5: Message over the cap, contact (address not shown), until 31 Dec 2026." in text
    assert "2025550117" not in text
    assert "ann@" not in text
    assert "By legal@example.org, until 31 Dec 2026" in text


def test_it_leads_to_the_waived_findings(homes: dict[str, Path], open_page: Open) -> None:
    links = [link.proto for link in open_page(homes["findings"], "waivers").page_link]
    assert ("findings", "waived=Waived") in [(link.page, link.query_string) for link in links]


def test_no_waiver_is_a_designed_state(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["clean"], "waivers")
    assert "Nothing is waived" in words(app)
    assert "`waivers.csv`" in words(app)
    assert app.code[0].value == f"heed -C {homes['clean']} run"
