"""One contact's story agrees with the spans, the timeline and the findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dashboard import rule_texts
from tests.pages.conftest import Open, Published, words


def test_the_story_is_told_in_words_and_rows(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    [(key, text, violations)] = published(
        "select contact_key, lpad(lower(hex(contact_key)), 16, '0'), count(*) from audits.findings "
        "where waived_by is null and severity in ('critical', 'high') group by 1, 2 order by 3 desc, 2 limit 1"
    )
    app = open_page(homes["findings"], "contact", contact=text)
    [(records, messages)] = published(
        f"select count(*), count(*) filter (where kind = 'message') from core.timeline where contact_key = {key}"
    )
    assert f"got {messages} messages; :red[{violations} violation" in words(app)
    assert "Opted out of" in words(app)
    assert "Applied after" in words(app)
    assert len(app.dataframe[0].value) == records
    drawn = json.loads(app.get("plotly_chart")[0].proto.spec)["data"]
    assert [len(trace["x"]) for trace in drawn if trace.get("name") == "Violation"] == [violations]


def test_negative_keys_are_found_by_their_digits(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    [(text,)] = published(
        "select lpad(lower(hex(contact_key)), 16, '0') from audits.findings where contact_key < 0 limit 1"
    )
    assert len(open_page(homes["findings"], "contact", contact=text).dataframe[0].value) > 0


@pytest.mark.parametrize("text", ["", "12", "g" * 16, "' or 1=1 --"])
def test_what_is_no_key_is_asked_for_again(homes: dict[str, Path], open_page: Open, text: str) -> None:
    assert "No contact chosen" in words(open_page(homes["findings"], "contact", contact=text))


def test_where_the_contact_is_is_said_with_how_it_is_known(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    told = {
        "+1305": (
            "Country: United States (US), certain (from the phone number).",
            "Region: Florida (US-FL), likely, not certain (from the phone number).",
            "Time zone: one of America/Chicago, America/New\\_York, likely, not certain (from the phone number).",
        ),
        "+1202": (
            "Country: United States (US), certain (from the phone number).",
            "Region: unknown.",
            "Time zone: unknown, one of America/Los\\_Angeles, America/New\\_York.",
        ),
        "+4477": (
            "Region: GB-ENG, certain (from the contacts table).",
            "Time zone: Europe/London, certain (from the contacts table).",
        ),
        "_•••@": ("Country: unknown.", "Region: unknown.", "Time zone: unknown."),
    }
    for mask, sentences in told.items():
        [(key,)] = published(
            "select lpad(lower(hex(contact_key)), 16, '0') from audits.findings "
            f"where contact_masked like '{mask}%' limit 1"
        )
        text = words(open_page(homes["findings"], "contact", contact=key))
        for sentence in sentences:
            assert sentence in text


@pytest.mark.parametrize("rule", ["opt_out_request_missed", "opt_in_without_act", "message_over_frequency_cap"])
def test_findings_of_every_rule_are_on_the_timeline(
    homes: dict[str, Path], open_page: Open, published: Published, rule: str
) -> None:
    [(key, finding_class)] = published(
        "select lpad(lower(hex(contact_key)), 16, '0'), finding_class from audits.findings "
        f"where rule = '{rule}' order by 2 limit 1"
    )
    app = open_page(homes["findings"], "contact", contact=key)
    name = rule_texts.class_name(rule, finding_class)
    assert f"{rule_texts.audit_name(rule)}: {name}, 1 finding :" in words(app)
    assert [list(found) for found in app.dataframe[0].value["Found"]] == [[name]]


def test_the_deadline_is_cited(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    [(key,)] = published(
        "select lpad(lower(hex(contact_key)), 16, '0') from audits.findings "
        "where rule = 'message_after_opt_out' and channel = 'sms' limit 1"
    )
    assert ", by 47 CFR 64.1200(a)(10), (d)(3)." in words(open_page(homes["findings"], "contact", contact=key))


def test_an_unknown_contact_is_a_designed_state(homes: dict[str, Path], open_page: Open) -> None:
    assert "Nothing is kept here for this contact" in words(open_page(homes["findings"], "contact", contact="0" * 16))
