"""A home is what was written: any byte changed in the ledger, a part, a snapshot, the runs or the pointer is found."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.home import Home, source, without_validation


def verified(home: Home) -> tuple[int, list[str]]:
    """The exit code of `heed verify`, and the paths it names."""
    said = home.heed("verify", "--json")
    return said.code, [problem["path"] for problem in said.json()["problems"]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with two loads and two kept snapshots."""
    home = Home(tmp_path_factory.mktemp("whole") / "home").configure(source("texting", "messages", "inbox/m*.csv"))
    with pytest.MonkeyPatch.context() as patch:
        without_validation(patch)
        for number in (1, 2):
            (home.path / "inbox").mkdir(parents=True, exist_ok=True)
            (home.path / "inbox" / f"m{number}.csv").write_text(
                f"message_id,channel,contact,sent_at\na{number},sms,+12025550100,2026-0{number}-01T00:00:00Z\n"
            )
            home.run()
    return home


@pytest.fixture
def home(whole: Home, tmp_path: Path) -> Home:
    """A copy of it to damage."""
    shutil.copytree(whole.path, tmp_path / "home")
    return Home(tmp_path / "home")


def test_a_whole_home_is_whole(home: Home) -> None:
    said = home.heed("verify")
    assert (said.code, said.err) == (0, "")
    # Two ledger lines, two runs, two snapshots, one pointer, and a part of messages and of addresses for the first load
    # and of messages for the second, whose contact is known.
    assert "10 lines, parts and snapshots checked, 0 damaged" in said.out


def test_any_changed_byte_is_found(home: Home) -> None:
    draw = random.Random(20261122)
    folders = [home.path / "history", home.path / "published"]
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    assert {path.suffix for path in files} == {".jsonl", ".parquet", ".duckdb", ".json"}
    for path in files:
        data = path.read_bytes()
        for _ in range(12):
            place = draw.randrange(len(data))
            changed = bytearray(data)
            changed[place] ^= draw.randrange(1, 256)
            path.write_bytes(changed)
            code, named = verified(home)
            assert (code, bool(named)) == (11, True), (path.name, place, changed[place - 20 : place + 20])
        path.write_bytes(data)
    assert verified(home) == (0, [])


@pytest.mark.parametrize("name", ["history/ledger.jsonl", "published/runs.jsonl"])
@pytest.mark.parametrize("number", [0, 1])
def test_any_line_that_is_gone_is_missed(home: Home, name: str, number: int) -> None:
    path = home.path / name
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
    code, named = verified(home)
    assert code == 11
    assert named


def test_history_and_runs_that_are_cut_off_together_are_told_by_the_head(home: Home) -> None:
    before = home.heed("verify", "--json").json()["head"]
    for name in ("history/ledger.jsonl", "published/runs.jsonl"):
        path = home.path / name
        path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    newest = sorted((home.path / "published").glob("*.duckdb"))[-1]
    newest.unlink()
    assert home.heed("verify", "--json").json()["head"] != before


def break_part(home: Home) -> Path:
    """Damage one part of messages, keeping its size."""
    path = sorted((home.path / "history" / "messages").rglob("*.parquet"))[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return path


def break_snapshot(home: Home) -> Path:
    """Damage the snapshot that is published."""
    pointer = json.loads((home.path / "published" / "CURRENT.json").read_text())
    path = home.path / "published" / str(pointer["snapshot"])
    path.write_bytes(path.read_bytes()[:-4096])
    return path


def break_pointer(home: Home) -> Path:
    """Damage the pointer to the snapshot."""
    path = home.path / "published" / "CURRENT.json"
    path.write_text(path.read_text().replace("published_at", "published_on"))
    return path


def rows(home: Home) -> str:
    """Every number that is published."""
    return home.heed("metrics", "--format", "json").out


@pytest.mark.parametrize("damage", [break_part, break_snapshot, break_pointer])
def test_what_the_inbox_still_holds_is_repaired(
    home: Home, damage: Callable[[Home], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_validation(monkeypatch)
    before = rows(home)
    damage(home)
    assert home.heed("verify").code == 11
    said = home.heed("repair")
    assert (said.code, "Next: heed" in said.err) == (0, True)
    assert home.heed("run").code == 0
    assert rows(home) == before
    assert verified(home) == (0, [])
    assert "Nothing to repair" in home.heed("repair").err


def test_what_is_gone_for_good_is_said_and_left_alone(home: Home) -> None:
    part = break_part(home)
    for path in (home.path / "inbox").iterdir():
        path.unlink()
    ledger = (home.path / "history" / "ledger.jsonl").read_bytes()
    said = home.heed("repair")
    assert (said.code, said.out) == (11, "")
    assert "inbox/m1.csv" in said.err
    assert "backup" in said.err
    assert (home.path / "history" / "ledger.jsonl").read_bytes() == ledger
    assert part.exists()


def test_a_damaged_ledger_is_beyond_repair(home: Home) -> None:
    path = home.path / "history" / "ledger.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"read_count":1', b'"read_count":2', 1))
    said = home.heed("repair")
    assert said.code == 11
    assert "backup" in said.err


def test_lines_from_before_there_was_a_chain_are_read(home: Home) -> None:
    path = home.path / "history" / "ledger.jsonl"
    first, *_ = [json.loads(line) for line in path.read_text().splitlines()]
    del first["previous"]
    path.write_text(json.dumps(first) + "\n")
    (home.path / "published" / "runs.jsonl").unlink()
    for snapshot in (home.path / "published").glob("*"):
        snapshot.unlink()
    assert verified(home) == (0, [])
    assert home.heed("repair").code == 0
