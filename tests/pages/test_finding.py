"""One finding is told in words, with its rule, its records and their files, and its SQL runs again on the spot."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from dashboard import access, finding_evidence
from dashboard.words import rule_texts, texts
from tests.pages.conftest import Open, Published, words
from tests.support.rule_book_home import rule_book_home
from tests.support.snapshot_factory import write_home


@pytest.fixture(scope="session")
def rule_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample in which every rule finds something, after a real run."""
    return rule_book_home(tmp_path_factory.mktemp("rule_book") / "home")


def ids_of(home: Path, folder: Path, condition: str) -> list[str]:
    """The ids of the findings of a real home, read from a copy: the dashboard's process holds the file open."""
    [path] = (home / "published").glob("*.duckdb")
    with duckdb.connect(str(shutil.copy(path, folder)), read_only=True) as connection:
        rows = connection.execute(f"select finding_id from audits.findings where {condition} order by 1").fetchall()
    return [found for (found,) in rows]


@pytest.mark.parametrize(
    ("condition", "sentences"),
    [
        (
            "message_id = 'b-past'",
            [
                "**A message of unknown class (audited as marketing) went to +1202•••••02 by SMS on 17 Oct 2026 04:00",
                "The contact had opted out of SMS on 1 Oct 2026 14:00 UTC by web form, 16 days earlier.**",
                "It was due until 17 Oct 2026 04:00 UTC by 47 CFR 64.1200(a)(10), (d)(3); the message went",
                "It was applied only on 20 Oct 2026 14:00 UTC, 19 days after the request.",
                "It counts as a **violation**",
                "**Judged by** [47 CFR 64.1200(a)(10), (d)(3)](https://",
                "**Opt-out** of 1 Oct 2026 14:00 UTC: `inbox/consent_events.csv`, row 4",
                "**Message of unknown class** of 17 Oct 2026 04:00 UTC: `inbox/messages.csv`, row 6",
                "sha256sum inbox/messages.csv\nsed -n '1p;7p' inbox/messages.csv",
            ],
        ),
        ("rule = 'campaign_ignores_opt_outs'", ["is set up to ignore opt-outs: the suppression box"]),
        (
            "rule = 'opt_in_without_act' and finding_class = 'import'",
            ["**+1202•••••20 opted out of WhatsApp on 5 Oct 2026 14:00 UTC", "an import recorded an opt-in"],
        ),
        (
            "rule = 'message_without_consent' and finding_class = 'no_consent_on_record' and channel = 'sms'",
            ["without an opt-in before it.**", "Its first opt-in on record came 1 s later"],
        ),
        ("rule = 'opt_out_request_missed' and finding_class = 'certain'", ["heed publishes no message texts"]),
        ("message_id = 'k-late'", ["It confirms the opt-out of 5 Oct 2026 14:00 UTC, 5", "Allowed are 5 min."]),
        ("message_id = 'a-refused'", ["The provider refused to send it: it holds the opt-out"]),
        ("message_id = 'a-after'", ["It failed and did not arrive; it was sent all the same."]),
    ],
)  # fmt: skip
def test_what_happened_is_told(
    rule_book: Path, open_page: Open, tmp_path: Path, condition: str, sentences: list[str]
) -> None:
    app = open_page(rule_book, "finding", finding_id=ids_of(rule_book, tmp_path, condition)[0])
    text = words(app)
    for sentence in sentences:
        assert sentence in text


def test_every_kind_of_finding_has_its_page(rule_book: Path, open_page: Open, tmp_path: Path) -> None:
    one_each = ids_of(
        rule_book, tmp_path, "true qualify row_number() over (partition by rule, finding_class order by finding_id) = 1"
    )
    assert len(one_each) >= 25
    for finding_id in one_each:
        app = open_page(rule_book, "finding", finding_id=finding_id)
        text = words(app)
        assert not app.warning
        assert app.header[0].value.split(" :")[0] in {
            name for audit in rule_texts.AUDITS.values() for name in audit.classes.values()
        }
        assert "**Rule.** " in text
        assert "**What to do.** " in text
        assert f"Finding `{finding_id}`" in text
        assert "None" not in text


def test_the_sql_runs_again_on_the_spot(rule_book: Path, open_page: Open, tmp_path: Path) -> None:
    [finding_id] = ids_of(rule_book, tmp_path, "message_id = 'b-past'")
    app = open_page(rule_book, "finding", finding_id=finding_id)
    shown = next(code.value for code in app.code if "'message_after_opt_out' as rule" in code.value)
    assert shown in (Path(__file__).parents[2] / "sql" / "audits" / "message_after_opt_out.sql").read_text()
    app.button(key="replay").click().run()
    assert not app.exception
    [told] = app.success
    assert told.value.startswith("**Found again.** The same SQL, run a moment ago over the 4 records")
    assert not app.error


def test_what_was_changed_after_the_run_is_not_found_again(rule_book: Path, open_page: Open, tmp_path: Path) -> None:
    shutil.copytree(rule_book / "published", tmp_path / "home" / "published")
    [finding_id] = ids_of(rule_book, tmp_path, "message_id = 'b-past'")
    [path] = (tmp_path / "home" / "published").glob("*.duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute("delete from core.citable_spans")
    app = open_page(tmp_path / "home", "finding", finding_id=finding_id)
    app.button(key="replay").click().run()
    assert not app.success
    assert app.error[0].value.startswith("**Not found again.**")


def test_the_finding_is_on_its_timeline(rule_book: Path, open_page: Open, tmp_path: Path) -> None:
    [finding_id] = ids_of(rule_book, tmp_path, "message_id = 'b-past'")
    app = open_page(rule_book, "finding", finding_id=finding_id)
    spec = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert "this finding" in {note["text"] for note in spec["layout"]["annotations"]}
    rows = app.dataframe[0].value
    assert list(rows[rows["Found"] == "This finding"]["Record"]) == ["b-past"]


def test_a_waived_finding_says_by_whom_and_why(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    [(finding_id,)] = published("select finding_id from audits.findings where waived_by like 'legal@%' limit 1")
    text = words(open_page(homes["findings"], "finding", finding_id=finding_id))
    assert ":gray-badge[Waived]" in text
    assert "Waived by legal@example.org" in text
    assert "It counts as a **violation**" not in text


def test_looking_at_one_is_written_down_once(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    [(finding_id, key)] = published(
        "select finding_id, lpad(lower(hex(contact_key)), 16, '0') from audits.findings "
        "where contact_key is not null order by 1 limit 1"
    )
    log = homes["findings"] / "private" / "access.jsonl"
    before = len(log.read_text().splitlines()) if log.exists() else 0
    app = open_page(homes["findings"], "finding", finding_id=finding_id)
    app.run()
    [line] = [json.loads(line) for line in log.read_text().splitlines()[before:]]
    assert (line["what"], line["page"], line["contact_key"]) == ("contact", "finding", key)


@pytest.mark.parametrize(
    ("asked", "told"), [("", "No finding chosen"), ("0" * 16, "No such finding"), ("' or 1=1 --", "No such finding")]
)
def test_what_is_no_finding_is_asked_for_again(homes: dict[str, Path], open_page: Open, asked: str, told: str) -> None:
    assert told in words(open_page(homes["findings"], "finding", finding_id=asked))


def test_an_id_can_be_entered(homes: dict[str, Path], open_page: Open, published: Published) -> None:
    [(finding_id,)] = published("select finding_id from audits.findings order by 1 limit 1")
    app = open_page(homes["findings"], "finding")
    app.text_input(key="finding_asked_for").set_value(finding_id.upper()).run()
    assert f"Finding `{finding_id}`" in words(app)


def test_a_snapshot_from_before_there_were_ids_says_so(homes: dict[str, Path], open_page: Open) -> None:
    assert "This snapshot has no page for one finding" in words(open_page(homes["old"], "finding", finding_id="0" * 16))


def test_nobody_but_officers_sees_one() -> None:
    assert access.PAGES["finding"] == access.OFFICERS
    assert "finding" in texts.UNLISTED


@pytest.mark.parametrize(
    ("file", "row", "expected"),
    [
        ("inbox/a b.csv", 3, "sha256sum 'inbox/a b.csv'\nsed -n '1p;4p' 'inbox/a b.csv'"),
        ("inbox/e.jsonl.gz", 3, "sha256sum inbox/e.jsonl.gz\ngunzip -c inbox/e.jsonl.gz | sed -n '3p'"),
        ("inbox/m.parquet", 3, "sha256sum inbox/m.parquet"),
        ("inbox/m.json", 3, "sha256sum inbox/m.json"),
        (None, 3, ""),
    ],
)
def test_a_row_can_be_looked_up_by_hand(file: str | None, row: int, expected: str) -> None:
    assert finding_evidence.commands([{"file": file, "row_number": row}]) == expected


def test_it_leads_back_to_the_list_and_to_its_neighbours(tmp_path: Path, open_page: Open) -> None:
    write_home(tmp_path, "findings")
    app = open_page(tmp_path, "findings", sort="Oldest first", severity=["High"])
    choice = app.selectbox(key="finding_of")
    listed = [option.rpartition("(")[2].rstrip(")") for option in choice.options]
    choice.set_value(listed[1]).run()
    assert not app.exception
    assert app.title[0].value == texts.PAGES["finding"].question
    assert "2 of the 50 findings on that page of the list" in words(app)
