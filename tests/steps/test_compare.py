"""`heed compare`: what was reported then, what is known now, and what changed it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.home import EVENT, MESSAGE, Home, Said, without_validation

POLICY = 'rules = "none"\ndefault_deadline = "48h"'


def message(number: int, contact: int, sent_at: str, channel: str = "sms") -> str:
    address = f"+120255501{contact:02d}" if channel == "sms" else f"anna{contact}@example.com"
    return f"m{number},{channel},{address},{sent_at},marketing,delivered\n"


def opt_out(number: int, contact: int, requested_at: str, processed_at: str = "", channel: str = "sms") -> str:
    address = f"+120255501{contact:02d}" if channel == "sms" else f"anna{contact}@example.com"
    return f"e{number},{channel},{address},opt_out,{requested_at},{processed_at}\n"


#: Ten contacts get a message in September and one in October by sms; in November five of them by email as well.
SEPTEMBER = MESSAGE + "".join(message(number, number, f"2026-09-{number + 5:02d}T12:00:00Z") for number in range(10))
OCTOBER = MESSAGE + "".join(message(20 + number, number, f"2026-10-{number + 5:02d}T12:00:00Z") for number in range(10))
FIRST_EVENTS = EVENT + opt_out(1, 1, "2026-09-20T12:00:00Z", "2026-09-20T13:00:00Z")
#: An opt-out of September that comes late, and one of November.
LATE_EVENTS = (
    EVENT
    + opt_out(2, 2, "2026-09-21T12:00:00Z", "2026-09-21T13:00:00Z")
    + opt_out(3, 3, "2026-11-02T12:00:00Z", "2026-11-02T13:00:00Z")
)


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home after two runs, the second with a late delivery; nobody may change it."""
    with pytest.MonkeyPatch.context() as patch:
        without_validation(patch)
        home = Home(tmp_path_factory.mktemp("compare") / "home").configure(policy=POLICY)
        home.deliver({"m-09.csv": SEPTEMBER, "m-10.csv": OCTOBER, "e-1.csv": FIRST_EVENTS}).run()
        home.deliver({"e-2.csv": LATE_EVENTS}).run()
    return home


@pytest.fixture
def home(two_runs: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A copy of it to change, whose runs skip validation."""
    without_validation(monkeypatch)
    shutil.copytree(two_runs.path, tmp_path / "home")
    return Home(tmp_path / "home")


def compared(home: Home, *arguments: str) -> Any:
    """What `heed compare` prints as JSON."""
    said = home.heed("compare", *arguments, "--format", "json")
    assert said.code == 0, said.err
    return said.json()


def runs(home: Home) -> list[str]:
    return sorted(path.stem for path in (home.path / "published").glob("*.duckdb"))


def number(rows: list[dict[str, Any]], metric: str, **where: Any) -> dict[str, Any]:
    wanted = {"definition": "heed", "channel": "*", "program": "*", "campaign_id": "*", "reason": "*"} | where
    [found] = [row for row in rows if row["metric"] == metric and all(row[key] == wanted[key] for key in wanted)]
    return found


# ---- numbers


def test_a_late_opt_out_restates_the_month_it_was_asked_for(two_runs: Home) -> None:
    rows = compared(two_runs)["numbers"]
    september = number(rows, "opt_out_rate", grain="month", period_start="2026-09-01")
    # 1 of the 10 who were reached was known to have left, and now 2.
    assert (september["numerator_then"], september["denominator_then"], september["value_then"]) == (1, 10, 0.1)
    assert (september["numerator_now"], september["denominator_now"], september["value_now"]) == (2, 10, 0.2)
    assert september["difference"] == pytest.approx(0.1)
    assert september["change"] == "changed"
    assert september["is_restated"] is True
    assert september["why"] == ["late_records"]
    assert september["loads"] == [row["load_id"] for row in compared(two_runs)["loads"]]


def test_a_period_that_was_not_over_is_no_restatement(two_runs: Home) -> None:
    rows = compared(two_runs)["numbers"]
    # November had not begun; the whole record goes further now.
    november = number(rows, "opt_outs_not_reached", grain="month", period_start="2026-11-01")
    assert (november["change"], november["is_restated"], november["value_then"]) == ("only_now", False, None)
    assert november["why"] == ["new_records"]
    whole = number(rows, "opt_out_rate", grain="all")
    assert (whole["change"], whole["was_over_then"], whole["is_restated"]) == ("changed", False, False)
    assert whole["why"] == ["late_records", "new_records", "end_of_data"]


def test_the_load_that_changed_them_is_named_with_its_digest(two_runs: Home) -> None:
    said = compared(two_runs)
    [load] = said["loads"]
    assert (load["change"], load["file"], load["source"]) == ("new", "inbox/e-2.csv", "crm")
    assert (load["record_count"], load["late_count"], load["late_opt_out_count"]) == (2, 1, 1)
    [published] = [row for row in two_runs.ledger.loads if row.file == "inbox/e-2.csv"]
    assert load["sha256"] == published.sha256
    [late] = said["late_opt_outs"]
    assert (late["month"], late["channel"], late["event_type"], late["opt_out_count"], late["load_id"]) == (
        "2026-09-01", "sms", "opt_out", 1, load["load_id"],
    )  # fmt: skip


def test_the_headline_of_then_stands_beside_what_is_known_of_its_month(two_runs: Home) -> None:
    rate = compared(two_runs)["headline"][0]
    assert (rate["label"], rate["then"], rate["then_period"]) == ("Opt-out rate", "10.0 %", "September 2026")
    assert (rate["value_then"], rate["value_now"]) == (0.1, 0.2)


def test_findings_and_verdicts_are_compared(two_runs: Home) -> None:
    said = compared(two_runs)
    # Contact 2 got a message on 7 October, after the opt-out of September was applied.
    [finding] = [row for row in said["findings"] if row["new_count"]]
    assert (finding["rule"], finding["finding_class"]) == ("message_after_opt_out", "sent_after_processing")
    assert (finding["then_count"], finding["now_count"], finding["new_count"]) == (1, 2, 1)
    october = [row for row in said["verdicts"] if (row["period_start"], row["channel"], row["source"])
               == ("2026-10-01", "sms", "shop")]  # fmt: skip
    assert [(row["violations_then"], row["violations_now"]) for row in october] == [(1, 2)]


def test_a_finding_that_changed_class_is_the_same_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)
    home = Home(tmp_path / "home").configure(policy=POLICY)
    asked = "2026-09-20T12:00:00Z"
    home.deliver({"m.csv": MESSAGE + message(1, 1, "2026-09-20T14:00:00Z"), "e-1.csv": EVENT + opt_out(1, 1, asked)})
    home.run()
    # When it was applied comes with a later file: an hour before the message, which was in flight as far as was known.
    home.deliver({"e-2.csv": EVENT + opt_out(1, 1, asked, "2026-09-20T13:00:00Z")}).run()
    said = compared(home)
    [change] = said["finding_changes"]
    assert (change["class_then"], change["class_now"], change["finding_count"]) == (
        "sent_in_flight", "sent_after_processing", 1,
    )  # fmt: skip
    counts = {row["finding_class"]: row for row in said["findings"]}
    assert (counts["sent_in_flight"]["to_other_class_count"], counts["sent_in_flight"]["gone_count"]) == (1, 0)
    assert counts["sent_after_processing"]["from_other_class_count"] == 1
    # A notice became a critical finding.
    whole = [row for row in said["verdicts"] if row["period_start"] is None and row["channel"] == row["source"] == "*"]
    assert [(row["violations_then"], row["violations_now"], row["verdict_now"]) for row in whole] == [(0, 1, "Fail")]
    # The opt-out itself was known then: only its second version is new.
    assert said["late_opt_outs"] == []


def test_filters_and_all_rows_choose_numbers(two_runs: Home) -> None:
    wanted = ("--metric", "opt_out_rate", "--grain", "month", "--channel", "sms", "--definition", "heed")
    chosen = compared(two_runs, *wanted)
    # Of all programs, and of the one there is.
    assert [(row["period_start"], row["program"]) for row in chosen["numbers"]] == [
        ("2026-09-01", "*"),
        ("2026-09-01", "default"),
    ]
    assert chosen["counts"]["restated"] == 2
    every = [row for row in compared(two_runs, *wanted, "--all-rows")["numbers"] if row["program"] == "*"]
    assert [(row["period_start"], row["change"], row["why"]) for row in every] == [
        ("2026-09-01", "changed", ["late_records"]),
        ("2026-10-01", "same", []),
    ]
    few = compared(two_runs, "--rows", "2")
    assert len(few["numbers"]) == 2
    assert few["numbers_left_out"] == len(compared(two_runs)["numbers"]) - 2


def test_csv_holds_the_numbers_and_the_table_says_it_in_words(two_runs: Home) -> None:
    rows = list(csv.DictReader(io.StringIO(two_runs.heed("compare", "--format", "csv").out)))
    assert len(rows) == len(compared(two_runs)["numbers"])
    assert {"metric", "value_then", "value_now", "why", "loads"} <= rows[0].keys()
    said = two_runs.heed("compare").out
    assert "restated," in said
    assert "inbox/e-2.csv" in said
    assert "10 % (1 of 10)" in said
    assert "20 % (2 of 10)" in said
    assert "and 1 more" not in said or "--all-rows" in said


# ---- what explains a change that no load explains


def test_a_moved_end_of_data_is_named(home: Home) -> None:
    home.run("--as-of", "2026-10-10T00:00:00Z")
    said = compared(home)
    # The record is the same: what lies after the 10th does not count any more.
    assert {row["change"] for row in said["loads"]} == {"counted_otherwise"}
    assert [row["cause"] for row in said["causes"]] == ["loads", "end_of_data"]
    assert {"name": "as_of", "then": "2026-11-02T13:00:00Z", "now": "2026-10-10T00:00:00Z"} in said["parameters"]
    assert all(row["why"] and row["why"] != ["unexplained"] for row in said["numbers"])


def test_a_changed_policy_is_named(home: Home) -> None:
    home.configure(policy='rules = "none"\ndefault_deadline = "0h"')
    home.run()
    said = compared(home)
    assert [row["cause"] for row in said["causes"]] == ["policy"]
    assert {"name": "default_deadline", "then": "48h", "now": "0h"} in said["parameters"]
    assert said["numbers"]
    assert {tuple(row["why"]) for row in said["numbers"]} == {("policy",)}
    # All three were applied an hour later: in time then, late now.
    share = number(said["numbers"], "response_time", definition="share_within_deadline", grain="all")
    assert (share["value_then"], share["value_now"]) == (1, 0)


def test_rules_and_waivers_that_changed_are_named(home: Home) -> None:
    home.configure(policy='rules = "default"\ndefault_deadline = "48h"')
    (home.path / "waivers.csv").write_text(
        "rule,subject,reason,who,until\nmessage_after_opt_out,message:m21,agreed by phone,Dana,2027-01-01\n",
        encoding="utf-8",
    )
    home.run()
    said = compared(home)
    assert {"policy", "rules", "waivers"} <= {row["cause"] for row in said["causes"]}
    assert {row["change"] for row in said["rules"]} == {"in_force_now"}
    assert [(row["change"], row["subject"]) for row in said["waivers"]] == [("new", "message:m21")]
    waived = [row for row in said["findings"] if row["waived_now_count"]]
    assert [(row["rule"], row["waived_then_count"], row["waived_now_count"]) for row in waived] == [
        ("message_after_opt_out", 0, 1)
    ]


def test_a_change_for_no_reason_on_record_is_said_to_be_unexplained(home: Home) -> None:
    earlier, later = runs(home)
    # As if a second run of the same record had given another number.
    path = home.path / "published" / f"{later}.duckdb"
    path.unlink()
    shutil.copy(home.path / "published" / f"{earlier}.duckdb", path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("update run.parameters set run_id = ?", [later])
        connection.execute(
            "update metrics.measurements set value = 0.5 where metric = 'opt_out_rate' and grain = 'all'"
        )
    said = compared(home)
    assert said["causes"] == []
    assert {tuple(row["why"]) for row in said["numbers"]} == {("unexplained",)}
    assert said["counts"]["unexplained"] == len(said["numbers"])
    assert "cannot be explained" in home.heed("compare").out


def test_a_file_read_anew_is_named_as_that(home: Home) -> None:
    other_zone = (
        (home.path / "heed.toml")
        .read_text(encoding="utf-8")
        .replace('path = "inbox/e*"', 'path = "inbox/e*"\ntimezone = "America/New_York"')
    )
    (home.path / "heed.toml").write_text(other_zone, encoding="utf-8")
    home.run()
    said = compared(home)
    assert {row["change"] for row in said["loads"]} == {"read_anew"}
    assert {row["file"] for row in said["loads"]} == {"inbox/e-1.csv", "inbox/e-2.csv"}
    assert said["late_opt_outs"] == []
    # Their times have an offset of their own: nothing else comes of it.
    assert [row for row in said["numbers"] if row["is_restated"]] == []


# ---- which runs


def test_runs_are_named_by_id_by_its_beginning_or_by_their_place(two_runs: Home) -> None:
    earlier, later = runs(two_runs)
    by_place = compared(two_runs)
    assert (by_place["then"]["run_id"], by_place["now"]["run_id"]) == (earlier, later)
    assert compared(two_runs, earlier, later) == by_place
    assert compared(two_runs, earlier[:-3], "current") == by_place


def refused(said: Said) -> str:
    assert said.code == 64
    assert said.out == ""
    return said.err


def test_a_run_that_cannot_be_compared_is_said_with_those_that_can(home: Home) -> None:
    earlier, later = runs(home)
    assert f"Kept: {earlier}, {later}" in refused(home.heed("compare", "1999", "current"))
    assert "are the same run" in refused(home.heed("compare", "current", later))
    assert "The ids of 2 kept runs begin with '20'" in refused(home.heed("compare", "20", "current"))
    (home.path / "published" / f"{earlier}.duckdb").unlink()
    gone = refused(home.heed("compare", earlier[:20], "current"))
    assert f"The snapshot of run {earlier} is not kept any more" in gone
    assert f"Kept: {later}." in gone
    assert "No snapshot before the current one" in refused(home.heed("compare"))
    (home.path / "published" / f"{earlier}.duckdb").write_bytes(b"no database")
    assert "cannot be read" in refused(home.heed("compare"))


def test_where_nothing_is_published_there_is_nothing_to_compare(tmp_path: Path) -> None:
    said = Home(tmp_path / "home").configure().heed("compare")
    assert said.code == 78
    assert "Nothing is published" in said.err


# ---- snapshots of an earlier version


def test_what_an_earlier_version_did_not_publish_is_left_out_and_said(home: Home) -> None:
    earlier, _ = runs(home)
    with duckdb.connect(str(home.path / "published" / f"{earlier}.duckdb")) as connection:
        for relation in ("run.load_days", "run.fingerprints", "run.rules", "run.caps", "audits.waivers"):
            connection.execute(f"drop table {relation}")
        connection.execute("update run.parameters set heed_version = '0.0.1'")
        connection.execute("delete from metrics.measurements where metric = 'feedback_reasons'")
    said = compared(home)
    left_out = "\n".join(said["left_out"])
    assert f"Run {earlier} did not publish which load holds records of which day" in left_out
    assert f"Run {earlier} has no feedback_reasons" in left_out
    september = number(said["numbers"], "opt_out_rate", grain="month", period_start="2026-09-01")
    # The new run knows the days of the new load.
    assert september["why"] == ["late_records", "version"]
    assert len(september["loads"]) == 1
    # What was not measured then was not reported otherwise.
    reasons = [row for row in said["numbers"] if row["metric"] == "feedback_reasons"]
    assert reasons
    assert not any(row["is_restated"] for row in reasons)
    assert "Left out" in home.heed("compare").out


def test_json_is_plain(two_runs: Home) -> None:
    said = json.loads(two_runs.heed("compare", "--format", "json").out)
    assert said["then"]["as_of"] == "2026-10-14T12:00:00Z"
    assert said["now"]["verdict"] == "Fail"


# ---- run.changes: what the overview says of the run before


def changes_of(home: Home) -> dict[tuple[str, str], tuple[Any, ...]]:
    """then, now, new and gone by what and name, of the published snapshot; all against one run."""
    pointer = json.loads((home.path / "published" / "CURRENT.json").read_text())
    with duckdb.connect(str(home.path / "published" / pointer["snapshot"]), read_only=True) as connection:
        rows = connection.execute("select * from run.changes").fetchall()
    assert len({row[0] for row in rows}) <= 1
    return {(row[1], row[2]): row[3:] for row in rows}


def test_a_run_counts_what_changed_since_the_one_before(two_runs: Home) -> None:
    found = changes_of(two_runs)
    # Contact 1 in October, and with the late delivery contact 2 too.
    assert found["violations", "message_after_opt_out"] == (1, 2, 1, 0)
    assert found["open_requests", "*"] == found["late_requests", "*"] == (0, 0, None, None)
    assert found["quarantined_rows", "*"] == (0, 0, None, None)
    said = compared(two_runs)["counts"]
    assert said["restated"] > 0
    assert found["restated_numbers", "*"][3] == said["restated"]


def test_as_many_violations_may_be_other_ones(home: Home) -> None:
    # The message of October to contact 1 is excused, and one more goes to contact 2: two then, two now.
    home.deliver({"m-11.csv": MESSAGE + message(40, 2, "2026-11-05T12:00:00Z")})
    (home.path / "waivers.csv").write_text(
        "rule,subject,reason,disposition,who,until\n"
        "message_after_opt_out,message:shop/m21,asked back by phone,accepted,Ann,2027-01-01\n"
    )
    home.run()
    assert changes_of(home)["violations", "message_after_opt_out"] == (2, 2, 1, 1)


def test_a_first_run_and_one_whose_predecessor_is_gone_have_no_changes(home: Home, tmp_path: Path) -> None:
    shutil.rmtree(home.path / "published")
    home.run()
    assert changes_of(home) == {}
    # A file that is no snapshot any more stops no run.
    [path] = (home.path / "published").glob("*.duckdb")
    path.write_bytes(b"no database" * 1_000)
    home.deliver({"m-11.csv": MESSAGE + message(40, 2, "2026-11-05T12:00:00Z")})
    home.run()
    assert changes_of(home) == {}
