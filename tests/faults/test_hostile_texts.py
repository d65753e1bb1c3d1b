"""Formulas, terminal escapes, HTML and SQL in any text stay text, through a whole run and every way out of it."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from pipelines.canonical import TABLES, Column
from tests.support.home import Home, Said, source, without_validation

#: Each is a text that some reader of it would run, show as something else, or fall over.
HOSTILE = (
    "=cmd|'/C calc'!A0",
    "+1+1|'x'",
    "-2+3",
    "@SUM(1,1)",
    "\x1b[2J\x1b]0;title\x07 red",
    "\x9b31m C1",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "[click](http://example.com/x) ![x](http://example.com/p.png)",
    "'; drop table core.messages; --",
    '"; attach \'x.db\' as x; select "',
    "${jndi:ldap://example.com/a} {{7*7}} %s %n {0}",
    "\u202egnp.exe \u2066x\u2069 \u2028 line",
    "a\x00b",
    "NULL",
)  # fmt: skip
#: In a terminal, nothing of these may be there as it stands.
DRIVES_A_TERMINAL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def value(table: str, column: Column, text: str, number: int) -> object:
    """A value for a column: hostile wherever any text may stand."""
    fixed: dict[str, object] = {
        "channel": "push", "event_type": "opt_out", "message_class": "marketing", "status": "delivered",
        "sent_at": "2026-10-08T10:00:00Z",
        "received_at": "2026-10-06T10:00:00Z", "requested_at": "2026-10-05T10:00:00Z",
        "country": "US",
    }  # fmt: skip
    if column.name in fixed:
        return fixed[column.name]
    if column.kind in ("word", "instant", "number", "boolean"):
        return None
    if column.name in TABLES[table].key and column.kind != "contact":
        return f"{text}{number}"
    return text


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with every hostile text in every text column, in names of files and in the name of a source."""
    path = tmp_path_factory.mktemp("hostile") / "home"
    sources = ""
    for table in TABLES:
        name = json.dumps(f"=1+1 \x1b[31m<b>{table}</b>';--")
        sources += source("NAME", table, f"inbox/{table}*").replace('"NAME"', name)
    home = Home(path).configure(sources)
    for name, table in TABLES.items():
        rows = [
            {column.name: value(name, column, text, number) for column in table.columns}
            for number, text in enumerate(HOSTILE)
        ]
        refused = {column.name: text for column, text in zip(table.columns, HOSTILE * 2, strict=False)}
        lines = "".join(json.dumps(row) + "\n" for row in [*rows, refused])
        home.deliver({f"{name} \x1b[31m=1 '; -- <b>.jsonl": lines})
    with pytest.MonkeyPatch.context() as patch:
        without_validation(patch)
        said = home.heed("run", "--verbose")
        assert said.code == 0, said.err
        assert_harmless(said)
        home.configure(sources, policy='default_deadline = "1h"')
        assert_harmless(home.heed("run"))
    return home


def assert_harmless(said: Said) -> None:
    """Nothing that was printed drives a terminal."""
    assert not DRIVES_A_TERMINAL.search(said.out), said.out
    assert not DRIVES_A_TERMINAL.search(said.err), said.err


def test_every_hostile_row_is_on_record_as_it_was_written(home: Home) -> None:
    messages = home.rows("messages")
    assert sorted(row["body"] for row in messages) == sorted(HOSTILE)
    assert {row["program"] for row in messages} == set(HOSTILE)
    assert all(load.quarantined_count == 1 for load in home.ledger.loads)
    assert all(load.accepted_count == len(HOSTILE) for load in home.ledger.loads)


def test_findings_name_them_as_text(home: Home) -> None:
    found = home.heed("findings", "--rule", "message_after_opt_out", "--format", "json").json()
    assert {row["program"] for row in found} == set(HOSTILE)
    assert {row["message_id"] for row in found} == {f"{text}{number}" for number, text in enumerate(HOSTILE)}


COMMANDS = (
    ["findings"], ["metrics"], ["waivers"], ["segments"], ["segments", "--segment", "opted_out", "--keys"],
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_cell_of_a_table_file_is_a_formula(command: list[str], home: Home) -> None:
    said = home.heed(*command, "--format", "csv")
    assert said.code == 0, said.err
    rows = list(csv.reader(io.StringIO(said.out)))
    # A number may begin with a minus; a text may not.
    cells = [cell for row in rows for cell in row if not re.fullmatch(r"-?[0-9.e+-]+", cell)]
    assert [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")] == []


@pytest.mark.parametrize("form", ["table", "json"])
@pytest.mark.parametrize("command", [*COMMANDS, ["contact", HOSTILE[4]], ["compare"]], ids=lambda one: one[0])
def test_nothing_printed_drives_a_terminal(command: list[str], form: str, home: Home) -> None:
    said = home.heed(*command, "--format", form)
    assert said.code == 0, said.err
    assert_harmless(said)


@pytest.mark.parametrize("command", [["status"], ["status", "--json"], ["verify"], ["rules", "--all"]], ids=" ".join)
def test_nor_do_the_other_commands(command: list[str], home: Home) -> None:
    said = home.heed(*command)
    assert said.code == 0, said.err
    assert_harmless(said)


def test_nor_do_errors(home: Home, tmp_path: Path) -> None:
    for arguments in (
        ["findings", "--period", "\x1b[31m"],
        ["\x1b[31m"],
        ["run", "--as-of", "\x9b31m"],
        ["compare", "\x1b[31m", "\u202e"],
        ["screen", str(tmp_path / "\x1b[31m.csv"), "--channel", "push"],
        ["contact", "\x1b[31m", "--format", "table"],
    ):
        said = home.heed(*arguments)
        assert_harmless(said)
    broken = Home(tmp_path / "home").configure(source("s", "messages", "inbox/*"))
    broken.deliver({"\x1b[31m\u202e.csv": "a\x1b[31m,a\x1b[31m\n1,2\n"})
    said = broken.heed("run")
    assert (said.code, said.out) == (11, "")
    assert_harmless(said)
    broken.configure('"\x7f" = 1')
    assert_harmless(broken.heed("run"))
    broken.configure('[[source]]\n"\\u001b[31m" = "\\u009b"\nname = "x"\nconnector = "y"\npath = "z"\n')
    assert_harmless(broken.heed("run"))


def test_a_filter_is_a_value_and_no_query(home: Home) -> None:
    for text in HOSTILE:
        found = home.heed("findings", f"--program={text}", "--format", "json").json()
        assert {row["program"] for row in found} == {text}
    assert home.heed("findings", "--program", "x' or '1'='1", "--format", "json").json() == []
