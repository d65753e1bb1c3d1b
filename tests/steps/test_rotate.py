"""A rotated key: every contact_key is another one, and everything else is as it was."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines import identity
from tests.support.home import Home, source

ADDRESS = "+12025550143"
SOURCES = "".join(source(name, name, f"inbox/{name}*") for name in ("messages", "consent_events"))
FILES: dict[str, str | bytes] = {
    "messages.csv": "message_id,channel,contact,sent_at,body\n"
    "m1,sms,+12025550143,2026-10-05T10:00:00Z,Hello\n"
    "m2,sms,+12025550144,2026-10-07T10:00:00Z,Hello\n"
    "m3,sms,+12025550145,2026-09-07T10:00:00Z,Hello\n",
    "consent_events.csv": "event_id,channel,contact,event_type,requested_at\n"
    "e1,sms,+12025550144,opt_out,2026-10-06T10:00:00Z\n"
    ",sms,+12025550143,opt_out,2026-10-06T10:00:00Z\n",
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with two deliveries loaded and one contact forgotten, which nobody may change."""
    home = Home(tmp_path_factory.mktemp("loaded") / "home").configure(SOURCES).deliver(FILES)
    home.load()
    assert home.heed("forget", ADDRESS).code == 0
    return home


@pytest.fixture
def home(loaded: Home, tmp_path: Path) -> Home:
    """A copy of it to change."""
    shutil.copytree(loaded.path, tmp_path / "home")
    return Home(tmp_path / "home")


def keyless(home: Home, table: str) -> list[dict[str, Any]]:
    """The rows of a table without what a rotation changes, in order of place."""
    changed = ("contact_key", "event_id")
    return [{name: value for name, value in row.items() if name not in changed} for row in home.rows(table)]


def keys(home: Home) -> set[int]:
    """Every contact_key of the record."""
    return {row["contact_key"] for table in ("messages", "consent_events") for row in home.rows(table)}


def records(home: Home, address: str) -> list[str]:
    """The ids of what is held about an address."""
    held = home.heed("contact", address, "--json")
    assert held.code == 0, held.err
    return [record["record_id"] for record in held.json()["records"]]


def grown(home: Home) -> tuple[int, int]:
    """Deliver the files again with one more row each: accepted and duplicate rows."""
    home.deliver({
        "messages.csv": str(FILES["messages.csv"]) + "m4,sms,+12025550143,2026-10-20T10:00:00Z,More\n",
        "consent_events.csv": str(FILES["consent_events.csv"]) + ",sms,+12025550143,opt_in,2026-10-21T10:00:00Z\n",
    })  # fmt: skip
    loads, _ = home.load()
    return sum(one.accepted_count for one in loads), sum(one.duplicate_count for one in loads)


def test_every_key_is_another_one_and_nothing_else(home: Home) -> None:
    tables = ("messages", "consent_events")
    rows, before, known = {name: keyless(home, name) for name in tables}, keys(home), records(home, "+12025550144")
    old_key = (home.path / "private" / "key").read_bytes()
    for _ in range(2):
        said = home.heed("rotate-key")
        assert said.code == 0, said.err
        assert home.heed("verify").code == 0
        assert {name: keyless(home, name) for name in tables} == rows
        assert not keys(home) & before
        assert len(keys(home)) == 3
        assert records(home, "+12025550144") == known
        assert len(records(home, ADDRESS)) == 2  # a forgotten contact has no address, and its new key all the same
        before |= keys(home)
    # What the old secret alone makes of an address is in no record any more.
    assert identity.contact_key("+12025550144", old_key) not in keys(home)
    # What was delivered before is still the same, what comes is recognised, and the forgotten stay forgotten.
    assert grown(home) == (2, 5)
    assert [row["body"] for row in home.rows("messages") if row["message_id"] == "m4"] == [None]
    assert len(records(home, ADDRESS)) == 4
    assert {path.stat().st_mode & 0o777 for path in (home.path / "private").rglob("*") if path.is_file()} == {0o600}


def test_a_key_in_the_environment_moves_to_the_home_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEED_KEY", "a secret that somebody chose")
    home = Home(tmp_path / "home").configure(SOURCES).deliver(FILES)
    home.load()
    path = home.path / "private" / "key"
    assert not path.exists()
    said = home.heed("rotate-key")
    assert (said.code, "HEED_KEY still holds the old key" in said.err) == (0, True)
    # The old one no longer opens it, and says what to do.
    said = home.heed("contact", ADDRESS)
    assert (said.code, f"Set HEED_KEY to what {path} holds" in said.err) == (78, True)
    monkeypatch.setenv("HEED_KEY", path.read_text())
    path.unlink()
    assert len(records(home, ADDRESS)) == 2
    assert home.heed("rotate-key").code == 0
    monkeypatch.delenv("HEED_KEY")
    assert len(records(home, ADDRESS)) == 2


def test_there_is_nothing_to_rotate_before_the_first_load(tmp_path: Path) -> None:
    assert Home(tmp_path / "home").configure(SOURCES).heed("rotate-key").code == 64


def test_sql_and_python_make_the_same_key_of_a_rotated_one(home: Home) -> None:
    assert home.heed("rotate-key").code == 0
    key = (home.path / "private" / "key").read_bytes()
    assert len(identity.secrets_of(key)) == 2
    made = {identity.contact_key(f"+1202555014{last}", key) for last in (3, 4, 5)}
    assert made == keys(home)
