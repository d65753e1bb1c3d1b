"""The rule book: its rows are sound, its pages say what they say, and every example of a rule gives what is shown."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines import cli, errors
from pipelines.rulebook import book, values
from tests.repository.test_docs import _FENCE, blocks, section, tables, text
from tools import rulebook_table

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = rulebook_table.shipped()
BY_ID = {row["rule_id"]: row for row in SHIPPED}
WORKDAYS = ("Mo", "Tu", "We", "Th", "Fr")
#: The draft that the shipped rows were made from. It lies beside the checkout where heed is built.
DRAFT = ROOT.parent / "shared" / "rules.csv"


def ids(row: dict[str, str]) -> str:
    return row["rule_id"]


# ---- the rows


def test_the_file_has_the_columns_of_a_rule_and_every_row_its_own_id() -> None:
    assert list(SHIPPED[0]) == list(book.COLUMNS)
    assert len(BY_ID) == len(SHIPPED) > 100


@pytest.mark.parametrize("row", SHIPPED, ids=ids)
def test_a_row_is_complete(row: dict[str, str]) -> None:
    assert all(row[name] for name in ("jurisdiction", "regulation", "channel", "message_class", "value", "unit"))
    assert row["kind"] in book.KINDS
    assert row["enabled"] in ("yes", "strict", "no")
    assert row["grade"] in ("P", "Q", "S", "S1", "unverified", "preset")
    assert row["checked_on"] == "2026-11-21"
    assert re.fullmatch(r"[^|;]?[^|]*\.", row["in_words"]), "in_words is one sentence"
    for name in ("effective_from", "effective_to"):
        assert not row[name] or date.fromisoformat(row[name])
    weighs = row["kind"] in ("quiet_hours", "frequency_cap", "consent_required")
    assert row["severity"] in (("high", "warning") if weighs else ("",))
    counted = row["kind"] == "optout_deadline" and row["unit"] != "text"
    assert bool(row["counting"]) == counted
    assert not re.search(r"(^| )[;,)]|\( |\(\)|unverified|\bmemory\b|  ", row["note"] + row["citation"])


ENABLED = [row for row in SHIPPED if row["enabled"] != "no"]


@pytest.mark.parametrize("row", ENABLED, ids=ids)
def test_an_enabled_row_rests_on_a_source_and_can_be_judged(row: dict[str, str]) -> None:
    preset = row["grade"] == "preset"
    assert row["grade"] in ("P", "Q", "S") or (preset and row["enabled"] == "strict")
    assert row["source_url"].startswith(("https://", "http://")) or preset
    assert "9999-12-31" not in (row["effective_from"], row["effective_to"])
    assert row["unit"] != "text"
    if row["kind"] in book.JUDGED_KINDS:
        rule = book.shipped()[row["rule_id"]]
        assert rule.is_judged
        assert values.places(rule.jurisdiction)
        assert values.channels(rule.channel)


def test_only_texts_that_name_a_number_of_days_set_deadlines_by_default() -> None:
    found = {row["rule_id"] for row in ENABLED if row["kind"] == "optout_deadline" and row["enabled"] == "yes"}
    assert found == {
        "us-tcpa-optout-10bd",
        "us-tcpa-optout-30d-old",
        "us-canspam-optout",
        "ca-casl-optout",
        "au-spam-optout",
        "nz-uem-optout",
    }
    assert all(int(BY_ID[one]["value"]) > 0 for one in found)


def test_one_united_states_rule_follows_the_other_without_a_gap() -> None:
    old, new = BY_ID["us-tcpa-optout-30d-old"], BY_ID["us-tcpa-optout-10bd"]
    assert date.fromisoformat(old["effective_to"]) + timedelta(1) == date.fromisoformat(new["effective_from"])


def test_a_row_that_has_not_started_is_never_in_force(tmp_path: Path) -> None:
    later = tuple(row["rule_id"] for row in SHIPPED if row["effective_from"] == "9999-12-31")
    assert len(later) == 3
    assert not [row for row in book.read(tmp_path, later) if row.is_in_force]


def test_the_strict_preset_is_never_looser_than_the_default(tmp_path: Path) -> None:
    in_force = {
        name: {one.rule.rule_id for one in book.read(tmp_path, name) if one.is_in_force}
        for name in ("default", "strict")
    }
    assert in_force["default"] < in_force["strict"]
    assert {"strict-quiet-hours", "strict-frequency-cap"} <= in_force["strict"] - in_force["default"]
    for row in SHIPPED:
        if row["kind"] == "quiet_hours" and row["jurisdiction"].startswith("US-"):
            wider = values.quiet_hours(row["value"])
            for own in values.quiet_hours(BY_ID["strict-quiet-hours"]["value"]):
                assert any(inside(own, other) for other in wider), row["rule_id"]


def inside(one: values.Window, other: values.Window) -> bool:
    """Whether a window of allowed time lies inside another one of the same weekday."""
    ends = (one.from_minute, one.until_minute, other.from_minute, other.until_minute)
    assert all(end is not None for end in ends)
    begins, until, others_begins, others_until = (end or 0 for end in ends)
    return one.weekday == other.weekday and others_begins <= begins and until <= others_until


@pytest.mark.skipif(not DRAFT.is_file(), reason="the draft of the rule book is not beside this checkout")
def test_no_row_of_the_draft_is_lost_or_moved() -> None:
    with DRAFT.open(encoding="utf-8", newline="") as file:
        drafted = list(csv.DictReader(file))
    assert {row["rule_id"] for row in drafted} <= set(BY_ID)
    kept = ("jurisdiction", "regulation", "kind", "source_url", "effective_from", "effective_to")
    for row in drafted:
        assert {name: row[name] for name in kept} == {name: BY_ID[row["rule_id"]][name] for name in kept}
        if row["verified"] != "yes" or row["grade"] == "unverified" or "single" in row["grade"]:
            assert BY_ID[row["rule_id"]]["enabled"] == "no"


# ---- the pages


def test_the_page_shows_the_shipped_rows() -> None:
    page = text("rulebook.md")
    begins, ends = page.index(rulebook_table.BEGINS), page.index(rulebook_table.ENDS)
    shown = page[begins + len(rulebook_table.BEGINS) : ends].strip()
    assert shown == rulebook_table.tables().strip(), "run python tools/rulebook_table.py and paste what it prints"
    assert {row["kind"] for row in SHIPPED} == set(rulebook_table.KINDS) == set(book.KINDS)


def test_a_reason_gives_the_grade_that_the_rule_book_gives() -> None:
    grades = {(row["source_url"], row["grade"]) for row in SHIPPED}
    cited = [
        (re.search(r"\]\((http[^)]*)\)", row["text"]), row["grade"])
        for table in tables(text("rules.md"))
        for row in table
        if "grade" in row
    ]
    assert [link[1] if link else "no link" for link, grade in cited if not link or (link[1], grade) not in grades] == []
    assert len(cited) > 40


@pytest.mark.parametrize("content", [content for _, name, content in blocks("rulebook.md") if name == "rules.csv"])
def test_every_example_of_a_home_s_rules_is_read(content: str, tmp_path: Path) -> None:
    before = {one.rule.rule_id: one for one in book.read(tmp_path, "default")}
    (tmp_path / "rules.csv").write_text(content, encoding="utf-8")
    after = {one.rule.rule_id: one for one in book.read(tmp_path, "default")}
    for row in csv.DictReader(io.StringIO(content)):
        changed = after[row["rule_id"]]
        assert changed.rule.origin == "home"
        assert changed.is_in_force == (row.get("enabled") != "no")
        assert changed != before.get(row["rule_id"])
        assert all(getattr(changed.rule, name) == cell for name, cell in row.items() if cell)


def test_every_quiet_hours_text_of_the_page_is_read() -> None:
    shown = [line for _, _, content in blocks("rulebook.md") for line in content.splitlines() if "allow:" in line]
    assert all(values.quiet_hours(line) for line in shown if line.startswith("allow:"))
    assert len(shown) >= 3


def test_the_days_of_the_page_are_counted_as_heed_counts() -> None:
    with (ROOT / "data" / "reference" / "holidays.csv").open(encoding="utf-8", newline="") as file:
        holidays = {(row["calendar"], row["on_date"]) for row in csv.DictReader(file)}
    rules = {"US": "us-tcpa-optout-10bd", "CA": "ca-casl-optout", "AU": "au-spam-optout", "NZ": "nz-uem-optout"}
    [table] = [one for one in tables(section("rulebook.md", "## Deadlines")) if "Th 1" in one[0]]
    for row in table:
        country = row[""][:2]
        rule = BY_ID[rules[country]]
        day = date(2026, 10, 1) + timedelta(0 if rule["counting"] == "same_day" else 1)
        counted: dict[str, str] = {}
        while len(counted) < int(rule["value"]):
            if day.weekday() < 5 and (country, day.isoformat()) not in holidays:
                counted[f"{WORKDAYS[day.weekday()]} {day.day}"] = str(len(counted) + 1)
                last = day
            day += timedelta(1)
        shown = {name: cell.strip("*") for name, cell in row.items() if cell.strip("*").isdigit()}
        assert shown == counted
        assert row["deadline"] == f"end of the {last.day}th"


def test_a_home_s_rules_that_cannot_be_read_name_the_line(tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text("rule_id,value\nus-tcpa-optout-10bd,soon\n", encoding="utf-8")
    with pytest.raises(
        errors.ConfigurationError, match=r"rules\.csv, line 2, rule 'us-tcpa-optout-10bd': value 'soon'"
    ):
        book.read(tmp_path, "default")


# ---- the examples of rules.md, all in one home

_SUBJECTS = {"message": "message_id", "text": "message_id", "event": "event_id", "campaign": "campaign_id"}
_KEYS = ("message_id", "inbound_id", "event_id", "campaign_id")
RULES = re.findall(r"^## (\w+_\w+)$", text("rules.md"), re.MULTILINE)


def section_of(part: str, heading: str) -> str:
    """The text below a heading in a part of a page, up to the next heading of its level."""
    level = heading.split(" ", 1)[0]
    rest = part[part.index(f"{heading}\n") :][len(heading) :]
    ends = re.search(rf"^{level} ", rest, re.MULTILINE)
    return rest[: ends.start()] if ends else rest


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """Every finding in the home that the page's files make."""
    home = tmp_path_factory.mktemp("rules")
    for _, name, content in blocks("rules.md"):
        if name:
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(content, encoding="utf-8")
    for arguments in (["run"], ["findings", "--format", "json"]):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            assert cli.main(["-C", str(home), *arguments]) == 0
    findings: list[dict[str, str]] = json.loads(out.getvalue())
    return findings


def test_every_rule_has_its_place_in_the_table_of_rules() -> None:
    listed = [row["rule"].split("]")[0].strip("[") for row in tables(text("rules.md"))[0]]
    assert listed == RULES
    assert len(RULES) == 16


@pytest.mark.parametrize("rule", RULES)
def test_an_example_s_findings_are_as_shown(rule: str, found: list[dict[str, str]]) -> None:
    part = section("rules.md", f"## {rule}")
    files = [list(csv.DictReader(io.StringIO(content))) for _, name, content in _FENCE.findall(part) if name]
    subjects = {row[key] for rows in files for row in rows for key in _KEYS if row.get(key)}
    table = tables(section_of(part, "### Example"))[0]
    [subject] = set(table[0]) & set(_SUBJECTS)
    assert {row[subject] for row in table} <= subjects
    key = _SUBJECTS[subject]
    given = {
        row[key]: (row["finding_class"], row["severity"])
        for row in found
        if row["rule"] == rule and row[key] in subjects
    }
    shown = {row[subject]: (row["finding_class"], row["severity"]) for row in table if row["finding_class"]}
    assert given == shown


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_s_page_names_its_classes_and_what_they_weigh(rule: str, found: list[dict[str, str]]) -> None:
    part = section("rules.md", f"## {rule}")
    if "### Classes" not in part:
        assert len({row["finding_class"] for row in found if row["rule"] == rule}) == 1 or rule == "opt_in_without_act"
        return
    classes = {row["finding_class"]: row["severity"] for row in tables(section_of(part, "### Classes"))[0]}
    for row in found:
        if row["rule"] == rule:
            words = classes.get(row["finding_class"], classes.get("the word of source_type", ""))
            assert row["severity"] in words or "that of the row" in words
