"""Findings and numbers as rows: the same in every format, filtered, and harmless wherever they are opened."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars
import pytest

from pipelines import audit, cli, output, snapshots
from tests.support.home import EVENT, Home, without_validation

#: Text that a spreadsheet would run, and text that a terminal would obey.
FORMULAS = ['=HYPERLINK("http://example.com")', "+1+1", "-2+3", "@SUM(A1)"]
ESCAPE = "\x1b[31mred\x1b[0m\x9b1m"


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A published home whose campaigns are formulas and whose program drives terminals; months cut in New York."""
    header = "message_id,channel,contact,sent_at,message_class,status,program,campaign_id\n"
    rows = ""
    for number, campaign in enumerate(FORMULAS):
        quoted = '"' + campaign.replace('"', '""') + '"'
        # The first two at 03:30 UTC on 1 November: still October in New York.
        day = "2026-11-01T03:30:00Z" if number < 2 else "2026-11-02T12:00:00Z"
        rows += f"m{number},{'sms' if number else 'email'},+12025550101,{day},marketing,sent,{ESCAPE},{quoted}\n"
    acts = "e1,*,+12025550101,opt_out,2026-10-05T12:00:00Z,2026-10-06T12:00:00.25Z\n"
    home = Home(tmp_path_factory.mktemp("nasty")).configure(policy='report_timezone = "America/New_York"')
    home.deliver({"m.csv": header + rows, "e.csv": EVENT + acts})
    with pytest.MonkeyPatch.context() as patch:
        without_validation(patch)
        said = home.heed("run")
        assert said.code == 0, said.err
        yield home


def rows(home: Home, *arguments: str) -> list[dict[str, Any]]:
    """The rows a verb prints as JSON."""
    said = home.heed(*arguments, "--format", "json")
    assert (said.code, said.err) == (0, "")
    found: list[dict[str, Any]] = said.json()
    return found


def test_findings_in_every_format_are_the_same_rows(nasty: Home) -> None:
    found = rows(nasty, "findings")
    assert [list(row) for row in found] == [list(audit.FINDING_COLUMNS)] * 4
    table = nasty.heed("findings").out.splitlines()
    assert len(table) == 5
    in_csv = list(csv.DictReader(io.StringIO(nasty.heed("findings", "--format", "csv").out)))
    for row, cells in zip(found, in_csv, strict=True):
        assert list(cells) == list(row)
        for name, value in row.items():
            assert cells[name].lstrip("'") == ("" if value is None else str(value)), name
    first = found[0]
    assert (first["message_id"], first["event_id"], first["source"]) == ("m0", "e1", "shop")
    assert first["occurred_at"] == "2026-11-01T03:30:00Z"
    assert first["processed_at"] == "2026-10-06T12:00:00.250000Z"
    # The end of Tuesday 20 October in New York: Columbus Day is none of the ten business days.
    assert first["deadline_at"] == "2026-10-21T04:00:00Z"
    assert (first["contact_masked"], first["delivered"], first["waived_by"]) == ("+1202•••••01", True, None)
    assert re.fullmatch("[0-9a-f]{16}", first["contact_key"])


def parquet(home: Home, *arguments: str) -> polars.DataFrame:
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "-C", str(home.path), *arguments, "--format", "parquet"],
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    return polars.read_parquet(done.stdout)


def test_parquet_has_types_whether_there_are_rows_or_not(nasty: Home) -> None:
    frame, empty = parquet(nasty, "findings"), parquet(nasty, "findings", "--rule", "none")
    assert frame.columns == list(audit.FINDING_COLUMNS)
    assert frame.height == 4
    assert frame["occurred_at"].dtype == polars.Datetime("us", "UTC")
    assert frame["waived_by"].dtype == polars.String
    assert frame["contact_key"].to_list() == [row["contact_key"] for row in rows(nasty, "findings")]
    assert (empty.height, empty.schema) == (0, frame.schema)


def test_metrics_have_their_columns_and_plain_values(nasty: Home) -> None:
    found = rows(nasty, "metrics")
    assert {tuple(row) for row in found} == {snapshots.METRIC_COLUMNS}
    assert {row["grain"] for row in found} == {"day", "week", "month", "all"}
    days = {row["period_start"] for row in found if row["grain"] == "day"}
    assert days >= {"2026-10-31", "2026-11-02"}
    assert {row["period_start"] for row in found if row["grain"] == "all"} == {None}
    assert "NaN" not in nasty.heed("metrics", "--format", "json").out


FINDING_FILTERS = [
    (["--rule", "message_after_opt_out"], 4),
    (["--rule", "no_such_rule"], 0),
    (["--class", "sent_after_processing"], 4),
    (["--class", "sent_in_flight"], 0),
    (["--severity", "critical"], 4),
    (["--source", "shop"], 4),
    (["--source", "crm"], 0),
    (["--channel", "email"], 1),
    (["--program", ESCAPE], 4),
    (["--campaign", FORMULAS[0]], 1),
    (["--channel", "sms", "--campaign", FORMULAS[0]], 0),
    # The report's October ends at 04:00 UTC on 1 November.
    (["--period", "2026-10"], 2),
    (["--period", "2026-11"], 2),
    (["--period", "2026-11", "--channel", "sms"], 2),
    (["--period", "2025-12"], 0),
    (["--channel", "' or 1=1 --"], 0),
]


@pytest.mark.parametrize(("arguments", "count"), FINDING_FILTERS)
def test_findings_are_filtered(arguments: list[str], count: int, nasty: Home) -> None:
    assert len(rows(nasty, "findings", *arguments)) == count


def test_metrics_are_filtered(nasty: Home) -> None:
    found = rows(nasty, "metrics")
    options = {"metric": "opt_out_rate", "definition": "heed", "grain": "month", "channel": "sms", "program": "*"}
    options |= {"campaign": "*", "reason": "*"}
    columns = {"campaign": "campaign_id"}
    for option, value in options.items():
        chosen = rows(nasty, "metrics", f"--{option}", value)
        assert chosen == [row for row in found if row[columns.get(option, option)] == value], option
        assert chosen
    october = rows(nasty, "metrics", "--period", "2026-10")
    assert october == [row for row in found if str(row["period_start"]).startswith("2026-10")]
    assert october
    every = [part for option, value in options.items() for part in (f"--{option}", value)]
    assert len(rows(nasty, "metrics", *every, "--period", "2026-10")) == 1


def test_a_filter_that_finds_nothing_prints_the_columns(nasty: Home) -> None:
    for form in ("table", "csv"):
        out = nasty.heed("findings", "--rule", "none", "--format", form).out
        assert re.split(r"[, ]+", out.strip()) == list(audit.FINDING_COLUMNS)
    assert rows(nasty, "findings", "--rule", "none") == []


# ---- text that is not ours


def test_a_spreadsheet_runs_nothing_of_the_data(nasty: Home) -> None:
    cells = list(csv.DictReader(io.StringIO(nasty.heed("findings", "--format", "csv").out)))
    assert [row["campaign_id"] for row in cells] == ["'" + campaign for campaign in FORMULAS]
    assert not [value for row in cells for value in row.values() if value[:1] in tuple("=+-@\t\r")]
    # Machines get it as it is.
    assert [row["campaign_id"] for row in rows(nasty, "findings")] == FORMULAS


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_whatever_begins_like_a_formula_is_text(value: str) -> None:
    assert output.formula_safe(value) == "'" + value
    assert (output.formula_safe("a=1"), output.formula_safe(-1.5), output.formula_safe(None)) == ("a=1", -1.5, None)


class Terminal(io.StringIO):
    """What isatty says yes to."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_terminal_obeys_nothing_of_the_data(form: str, nasty: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert cli.main(["-C", str(nasty.path), "findings", "--format", form]) == 0
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", terminal.getvalue())
    assert "[31mred" in terminal.getvalue()


def test_parquet_is_not_for_a_terminal(nasty: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert cli.main(["-C", str(nasty.path), "findings", "--format", "parquet"]) == 64
    assert terminal.getvalue() == ""


def test_neither_does_it_obey_names_of_files_and_columns(tmp_path: Path) -> None:
    home = Home(tmp_path).configure().deliver({"m.csv": "\x1b[31mcolumn,b\n1,2\n"})
    said = home.heed("run")
    assert said.code == 11
    assert "\\x1b[31mcolumn" in said.err
    assert "\x1b" not in said.err
    (tmp_path / "inbox" / "m.csv").rename(tmp_path / "inbox" / "m\x1b[31m.xls")
    assert "\x1b" not in home.heed("run").err
