"""waivers.csv through the command: what is excused, what is not, what is said about it, and what is never shown."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars
import pytest

from pipelines import snapshots
from tests.support.example_home import CANARIES, published
from tests.support.home import TWO_SOURCES, Home, source, without_validation

MESSAGE = "message_id,channel,contact,sent_at,message_class,status,campaign_id\n"
EVENT = "event_id,channel,contact,event_type,requested_at,processed_at\n"
#: A message to each contact after its opt-out on 1 August, applied at once: number, message_id, day, campaign.
SENT = [
    (1, "m1", "2026-10-01", ""),
    (2, "m2", "2026-10-01", ""),
    (3, "m3", "2026-10-01", ""),
    (4, "a/b", "2026-10-01", ""),
    (5, "m5", "2026-10-01", ""),
    (6, "m6", "2026-10-01", ""),
    (7, "m7", "2026-10-01", ""),
    (9, "m9", "2026-10-01", ""),
    (10, "m10", "2026-10-01", "autumn"),
    (11, "m11", "2026-10-01", "winter"),
    (12, "m12", "2026-09-08", ""),
    (13, "m13", "2026-09-21", ""),
    (13, "m14", "2026-09-23", ""),
    (15, "m15", "2026-08-02", ""),
    (16, "m16", "2026-10-30", ""),
]
HEAD = "rule,subject,reason,who,until\n"
RULE = "message_after_opt_out"


def logs() -> dict[str, str | bytes]:
    messages = "".join(
        f"{message},sms,+120255501{number:02d},{day}T16:00:00Z,marketing,delivered,{campaign}\n"
        for number, message, day, campaign in SENT
    )
    # An address that is no phone number, and an id that another source has too.
    messages += "m8,email,Anna.Canary@example.com,2026-10-01T16:00:00Z,marketing,delivered,\n"
    numbers = sorted({number for number, *_ in SENT})
    day = "2026-08-01T12:00:00Z"
    events = "".join(f"e{number},sms,+120255501{number:02d},opt_out,{day},{day}\n" for number in numbers)
    events += f"e8,email,anna.canary@example.com,opt_out,{day},{day}\n"
    twin = "m3,sms,+12025550103,2026-10-01T17:00:00Z,marketing,delivered,\n"
    return {"m.csv": MESSAGE + messages, "e.csv": EVENT + events, "other.csv": MESSAGE + twin}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home after a run without waivers; nobody may change it."""
    home = Home(tmp_path_factory.mktemp("waivers") / "home")
    policy = f'report_timezone = "America/New_York"\nrules = ["{RULE}"]'
    home.configure(TWO_SOURCES + source("other", "messages", "inbox/other.csv"), policy).deliver(logs())
    with pytest.MonkeyPatch.context() as patch:
        without_validation(patch)
        outcome = home.run()
    assert (outcome["violations"], outcome["waived"], outcome["waivers"]) == (17, 0, [])
    return home


@pytest.fixture
def home(first: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A copy of it to change, with runs that are quick."""
    shutil.copytree(first.path, tmp_path / "home")
    without_validation(monkeypatch)
    return Home(tmp_path / "home")


def waive(home: Home, text: str | bytes) -> Home:
    data = text.encode() if isinstance(text, str) else text
    (home.path / "waivers.csv").write_bytes(data)
    return home


def rows(home: Home, verb: str, *arguments: str) -> list[dict[str, Any]]:
    said = home.heed(verb, "--format", "json", *arguments)
    assert said.code == 0, said.err
    found: list[dict[str, Any]] = said.json()
    return found


def waived(home: Home) -> dict[str, str]:
    """Who waived which message, by source and message_id."""
    return {
        f"{row['source']}/{row['message_id']}": row["waived_by"] for row in rows(home, "findings") if row["waived_by"]
    }


def became(home: Home) -> list[tuple[str, int]]:
    """Status and finding_count of each waiver."""
    return [(row["status"], row["finding_count"]) for row in rows(home, "waivers")]


def test_every_form_of_a_subject_waives_its_own_findings_and_no_others(home: Home) -> None:
    key = next(row["contact_key"] for row in rows(home, "findings") if row["message_id"] == "m9")
    subjects = [
        "message:m1",
        "m2",
        "message:shop/m3",
        "message:a/b",
        "event:e5",
        "e6",
        "contact:+1 (202) 555-0107",
        "Anna.Canary@Example.com",
        key.upper(),
        "campaign:autumn",
        "winter",
        "period:2026-09-08",
        "2026-09-20..2026-09-22",
        "2026-09-23",
        "2026-08",
    ]
    text = HEAD + "".join(f'{RULE},"{subject}",why,w{number},\n' for number, subject in enumerate(subjects, start=1))
    outcome = waive(home, text).run()
    expected = {f"shop/m{number}": f"w{number}" for number in range(1, 16) if number != 4} | {"shop/a/b": "w4"}
    assert waived(home) == expected
    assert [(row["status"], row["finding_count"]) for row in outcome["waivers"]] == [("applied", 1)] * 15
    assert (outcome["waived"], outcome["violations"]) == (15, 2)
    # They are counted apart, and the counts by rule and class stay.
    assert outcome["findings"] == {RULE: {"sent_after_processing": 17}}
    assert outcome["verdict"]["reasons"][:2] == ["Violations: 2.", "Waived: 15."]
    kinds = [row["subject_kind"] for row in rows(home, "waivers")]
    of_contacts, of_periods = ["contact"] * 3, ["period"] * 4
    assert kinds == [*["message"] * 4, "event", "event", *of_contacts, "campaign", "campaign", *of_periods]


def test_columns_by_kind_and_other_names_say_the_same(home: Home) -> None:
    head = "Rule;Message ID;event_id;contact;campaign_id;period;source;Reason;Approved by;Expires on;disposition\n"
    lines = [
        f"{RULE};m3;;;;;other;why;one;2026-12-31;accepted",
        f"{RULE};;e5;;;;;why;two;;",
        "*;;;whatsapp:+12025550107;;;;why;three;2027-01-01T00:00:00+01:00;",
        "*;;;;autumn;;;why;four;9999-12-31;",
        "*;;;;;2026-09;;why;five;;",
        ";;;;;;;;;;",
    ]
    waive(home, "\ufeff" + (head + "\r\n".join(lines)).replace(";", ",")).run()
    expected = {"other/m3": "one", "shop/m5": "two", "shop/m7": "three", "shop/m10": "four"}
    assert waived(home) == expected | {f"shop/m{number}": "five" for number in (12, 13, 14)}
    found = rows(home, "waivers")
    assert [row["until"] for row in found] == ["2026-12-31", None, "2026-12-31", None, None]
    assert [row["disposition"] for row in found] == ["accepted", *["waived"] * 4]
    assert [row["subject"] for row in found][:2] == ["message:m3", "event:e5"]


def test_subject_kind_tells_what_a_bare_subject_is(home: Home) -> None:
    lines = [f"{RULE},message,m1,why,one", f"{RULE},campaign,winter,why,two", f"{RULE},contact,+12025550107,why,three"]
    waive(home, "rule,subject_type,subject,reason,who\n" + "\n".join(lines) + "\n").run()
    assert waived(home) == {"shop/m1": "one", "shop/m11": "two", "shop/m7": "three"}


def test_the_first_waiver_of_several_about_one_finding_counts(home: Home) -> None:
    lines = ["period:2026-09,why,one,", "message:m12,why,two,", "period:2026-09-01..2026-10-31,why,three,"]
    waive(home, HEAD + "".join(f"{RULE},{line}\n" for line in lines) + "*,period:2026-10,why,four,\n").run()
    found = waived(home)
    assert {found[f"shop/m{number}"] for number in (12, 13, 14)} == {"one"}
    assert set(found.values()) == {"one", "three"}
    assert became(home) == [("applied", 3), ("applied", 0), ("applied", 13), ("applied", 0)]


def test_a_waiver_of_another_rule_waives_nothing(home: Home) -> None:
    outcome = waive(home, HEAD + "message_in_quiet_hours,message:m1,why,Ann,\n").run()
    assert (outcome["waived"], became(home)) == (0, [("applied", 0)])


def test_unknown_rules_and_subjects_are_reported_and_waive_nothing(home: Home) -> None:
    subjects = ["message:m99", "m99", "event:m1", "contact:+12025550199", "campaign:none", "message:other/m1"]
    text = HEAD + "".join(f"{RULE},{subject},why,Ann,\n" for subject in subjects) + "message_after_optout,m1,why,Ann,\n"
    outcome = waive(home, text).run()
    assert outcome["waived"] == 0
    assert became(home) == [("unknown_subject", 0)] * 6 + [("unknown_rule", 0)]
    told = home.heed("status").out
    assert "Waiver 1 by Ann (message_after_opt_out, message:m99) waives nothing: its subject is not on record." in told
    assert "Waiver 4 by Ann (message_after_opt_out, contact:+1202•••••99) waives nothing" in told
    assert "Waiver 7 by Ann (message_after_optout, m1) waives nothing: no rule is so called." in told


# ---- until when


def test_a_waiver_holds_to_the_end_of_its_day_by_the_clock_of_the_report(home: Home) -> None:
    waive(home, HEAD + f"{RULE},message:m1,why,Ann,2026-10-31\n")
    outcome = home.run("--as-of", "2026-11-01T03:59:59.999999Z")
    assert (outcome["waived"], became(home)) == (1, [("applied", 1)])
    outcome = home.run("--as-of", "2026-11-01T04:00:00Z")
    assert (outcome["waived"], became(home)) == (0, [("expired", 1)])
    told = "held until 2026-10-31 and is expired; findings that count again: 1."
    assert f"Waiver 1 by Ann (message_after_opt_out, message:m1) {told}" in home.heed("status").out


def test_an_instant_is_compared_with_as_of_and_not_with_the_clock_on_the_wall(home: Home) -> None:
    # As of 30 October 16:00 UTC, the last record.
    untils = ["2026-10-30T16:00:00Z", "2026-10-30T15:59:59Z", "2026-10-30T17:00:00+01:00", "2026-10-30T16:59:59+01:00"]
    lines = [f"{RULE},message:m{number},why,Ann,{until}\n" for number, until in zip((1, 2, 5, 6), untils, strict=True)]
    waive(home, HEAD + "".join(lines)).run()
    assert [status for status, _ in became(home)] == ["applied", "expired", "applied", "expired"]
    assert set(waived(home)) == {"shop/m1", "shop/m5"}


def test_periods_are_days_of_the_report_s_time_zone(home: Home) -> None:
    late = "m20,sms,+12025550101,2026-10-06T03:59:59Z,marketing,delivered,\n"
    late += "m21,sms,+12025550101,2026-10-06T04:00:00Z,marketing,delivered,\n"
    home.deliver({"m2.csv": MESSAGE + late})
    waive(home, HEAD + f"{RULE},period:2026-10-05,why,Ann,\n").run()
    assert set(waived(home)) == {"shop/m20"}


# ---- what is said


def test_everything_waived_is_no_violation_and_no_fail(home: Home) -> None:
    waive(home, HEAD + "*,period:2026-01..2026-12,agreed,Ann,2026-12-31\n")
    said = home.heed("run", "--fail-on-violation")
    assert said.code == 0, said.err
    assert "17 findings waived" in said.out
    assert "  Waived: 17.\n" in said.out
    assert "Verdict: Fail" not in said.out
    assert home.heed("run", "--json").json()["exposure"] == []


def test_the_summary_lists_every_waiver(home: Home) -> None:
    outcome = waive(home, HEAD + f"{RULE},message:m1,agreed,Ann,2026-12-31\n").run()
    (row,) = outcome["waivers"]
    assert row == {
        "waiver_number": 1,
        "rule": RULE,
        "subject": "message:m1",
        "subject_kind": "message",
        "reason": "agreed",
        "disposition": "waived",
        "who": "Ann",
        "until": "2026-12-31",
        "status": "applied",
        "finding_count": 1,
    }


def test_waivers_in_every_format_are_the_same_rows(home: Home) -> None:
    waive(home, HEAD + f'{RULE},message:m1,"so, agreed",Ann,\n{RULE},m2,=1+1,Bob,2026-12-31\n').run()
    found = rows(home, "waivers")
    assert [list(row) for row in found] == [list(snapshots.WAIVER_COLUMNS)] * 2
    in_csv = list(csv.DictReader(io.StringIO(home.heed("waivers", "--format", "csv").out)))
    assert [row["reason"] for row in in_csv] == ["so, agreed", "'=1+1"]
    table = home.heed("waivers").out.splitlines()
    assert len(table) == 3
    assert "until revoked" in table[1]
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "-C", str(home.path), "waivers", "--format", "parquet"],
        capture_output=True,
        check=True,
    )
    frame = polars.read_parquet(done.stdout)
    assert frame.columns == list(snapshots.WAIVER_COLUMNS)
    assert [snapshots.plain_rows([row])[0] for row in frame.to_dicts()] == found


def test_a_change_of_the_file_makes_a_new_snapshot(home: Home) -> None:
    assert waive(home, HEAD + f"{RULE},message:m1,why,Ann,\n").run()["published"]
    assert not home.run()["published"]
    assert waive(home, HEAD + f"{RULE},message:m1,why,Bob,\n").run()["published"]
    assert waived(home) == {"shop/m1": "Bob"}
    (home.path / "waivers.csv").unlink()
    outcome = home.run()
    assert (outcome["published"], outcome["waived"], outcome["violations"]) == (True, 0, 17)


def test_a_file_without_rows_waives_nothing(home: Home) -> None:
    for text in ("", "\ufeff", HEAD, HEAD + "\n,,,,\n"):
        assert waive(home, text).run()["waivers"] == []


# ---- what is never shown


def test_no_address_of_a_waiver_leaves_the_file(home: Home) -> None:
    subjects = [
        "contact:+1 (202) 555-0107",
        "contact:anna.canary@example.com",
        "+12025550199",
        "2025550101",
        "nobody.canary@example.com",
        "message:+12025550101",
        "contact:202 555 0101",
    ]
    text = HEAD + "".join(f'{RULE},"{one}",called +1-202-555-0101 or a.canary@example.com,Ann,\n' for one in subjects)
    waive(home, text + "+12025550101,m1,why,Ann,\n").run()
    shown = [row["subject"].split()[0] for row in rows(home, "waivers")]
    assert shown[:2] == ["contact:+1202•••••07", "contact:a•••@example.com"]
    said = [home.heed("status"), home.heed("waivers", "--format", "json")]
    texts = [*published(home).values(), *(one.out.encode() + one.err.encode() for one in said)]
    for canary in CANARIES:
        assert not [text for text in texts if canary.encode() in text], canary


def test_without_the_key_a_contact_is_an_unknown_subject(home: Home) -> None:
    key = next(row["contact_key"] for row in rows(home, "findings") if row["message_id"] == "m9")
    (home.path / "private" / "key").unlink()
    waive(home, HEAD + f"{RULE},contact:+12025550107,why,Ann,\n{RULE},contact:{key},why,Bob,\n").run()
    assert became(home) == [("unknown_subject", 0), ("applied", 1)]
    assert not (home.path / "private" / "key").exists()


def test_with_another_key_than_history_s_the_run_stops(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEED_KEY", "not the secret of this home")
    said = waive(home, HEAD + f"{RULE},contact:+12025550107,why,Ann,\n").heed("run")
    assert said.code == 78
    assert "is not the secret" in said.err


# ---- mistakes

WRONG = [
    (HEAD + f"{RULE},m1,,Ann,\n", "line 2: column reason is empty"),
    (HEAD + f"{RULE},m1,why,,\n", "line 2: column who is empty"),
    (HEAD + ",m1,why,Ann,\n", "line 2: column rule is empty"),
    (HEAD + f"{RULE},,why,Ann,\n", "line 2: column subject names no subject"),
    (HEAD + f'\n{RULE},m1,"two\nlines",Ann,\n{RULE},message: ,why,Ann,\n', "line 5: column subject names no message"),
    (HEAD + f"{RULE},m1,why,Ann,soon\n", "line 2: column until is neither a date nor an instant"),
    (HEAD + f"{RULE},m1,why,Ann,2026-02-30\n", "line 2: column until is neither"),
    (HEAD + f"{RULE},m1,why,Ann,2026-10-01T12:00:00\n", "line 2: column until is an instant without its offset"),
    (HEAD + f"{RULE},m1,why,Ann,0001-01-01\n", "line 2: column until is a time that no record has"),
    (HEAD + f"{RULE},period:2026,why,Ann,\n", "line 2: column subject is no period"),
    (HEAD + f"{RULE},period:2026-13,why,Ann,\n", "line 2: column subject is a period of days that do not exist"),
    (HEAD + f"{RULE},2026-02-01..2026-02-29,why,Ann,\n", "line 2: column subject is a period of days"),
    (HEAD + f"{RULE},2026-10..2026-09,why,Ann,\n", "line 2: column subject is a period that ends before it begins"),
    (HEAD + f"{RULE},period:9999-12,why,Ann,\n", "line 2: column subject is a period of days that do not exist"),
    (HEAD + f"{RULE},m1,why,+12025550101\n", "line 2 has 4 values, and the first line names 5 columns"),
    (HEAD + f"{RULE},m1,why,Ann,,+12025550101\n", "line 2 has 6 values"),
    (HEAD + f'{RULE},"m1,why,Ann,\n', "line 2 is not valid CSV"),
    (HEAD + f'{RULE},"m1"x,why,Ann,\n', "line 2 is not valid CSV"),
    ("rule,subject,reason,who,untill\n", "line 1: column 5 has a name that heed does not know. Did you mean until?"),
    (f"{RULE},+12025550101,why,Ann,\n", "line 1: column 1 has a name that heed does not know"),
    ("rule;subject;reason;who;until\n", "Put commas between the columns."),
    ("rule,subject,reason,who,waived_by\n", "line 1: column who is there twice"),
    ("rule,subject,reason\n", "line 1: column who is missing"),
    ("subject,reason,who\n", "line 1: column rule is missing"),
    ("rule,reason,who\n", "line 1: column subject is missing"),
    ("rule,message_id,contact,reason,who\n*,m1,+12025550101,why,Ann\n", "line 2: column message and column contact"),
    ("rule,subject,subject_kind,reason,who\n*,m1,person,why,Ann\n", "line 2: column subject_kind is none"),
    ("rule,subject,source,reason,who\n*,event:e1,shop,why,Ann\n", "line 2: column source is filled"),
    (HEAD.encode() + f"{RULE},m1,caf\xe9,Ann,\n".encode("latin-1"), "line 2 is not UTF-8 text"),
    (HEAD.encode("utf-16"), "line 1 is not UTF-8 text"),
]


@pytest.mark.parametrize(("text", "told"), WRONG, ids=range(len(WRONG)))
def test_a_mistake_is_named_with_its_place_and_stops_the_run_before_it_loads(
    text: str | bytes, told: str, home: Home
) -> None:
    before = published(home)
    waive(home.deliver({"m9.csv": MESSAGE}), text)
    said = home.heed("run")
    assert said.code == 78
    assert said.err.startswith(f"heed: {home.path / 'waivers.csv'} line ")
    assert told in said.err
    assert said.err.count("\n") == 1
    assert not [canary for canary in CANARIES if canary in said.err]
    assert published(home) == before
    assert len(home.ledger.loads) == 3


def test_a_folder_in_its_place_stops_the_run(home: Home) -> None:
    (home.path / "waivers.csv").mkdir()
    said = home.heed("run")
    assert (said.code, "waivers.csv cannot be read" in said.err) == (78, True)
    assert json.loads(home.heed("status", "--json").out)["violations"] == 17


# ---- the page


def test_the_page_s_example_says_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)
    page = (Path(__file__).parents[2] / "docs" / "waivers.md").read_text(encoding="utf-8")
    shown = Home(tmp_path / "page")
    for name, content in re.findall(r"```\w+ (\S+)\n(.*?)\n```", page, re.DOTALL):
        (shown.path / name).parent.mkdir(parents=True, exist_ok=True)
        (shown.path / name).write_text(content + "\n", encoding="utf-8")
    outcome = shown.run()
    (console,) = re.findall(r"```console\n\$ heed -C logs (\S.*?)\n(.*?)```", page, re.DOTALL)
    said = shown.heed(*console[0].split()).out
    assert re.sub(r"\b[0-9a-f]{16}\b", "KEY", said) == console[1]
    assert outcome["violations"] == 2
    assert set(waived(shown)) == {"shop/m1", "shop/m2"}
    statuses = re.search(r"\| status \|.*?\n\n", page, re.DOTALL)
    assert statuses
    assert re.findall(r"^\| `(\w+)` \|", statuses[0], re.MULTILINE) == [
        "applied",
        "expired",
        "unknown_subject",
        "unknown_rule",
    ]
