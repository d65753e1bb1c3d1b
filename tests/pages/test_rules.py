"""The rules page says each rule in force in plain words, with citation, grade and date, and what is not in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.words import rule_texts
from tests.pages.conftest import Open, Published, words
from tests.support.snapshot_factory import write_home


def law(text: str) -> str:
    """The part of a page's words that lists rows of law."""
    return "\n".join(line for line in text.split("\n") if line.startswith(("- **", "  ")))


def test_the_answer_counts_rules_and_says_it_is_no_advice(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    text = words(open_page(homes["findings"], "rules"))
    [(in_force, judging, places)] = published(
        "select count(*), count(*) filter (where is_judged), count(distinct jurisdiction) filter (where is_judged) "
        "from run.rules where is_in_force"
    )
    assert (
        f"**heed looks for 16 wrongs. {in_force} rows of law and practice are in force; heed judges by {judging}"
        in text
    )
    assert f"from {places} places.**" in text
    assert "It is not legal advice" in text
    assert "Where no row gives a deadline, your own holds: 10 business days." in text
    assert "Your own cap: 5 messages in 7 days to a contact and channel." in text


def test_each_audit_has_its_counts(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    table = open_page(homes["findings"], "rules").table[0].value
    expected: dict[str, int] = dict(published("select rule, count(*) from audits.findings group by rule"))
    names = [cell.partition("**  \n")[0].strip("*") for cell in table["Wrong"]]
    assert names == [audit.name for audit in rule_texts.AUDITS.values()]
    assert list(table["Findings"]) == [expected[rule] for rule in rule_texts.AUDITS]
    assert sum(table["Waived"]) == published("select count(waived_by) from audits.findings")[0][0]


def test_one_audit_is_read_in_full(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "rules", rule="Confirmation late")
    text = words(app)
    for part in ("**Rule.** No confirmation late", "**Why.** 47 CFR", "**Remedy.** Suppress", "**Severity.** warning"):
        assert part in text
    links = [link.proto for link in app.page_link]
    assert ("findings", "rule=Confirmation+late") in [(link.page, link.query_string) for link in links]


def test_a_row_has_words_citation_grade_and_dates(homes: dict[str, Path], open_page: Open) -> None:
    text = law(words(open_page(homes["findings"], "rules")))
    assert "- **United States (US)** · SMS, Voice · **" in text
    assert "  An opt-out is applied within ten business days of its receipt.  " in text
    assert (
        "[47 CFR 64.1200(a)(10), (d)(3)](https://example.org/law/us-tcpa-optout-10bd) · TCPA · legal text, quoted by"
        " others, checked 21 Nov 2026 · since 11 Apr 2025 · us-tcpa-optout-10bd" in text
    )
    # Without a start it judges one year at most, counted from its last day.
    assert "start not found, judges from 10 Apr 2024 · until 10 Apr 2025 · us-tcpa-optout-30d-old" in text
    assert "**Everywhere** · every channel" in text
    assert "official text, checked 21 Nov 2026 · from your rules.csv · since 1 Jan 2026 · weighs warning" in text


def test_rows_not_in_force_are_shown_on_request(homes: dict[str, Path], open_page: Open) -> None:
    assert "Not in force" not in words(open_page(homes["findings"], "rules"))
    text = words(open_page(homes["findings"], "rules", off="true"))
    assert ":gray-badge[Not in force: only in the strict preset]" in text
    assert ":gray-badge[Not in force: its source is too weak]" in text


def test_rows_for_information_are_apart(homes: dict[str, Path], open_page: Open) -> None:
    labels = [expander.label for expander in open_page(homes["findings"], "rules").expander]
    assert "**Deadlines for opt-outs** · 3 rows" in labels
    assert labels[-1] == "**For information** · 1 row that heed does not judge by"


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"kind": ["Quiet hours"]}, {"us-tcpa-quiet-hours", "us-fl-quiet-hours"}),
        ({"place": ["Florida (US-FL)"], "kind": ["Penalties"]}, {"us-fl-penalty"}),
        ({"by": ["Email"]}, {"us-canspam-optout-10bd", "house-cap"}),
        ({"by": ["WhatsApp"], "off": "true"}, {"gb-pecr-optout", "house-cap"}),
    ],
)
def test_filters_choose_rows(
    homes: dict[str, Path], open_page: Open, published: Published, query: dict[str, list[str]], ids: set[str]
) -> None:
    text = law(words(open_page(homes["findings"], "rules", **query)))
    every = {rule_id for (rule_id,) in published("select rule_id from run.rules")}
    assert {rule_id for rule_id in every if f" {rule_id}]" in text} == ids


def test_notes_are_shown_on_request(homes: dict[str, Path], open_page: Open) -> None:
    assert "*A note.*" not in words(open_page(homes["findings"], "rules"))
    assert "*A note.*" in words(open_page(homes["findings"], "rules", notes="true"))


def test_no_match_is_a_designed_state(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "rules", kind=["Confirmations"], by=["Email"])
    assert "Nothing in this selection" in words(app)


def test_the_strict_preset_is_named_as_a_preset(open_page: Open, homes: dict[str, Path], tmp_path: Path) -> None:
    write_home(tmp_path, "clean", preset="strict")
    app = open_page(tmp_path, "rules")
    assert app.warning[0].value.startswith("**The strict preset is on.** It is a preset of heed's")
    assert "not the law" in app.warning[0].value
    assert "United Kingdom (GB)" in law(words(app))
    assert not open_page(homes["clean"], "rules").warning


def test_it_says_whom_the_rules_reach(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    table = open_page(homes["findings"], "rules").table[1].value
    expected = published("select country, count(*) from core.contacts group by 1 order by country is null, 2 desc")
    assert list(table["Contacts"]) == [count for _, count in expected]
    assert list(table["Country"]) == ["United States (US)", "United Kingdom (GB)", "Not known"]
    deadlines = list(table["Deadline for opt-outs today"])
    assert deadlines == [
        "10 business days by Email, SMS, Voice",
        "your own: 10 business days",
        "your own: 10 business days",
    ]


def test_links_lead_to_web_pages_alone() -> None:
    assert rule_texts.link("a(b)", "https://example.org/x(1)") == "[a(b)](https://example.org/x%281%29)"
    for address in (None, "", "javascript:alert(1)", "https://a b", "http://x)[y](z", "//example.org"):
        assert "](" not in rule_texts.link("text", address) or address == "http://x)[y](z"
    assert rule_texts.link("t", "http://x)[y](z") == "[t](http://x%29[y]%28z)"


def test_classes_have_names_of_their_own() -> None:
    names = [rule_texts.class_name(rule, one) for rule, audit in rule_texts.AUDITS.items() for one in audit.classes]
    assert len(set(names)) == len(names)
    assert len({audit.name for audit in rule_texts.AUDITS.values()}) == len(rule_texts.AUDITS) == 16
    assert rule_texts.class_name("new_rule", "odd") == "New rule: odd"
