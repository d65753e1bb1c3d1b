"""Findings are filtered, counted and paged in SQL, and lead to one contact's timeline and to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.pages.conftest import Open, Published, words

VIOLATION = "severity in ('critical', 'high') and waived_by is null"


def test_counts_come_with_their_denominator(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "findings")
    [(findings, violations, concerned)] = published(
        f"select count(*), count(*) filter (where {VIOLATION}), "
        "count(distinct source || message_id) filter (where rule <> 'opt_out_request_missed') from audits.findings"
    )
    [(messages,)] = published(
        "select message_count from metrics.verdicts where period_start is null and channel = '*' and source = '*'"
    )
    text = words(app)
    assert f"**{findings} findings, of which {violations} violations.**" in text
    assert f"They concern {concerned} of {messages:,} messages, {100 * concerned / messages:.1f} %." in text


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ({"finding": ["Sent after processing"]}, "finding_class = 'sent_after_processing'"),
        ({"severity": ["High", "Warning"]}, "severity in ('high', 'warning')"),
        ({"rule": ["Opt-out request missed"]}, "rule = 'opt_out_request_missed'"),
        # Two rules have a class called certain.
        (
            {"finding": ["In quiet hours, local time certain"]},
            "rule = 'message_in_quiet_hours' and finding_class = 'certain'",
        ),
        ({"waived": "Waived"}, "waived_by is not null"),
        ({"waived": "Not waived"}, "waived_by is null"),
        ({"law": ["Fla. Stat. 501.616(6)(a) (us-fl-quiet-hours)"]}, "legal_rule_id = 'us-fl-quiet-hours'"),
        ({"campaign": "newsletter"}, "campaign_id = 'newsletter'"),
        ({"channel": "SMS", "program": "offers"}, "channel = 'sms' and program = 'offers'"),
        ({"violations": "true"}, VIOLATION),
        (
            {"period": "March 2026"},
            "date_trunc('month', timezone('Europe/Berlin', occurred_at)) = date '2026-03-01'",
        ),
    ],
)
def test_filters_in_the_url_choose_the_rows(
    homes: dict[str, Path], open_page: Open, published: Published, query: dict[str, Any], condition: str
) -> None:
    app = open_page(homes["findings"], "findings", **query)
    [(expected,)] = published(f"select count(*) from audits.findings where {condition}")
    assert expected > 0
    assert sum(sum(table.value["Findings"]) for table in app.table) == expected
    assert len(app.dataframe[0].value) == min(50, expected)


def test_rows_are_paged_worst_first(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    everything = published(
        "select message_id from audits.findings order by case severity when 'critical' then 1 when 'high' then 2 "
        "when 'warning' then 3 else 4 end, occurred_at desc, source, message_id, event_id, rule"
    )
    second = open_page(homes["findings"], "findings", rows="100", page="2")
    shown = second.dataframe[0].value
    assert list(shown["message_id"].fillna("")) == [message_id or "" for (message_id,) in everything[100:200]]
    assert "101 to 200 of" in words(second)


def test_a_page_beyond_the_last_shows_the_first(homes: dict[str, Path], open_page: Open) -> None:
    assert "1 to 50 of" in words(open_page(homes["findings"], "findings", page="999", rows="7", severity=["nonsense"]))


def test_no_match_is_a_designed_state(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "findings", channel="WhatsApp", program="service-news")
    assert "Nothing in this selection" in words(app)
    assert not app.dataframe


def test_no_finding_is_a_designed_state(homes: dict[str, Path], open_page: Open) -> None:
    assert "Nothing that was loaded breaks a rule." in words(open_page(homes["clean"], "findings"))


def test_each_row_says_law_place_and_certainty(homes: dict[str, Path], open_page: Open) -> None:
    rows = open_page(homes["findings"], "findings", finding=["In quiet hours, local time certain"]).dataframe[0].value
    by_sms = rows[rows["channel"] == "SMS"]
    assert set(by_sms["legal_rule_id"]) == {"Fla. Stat. 501.616(6)(a)"}
    assert set(by_sms["jurisdiction"]) == {"Florida"}
    assert set(by_sms["jurisdiction_certainty"]) == {"likely, not certain"}
    assert set(rows["rule"]) == {"Message in quiet hours"}


def test_one_rule_leads_to_its_text(homes: dict[str, Path], open_page: Open) -> None:
    links = [link.proto for link in open_page(homes["findings"], "findings", rule="Confirmation late").page_link]
    assert ("rules", "rule=Confirmation+late") in [(link.page, link.query_string) for link in links]


def test_a_campaign_s_finding_leads_to_no_contact(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "findings", rule="Campaign ignores opt-outs")
    rows = app.dataframe[0].value
    assert len(rows) == 5
    assert rows["open_timeline"].isna().all()
    assert not app.selectbox(key="channel").disabled
    assert [choice.key for choice in app.selectbox if choice.key == "timeline_of"] == []
    assert "These findings are about campaigns, not about one contact." in words(app)


def test_a_contact_leads_to_its_timeline(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["findings"], "findings")
    choice = app.selectbox(key="timeline_of")
    key = choice.options[0].rpartition("(")[2].rstrip(")")
    choice.set_value(key).run()
    assert not app.exception
    assert app.title[0].value == "What happened to this contact?"
    assert app.query_params["contact"] == key
