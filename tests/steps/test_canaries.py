"""Canaries in every place where a provider may put an address or a person's words: none comes out where it must not."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import polars
import pytest

from pipelines import run
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.errors import EngineError
from tests.support import canaries
from tests.support.canaries import Canaries
from tests.support.home import Home, Said, source

#: Everything that a marketer, an officer or a scheduler may ask without naming a contact.
COMMANDS = [
    ("run", "--json"),
    ("status",),
    ("status", "--json"),
    ("findings", "--format", "json"),
    ("findings", "--format", "csv"),
    ("metrics", "--format", "csv"),
    ("waivers",),
    ("rules", "--all"),
    ("segments", "--segment", "opted_out", "--keys", "--format", "csv"),
    ("compare", "current", "previous"),
    ("verify", "--json"),
    ("repair",),
    ("health",),
]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Canaries, Said]:
    """A home after a run with --verbose under a umask that closes nothing, what was planted, and what the run said."""
    home = Home(tmp_path_factory.mktemp("watched") / "home")
    put = canaries.deliver(home)
    before = os.umask(0)
    try:
        said = home.heed("run", "--verbose")
    finally:
        os.umask(before)
    assert said.code == 0, said.err
    return home, put, said


def test_as_many_are_planted_as_the_page_says(watched: tuple[Home, Canaries, Said]) -> None:
    home, put, _ = watched
    assert len(put.planted) == 58
    # They are where they may be, or searching for them would prove nothing.
    inbox = b"".join(path.read_bytes() for path in canaries.files_below(home.path / "inbox"))
    assert sorted(put.found(inbox)) == sorted(put.planted)
    assert put.found(decoded(canaries.files_below(home.path / "private" / "quarantine")))
    assert put.found(decoded(canaries.files_below(home.path / "private" / "identities")))


def decoded(paths: list[Path]) -> bytes:
    """What Parquet files say."""
    return repr([polars.read_parquet(path).to_dicts() for path in paths]).encode()


def test_no_canary_is_said(watched: tuple[Home, Canaries, Said]) -> None:
    home, put, said = watched
    assert put.found((said.out + said.err).encode()) == []
    for command in COMMANDS:
        told = home.heed(*command)
        assert put.found((told.out + told.err).encode()) == [], command


def test_no_canary_is_published_or_logged(watched: tuple[Home, Canaries, Said]) -> None:
    home, put, _ = watched
    allowed = {"inbox", "history", "private"}
    searched = 0
    for path in canaries.files_below(home.path):
        if path.relative_to(home.path).parts[0] not in allowed:
            assert put.found(path.read_bytes()) == [], path
            searched += 1
    assert searched >= 5  # heed.toml, the pointer, the runs, the snapshot and the textfile at least
    assert (home.path / "heed.prom").is_file()
    for path in (home.path / "published").glob("*.duckdb"):
        with DuckDBEngine(path, read_only=True) as engine:
            relations = engine.rows("select table_schema, table_name from information_schema.tables order by all")
            assert len(relations) > 60
            for schema, name in relations:
                assert put.found(repr(engine.rows(f"select * from {schema}.{name}")).encode()) == [], f"{schema}.{name}"


def test_history_holds_no_address_but_in_texts_and_ids(watched: tuple[Home, Canaries, Said]) -> None:
    home, put, _ = watched
    ledger = (home.path / "history" / "ledger.jsonl").read_bytes()
    assert put.found(ledger) == []
    found = put.found(decoded(list((home.path / "history").rglob("*.parquet"))))
    kept = (
        "body",
        "a reply",
        "a button",
        "consent_text",
        "proof",
        "reason_text",
        "template_text",
        "person_id",
        "error_code",
    )
    assert [place for place in found if not place.startswith(kept)] == []


def test_what_is_private_is_its_owners_whatever_the_umask(watched: tuple[Home, Canaries, Said]) -> None:
    home, _, _ = watched
    for path in [home.path / "private", home.path / "history", *(home.path / "private").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    for path in [home.path / "published", *(home.path / "published").iterdir()]:
        assert not path.stat().st_mode & 0o022, path


def test_what_was_opened_is_closed_again(watched: tuple[Home, Canaries, Said], tmp_path: Path) -> None:
    shutil.copytree(watched[0].path, tmp_path / "home")
    home = Home(tmp_path / "home")
    for name in ("private", "private/key", "private/identities", "history"):
        (home.path / name).chmod(0o777)
    said = home.heed("run")
    assert "4 files or folders" in said.err
    assert all(not (home.path / name).stat().st_mode & 0o077 for name in ("private", "private/key", "history"))
    assert "open to others" not in home.heed("run").err


ROW = "m1,sms,+12025550147,2026-10-05T10:00:00Z,kanari@example.com\n"
GENERIC = source("g", "messages", "inbox/*", "[source.columns]", 'contact = "phone"', connector="generic")


@pytest.mark.parametrize(
    ("files", "sources"),
    [
        ({"m.csv": ROW}, source("g", "messages", "inbox/*")),
        ({"m.csv": f"message_id,+12025550147,+12025550147\n{ROW}"}, source("g", "messages", "inbox/*")),
        ({"m.csv": ROW}, GENERIC),
        ({"m.csv": ROW}, '[[source]]\nname = "t"\nconnector = "twilio"\npath = "inbox/*"\n'),
        ({"m.parquet": f"PAR1{ROW}PAR1"}, source("g", "messages", "inbox/*")),
        ({"m.csv.gz": ROW.encode()}, source("g", "messages", "inbox/*")),
    ],
    ids=["no header", "twice in a header", "no header, mapped", "no header, twilio", "parquet", "gzip"],
)
def test_a_file_that_cannot_be_read_is_not_quoted(files: dict[str, str | bytes], sources: str, tmp_path: Path) -> None:
    said = Home(tmp_path / "home").configure(sources).deliver(files).heed("run")
    assert said.code == 11
    assert not [word for word in ("2025550147", "kanari") if word in said.out + said.err]


def broken(_: run.Run) -> int:
    """A step that fails over a row."""
    row = {"contact": "+12025550147", "body": "kanari@example.com"}
    try:
        raise EngineError(
            f"Conversion Error: Could not convert string '{row['contact']}'", "core.messages", f"-- {row}"
        )
    except EngineError as error:
        raise ValueError(f"cannot take {row}") from error


@pytest.mark.parametrize("traced", ["", "1"])
def test_a_crash_report_quotes_no_row(
    traced: str, watched: tuple[Home, Canaries, Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(watched[0].path, tmp_path / "home")
    home = Home(tmp_path / "home").deliver({"messages_9.csv": "message_id,channel,contact,sent_at\n"})
    monkeypatch.setenv("HEED_TRACEBACK", traced)
    monkeypatch.setattr(run, "STEPS", (("build", "Building", broken),))
    said = home.heed("run", "--as-of", "2026-10-30T00:00:00Z")
    assert said.code == 1
    assert ("in broken" in said.err) == bool(traced)
    assert not [word for word in ("2025550147", "kanari") if word in said.out + said.err]
