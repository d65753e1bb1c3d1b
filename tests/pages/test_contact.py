"""One contact's story agrees with the spans, the timeline and the findings."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.words import rule_texts
from tests.pages.conftest import Open, Published, words
from tests.support.home import EVENT, MESSAGE, Home, without_validation


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
    shown = words(open_page(homes["findings"], "contact", contact="0" * 16))
    assert "Nothing is held about this contact" in shown
    assert "Only the published snapshot could be read here" in shown


# ---- with history beside the snapshot

FILES: dict[str, str | bytes] = {
    "m-1.csv": MESSAGE
    + "m1,sms,+12025550101,2026-10-05T10:00:00Z,marketing,delivered\n"
    + "m2,sms,+12025550101,2026-10-07T10:00:00Z,marketing,delivered\n"
    + "m3,sms,+12025550102,2026-10-07T10:00:00Z,marketing,delivered\n"
    + "".join(
        f"s{n},email,busy@example.com,2026-09-{n % 28 + 1:02d}T10:{n % 60:02d}:00Z,transactional,\n"
        for n in range(3000)
    ),
    "e-1.csv": EVENT + "e1,sms,+12025550101,opt_out,2026-10-05T12:00:00Z,2026-10-05T13:00:00Z\n",
}  # fmt: skip
LATER: dict[str, str | bytes] = {"m-2.csv": MESSAGE + "m9,sms,+12025550101,2026-11-01T10:00:00Z,marketing,delivered\n"}
CALM, FOUND = "+1 202-555-0102", "(202) 555-0101"


@pytest.fixture(scope="module")
def held_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Three contacts, one of whom got a message after opting out, and a message that came after the run."""
    with pytest.MonkeyPatch.context() as patch:
        without_validation(patch)
        home = Home(tmp_path_factory.mktemp("held") / "home").configure(policy='default_country = "US"')
        home.deliver(FILES).run()
        home.deliver(LATER).load()
        yield home


def typed(app: AppTest, text: str) -> AppTest:
    """The page after somebody has entered `text`."""
    app.text_input(key="who").set_value(text)
    app.button[0].click()
    app.run()
    assert not app.exception, app.exception
    return app


def test_an_address_becomes_a_key_and_is_gone(open_page: Open, held_home: Home) -> None:
    app = typed(open_page(held_home.path, "contact"), FOUND)
    key = held_home.heed("contact", FOUND, "--json").json()["contact_key"]
    assert app.query_params["contact"] == key
    assert "+1202•••••01 got 3 messages; :red[1 violation]" in words(app)
    assert not app.info
    assert app.text_input(key="who").value == ""
    session = [app.session_state[name] for name in ("who", "contact_held", "contact_written", "print")]
    kept = f"{words(app)} {dict(app.query_params)} {session}"
    assert "5550101" not in kept
    assert "555-0101" not in kept
    log = (held_home.path / "private" / "access.jsonl").read_text()
    assert key in log
    assert "0101" not in log.replace(key, "")


def test_a_contact_without_a_finding_is_shown_from_history(open_page: Open, held_home: Home) -> None:
    app = typed(open_page(held_home.path, "contact"), CALM)
    assert "+1202•••••02 got 1 message; no violation" in words(app)
    assert "This contact never opted out." in words(app)
    table = app.dataframe[0].value
    assert list(zip(table["File"], table["Row"], strict=True)) == [("inbox/m-1.csv", 3)]
    [load] = [one for one in held_home.ledger.loads if one.file == "inbox/m-1.csv"]
    assert list(table["SHA-256"]) == [load.sha256]
    assert re.search(r"Read \d+\.\d MB of \d+\.\d MB of history: \d+ of \d+ row groups", words(app))


def test_what_came_after_the_snapshot_is_told_apart(open_page: Open, held_home: Home) -> None:
    app = typed(open_page(held_home.path, "contact"), FOUND)
    assert "History is newer than the snapshot.** 1 load came since; 1 record of this contact came with it" in words(
        app
    )
    # The opt-out was followed by one message that the run judged; the later one is in no sentence about it.
    assert "1 message since, the first after 1.9 days." in words(app)
    table = app.dataframe[0].value
    assert dict(zip(table["Record"], table["Judged"], strict=True)) == {
        "m1": "yes", "e1": "yes", "m2": "yes", "m9": "not yet",
    }  # fmt: skip
    found = dict(zip(table["Record"], table["Found"], strict=True))
    assert "Sent after processing" in found["m2"]
    assert list(found["m9"]) == []


def test_somebody_of_whom_nothing_is_held(open_page: Open, held_home: Home) -> None:
    shown = words(typed(open_page(held_home.path, "contact"), "nobody@example.com"))
    assert "Nothing is held about this contact" in shown
    assert "History was searched" in shown
    assert "nobody" not in shown


def test_another_secret_finds_no_address_and_every_key(
    open_page: Open, held_home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = held_home.heed("contact", FOUND, "--json").json()["contact_key"]
    monkeypatch.setenv("HEED_KEY", "another secret of thirty letters")
    held = shutil.copytree(held_home.path, tmp_path / "home")  # whose history no process of this server has open yet
    app = typed(open_page(held, "contact"), FOUND)
    assert "The address could not be looked up" in words(app)
    assert "is not the secret that history is keyed with" in words(app)
    assert "contact" not in app.query_params
    assert "got 3 messages" in words(typed(app, key.upper()))


def test_a_damaged_history_leaves_the_snapshots_own(open_page: Open, held_home: Home, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    shutil.copytree(held_home.path, home.path)
    key = home.heed("contact", FOUND, "--json").json()["contact_key"]
    for part in home.ledger.parts("messages"):
        part.write_bytes(b"torn")
    shown = words(open_page(home.path, "contact", contact=key))
    assert "From the snapshot alone.** History could not be read" in shown
    assert "got 2 messages; :red[1 violation]" in shown
    shutil.rmtree(home.path / "history")
    app = open_page(home.path, "contact", contact=key)
    assert "From the snapshot alone.** The home's history is not on this machine" in words(app)
    assert "got 2 messages; :red[1 violation]" in words(app)
    assert "this is not it" in words(typed(app, FOUND))


def test_thousands_of_records_are_paged_and_the_chart_says_what_it_leaves_out(open_page: Open, held_home: Home) -> None:
    app = typed(open_page(held_home.path, "contact"), "busy@example.com")
    assert len(app.dataframe[0].value) == 500
    assert "1 to 500 of 3,000 records, oldest first." in words(app)
    assert "The chart draws 1,500 of 3,000 records" in words(app)
    drawn = json.loads(app.get("plotly_chart")[0].proto.spec)["data"]
    assert sum(len(trace["x"]) for trace in drawn) == 1500
    app.toggle(key="print").set_value(True).run()
    assert "The first 2,000 of 3,000 records by time, newest first" in words(app)
    assert len(app.table[0].value) == 2000


def test_on_paper_every_record_has_its_place(open_page: Open, held_home: Home) -> None:
    app = typed(open_page(held_home.path, "contact"), FOUND)
    app.toggle(key="print").set_value(True).run()
    assert not app.dataframe
    records, files = (table.value for table in app.table)
    assert len(records) == 4
    assert records["Where from"].iloc[0].startswith("inbox/m-1.csv, row 1: shop m1")
    assert {file: len(digest) for file, digest in zip(files["File"], files["SHA-256"], strict=True)} == {
        "inbox/m-1.csv": 64, "inbox/e-1.csv": 64, "inbox/m-2.csv": 64,
    }  # fmt: skip


def test_a_file_to_save_has_every_column_and_is_written_down(open_page: Open, held_home: Home) -> None:
    app = typed(open_page(held_home.path, "contact"), FOUND)
    labels = [button.proto.label for button in app.get("download_button")]
    assert labels == ["Save as CSV", "Save as Parquet"]
