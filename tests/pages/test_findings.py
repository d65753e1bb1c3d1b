"""Findings are filtered, counted and paged in SQL, and lead to one contact's timeline and to files."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from dashboard import export, finding_list, snapshot
from dashboard.finding_list import Choice
from tests.pages.conftest import Open, Published, words

RANK = "case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end"
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


def test_a_day_chooses_its_findings_in_the_report_s_time_zone(
    homes: dict[str, Path], open_page: Open, published: Published
) -> None:
    of_day = "cast(timezone((select report_timezone from run.parameters), occurred_at) as date)"
    [(day, findings, violations)] = published(
        f"select {of_day} as day, count(*), count(*) filter (where {VIOLATION}) from audits.findings "
        "group by day having count(*) > 1 order by count(*) desc, day limit 1"
    )
    app = open_page(homes["findings"], "findings", day=str(day))
    assert app.date_input(key="day").value == day
    assert f"**{findings} findings, of which {violations} violation" in words(app)
    assert len(app.dataframe[0].value) == findings
    # How many messages were sent on a day is not told beside them: no share of another period's.
    assert "They concern" not in words(app)
    assert "No finding matches these filters" in words(open_page(homes["findings"], "findings", day="2001-01-01"))


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
    assert rows["open_finding"].eq("Open").all()


def test_a_finding_leads_to_its_page(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    app = open_page(homes["findings"], "findings")
    choice = app.selectbox(key="finding_of")
    [(first,)] = published("select finding_id from audits.findings limit 1")
    assert choice.options[0].endswith(f"({first})")
    choice.set_value(first).run()
    assert not app.exception
    assert app.title[0].value == "What happened here, and how do we know?"
    assert f"Finding `{first}`" in words(app)


def test_of_an_earlier_snapshot_the_rows_lead_to_the_contact(homes: dict[str, Path], open_page: Open) -> None:
    app = open_page(homes["old"], "findings")
    assert app.dataframe[0].value["open_finding"].isna().all()
    choice = app.selectbox(key="timeline_of")
    key = choice.options[0].rpartition("(")[2].rstrip(")")
    choice.set_value(key).run()
    assert app.title[0].value == "What happened to this contact?"
    assert app.query_params["contact"] == key


def test_counts_of_an_earlier_snapshot_are_the_same(homes: dict[str, Path], open_page: Open) -> None:
    for query in ({}, {"period": "March 2026"}, {"channel": "SMS"}, {"violations": "true"}):
        now, then = (open_page(homes[kind], "findings", **query) for kind in ("findings", "old"))
        # The two were made one after the other: how long ago is not the same at every moment.
        told, told_then = (re.sub(r"published .* ago", "", words(app)) for app in (now, then))
        assert told.partition("\n**Whole")[0] == told_then.partition("\n**Whole")[0]
        assert [table.value.to_dict() for table in now.table] == [table.value.to_dict() for table in then.table]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("Newest first", "occurred_at desc"),
        ("Oldest first", "occurred_at"),
        ("Longest after the opt-out", "occurred_at - begins_at desc nulls last"),
        ("Rule", f"min({RANK}) over (partition by rule, finding_class), rule, finding_class"),
        ("Contact, those of one together", "contact_key nulls last"),
        ("Channel", "channel"),
        ("Program", "program nulls last"),
        ("Campaign", "campaign_id nulls last"),
    ],
)
def test_the_whole_list_is_sorted_not_its_page(
    homes: dict[str, Path], open_page: Open, published: Published, sort: str, order: str
) -> None:
    everything = published(f"select message_id, event_id from audits.findings order by {order}, rowid")
    app = open_page(homes["findings"], "findings", sort=sort, rows="100", page="2")
    shown = app.dataframe[0].value
    theirs = list(zip(shown["message_id"].fillna(""), shown["event_id"].fillna(""), strict=True))
    assert theirs == [(message or "", event or "") for message, event in everything[100:200]]
    assert f"sorted by: {sort.lower()}" in words(app)


def test_every_filter_chooses_the_same_in_counts_and_rows(
    homes: dict[str, Path], monkeypatch: pytest.MonkeyPatch, published: Published
) -> None:
    monkeypatch.setenv("HEED_HOME", str(homes["findings"]))
    snapshot.choose()
    choices = [
        Choice(),
        Choice(rules=("message_after_opt_out", "message_without_consent"), waived="counting"),
        Choice(severities=("high",), classes=("message_in_quiet_hours/certain", "confirmation_late/late")),
        Choice(channel="sms", program="offers", campaign="autumn-sale", violations=True),
        Choice(period=date(2026, 3, 1), laws=("us-tcpa-optout-10bd",)),
        Choice(waived="waived"),
        Choice(
            channel="sms",
            day=published("select min(occurred_at)::date from audits.findings where channel = 'sms'")[0][0],
        ),
    ]
    for choice in choices:
        counted = sum(row["finding_count"] for row in finding_list.counts(choice))
        assert len(finding_list.page(choice, "worst", 10_000, 0)) == counted
        assert len(finding_list.page(choice, "newest", 10_000, 0)) == counted
        assert counted > 0
        assert sum(len(batch) for batch in finding_list.reading(choice)()) == counted


def test_very_many_are_counted_by_contact_when_asked_for(
    homes: dict[str, Path], open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = open_page(homes["findings"], "findings", severity=["High"])
    monkeypatch.setattr(finding_list, "FEW", 10)
    few = open_page(homes["findings"], "findings", severity=["High"])
    assert "Contacts" not in few.table[0].value.columns
    assert "They concern" not in words(few)
    few.toggle(key="exact").set_value(True).run()
    assert list(few.table[0].value["Contacts"]) == list(plain.table[0].value["Contacts"])
    assert "They concern" in words(few)
    everything = open_page(homes["findings"], "findings")
    assert "They concern" in words(everything)


def test_exports_of_any_size_hold_every_finding(
    homes: dict[str, Path], monkeypatch: pytest.MonkeyPatch, published: Published
) -> None:
    monkeypatch.setenv("HEED_HOME", str(homes["findings"]))
    monkeypatch.setattr(snapshot, "BATCH_ROWS", 100)
    snapshot.choose()
    read = finding_list.reading(Choice())
    [(count,)] = published("select count(*) from audits.findings")
    packed = export.zipped_csv_of(read(), "findings.csv")
    with zipfile.ZipFile(io.BytesIO(packed)) as folder:
        unpacked = folder.read("findings.csv")
    assert unpacked == export.plain_csv_of(read())
    rows = list(csv.DictReader(io.StringIO(unpacked.decode())))
    assert len(rows) == count
    # A mask that begins with a plus sign is no formula.
    assert all(row["contact_masked"][:1] not in ("+", "=", "-", "@") for row in rows)
    assert [row["finding_id"] for row in rows] == [
        found for (found,) in published("select finding_id from audits.findings order by rowid")
    ]
    table = pyarrow.parquet.read_table(io.BytesIO(export.parquet_of(read())))
    assert table.num_rows == count
