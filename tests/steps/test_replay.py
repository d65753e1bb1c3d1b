"""A finding is found again from the snapshot, and is not once what it rests on was changed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dashboard import replay, snapshot
from tests.support.rule_book_home import rule_book_home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rule_book_home(tmp_path_factory.mktemp("rule_book") / "home")


@pytest.fixture
def chosen(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> snapshot.Published:
    """The snapshot of the sample of all rules, in a copy that a test may change."""
    shutil.copytree(home / "published", tmp_path / "published")
    monkeypatch.setenv("HEED_HOME", str(tmp_path))
    return snapshot.read_pointer()


def tampered(chosen: snapshot.Published, statement: str) -> None:
    """Change the snapshot's file."""
    with duckdb.connect(str(chosen.path)) as connection:
        connection.execute(statement)


def finding(chosen: snapshot.Published, condition: str) -> dict[str, Any]:
    """The one published finding of a condition, read beside the snapshot so that nothing holds its file open."""
    with duckdb.connect(str(chosen.path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        [row] = connection.sql(f"select * from audits.findings where {condition}").to_arrow_table().to_pylist()
    return dict(row)


def test_every_finding_of_every_rule_is_found_again(chosen: snapshot.Published) -> None:
    rows = snapshot.read_uncached(chosen, "select * from audits.findings").to_pylist()
    rules = snapshot.read_uncached(chosen, "select rule from run.audit_rules").to_pylist()
    assert {row["rule"] for row in rows} == {row["rule"] for row in rules}
    for row in rows:
        again = replay.replay(chosen, row)
        assert again.is_same, (row["rule"], again.differs)
        assert (again.again_count, again.other_count) == (again.published_count, 0), row["rule"]


def test_ids_are_told_apart(chosen: snapshot.Published) -> None:
    [row] = snapshot.read_uncached(
        chosen, "select count(*) as rows, count(distinct finding_id) as ids from audits.findings"
    ).to_pylist()
    assert row["rows"] == row["ids"] > 0


@pytest.mark.parametrize(
    ("condition", "statement"),
    [
        ("message_id = 'b-past'", "delete from core.messages where message_id = 'b-past'"),
        ("message_id = 'b-past'", "update core.citable_spans set begins_at = until_at, after_at = until_at"),
        ("event_id = 'c-out' and rule = 'opt_out_not_honoured_in_time'",
         "update core.opt_out_spans set processed_at = begins_at where event_id = 'c-out'"),
        ("rule = 'campaign_ignores_opt_outs'", "update core.campaigns set respects_opt_outs = 1"),
    ],
)  # fmt: skip
def test_what_was_taken_away_is_not_found_again(chosen: snapshot.Published, condition: str, statement: str) -> None:
    row = finding(chosen, condition)
    tampered(chosen, statement)
    again = replay.replay(chosen, row)
    assert again.found is None
    assert not again.is_same
    assert again.again_count < again.published_count


def test_what_was_changed_is_named(chosen: snapshot.Published) -> None:
    row = finding(chosen, "message_id = 'b-past'")
    tampered(chosen, "update audits.findings set severity = 'notice', details = 'nothing' where message_id = 'b-past'")
    again = replay.replay(chosen, row | {"severity": "notice", "details": "nothing"})
    assert again.differs == ("severity", "details")
    assert again.other_count == 1


@pytest.mark.parametrize("sql", ["select * from read_csv('{file}')", "attach '{file}'", "select * from core.nothing"])
def test_nothing_but_the_snapshot_can_be_read(chosen: snapshot.Published, tmp_path: Path, sql: str) -> None:
    (tmp_path / "addresses.csv").write_text("a\n1\n")
    row = finding(chosen, "message_id = 'b-past'")
    written = sql.format(file=tmp_path / "addresses.csv").replace("'", "''")
    tampered(chosen, f"update run.audit_rules set sql = '{written}'")
    with pytest.raises(snapshot.UnreadableSnapshotError):
        replay.replay(chosen, row)
