"""Whatever goes wrong in a run, it is one line that says so, and the published snapshot stands."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import audit, validate
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.settings import Settings
from tests.support.example_home import published
from tests.support.home import MESSAGE, Home, source, without_validation


def lose_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit forgets one finding: the independent reckoning must notice."""
    found = audit.audit

    def forgetful(engine: DuckDBEngine, settings: Settings) -> int:
        found(engine, settings)
        engine.execute("delete from audits.found where message_id = 'm2'")
        return 0

    monkeypatch.setattr(audit, "audit", forgetful)


def invent_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit finds a message twice."""
    found = audit.audit

    def inventive(engine: DuckDBEngine, settings: Settings) -> int:
        found(engine, settings)
        engine.execute("insert into audits.found select * from audits.found")
        return 2

    monkeypatch.setattr(audit, "audit", inventive)


@pytest.mark.parametrize("wrong", [lose_a_finding, invent_a_finding])
def test_nothing_is_published_when_validation_fails(
    wrong: Callable[[pytest.MonkeyPatch], None], home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = published(home)
    home.configure(policy='default_deadline = "48h"')
    with monkeypatch.context() as patch:
        wrong(patch)
        said = home.heed("run", "--json")
    assert (said.code, said.out) == (11, "")
    assert "expectations failed" in said.err
    assert "audits.findings" in said.err or "opted_out_contacts" in said.err
    assert published(home) == before
    assert not (home.path / "private" / "work").exists()
    assert home.run()["published"] is True


def test_a_run_that_is_stopped_leaves_everything_as_it_was(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    before = published(home)
    home.configure(policy='default_deadline = "48h"')

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(validate, "validate", stop)
    said = home.heed("run")
    assert (said.code, said.out) == (1, "")
    assert "stopped" in said.err
    assert published(home) == before
    assert not (home.path / "private" / "work").exists()


def remove(path: Path) -> None:
    path.unlink()


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [remove, cut_off])
def test_a_damaged_part_of_history_is_named_and_stops_the_run(damage: Callable[[Path], None], home: Home) -> None:
    before = published(home)
    part = next((home.path / "history" / "messages").rglob("*.parquet"))
    damage(part)
    said = home.heed("run")
    assert (said.code, said.out) == (11, "")
    assert str(part) in said.err
    assert "Restore it" in said.err
    assert published(home) == before
    assert home.heed("findings").code == 0


def test_a_damaged_ledger_stops_the_run(home: Home) -> None:
    path = home.path / "history" / "ledger.jsonl"
    path.write_bytes(b"{broken\n" + path.read_bytes())
    said = home.heed("run")
    assert (said.code, "damaged at line 1" in said.err) == (11, True)


def test_without_the_identities_every_number_is_the_same(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)
    before = home.heed("findings", "--format", "json").out, home.heed("metrics", "--format", "json").out
    shutil.rmtree(home.path / "private" / "identities")
    shutil.rmtree(home.path / "private" / "quarantine")
    home.configure(policy='confirmation_window = "6min"')  # so that there is a new snapshot
    told = home.run()
    assert told["published"] is True
    assert (home.heed("findings", "--format", "json").out, home.heed("metrics", "--format", "json").out) == before
    assert len(home.heed("contact", "+12025550101", "--format", "json").json()) == 3
    # New deliveries go on: an address met again is known by its key.
    home.deliver({"m2.csv": MESSAGE + "m9,sms,+12025550101,2026-10-08T10:00:00Z,marketing,sent\n"})
    assert home.run()["findings"]["message_after_opt_out"] == {"sent_after_processing": 2}


def test_a_full_disk_is_one_line_and_leaves_the_snapshot(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    before = published(home)
    home.configure(policy='default_deadline = "48h"')
    # No file may grow beyond 20 kB: what a full disk looks like to a program.
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "-C", str(home.path), "run"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert "File too large" in done.stderr
    assert published(home) == before
    without_validation(monkeypatch)
    assert home.run()["published"] is True


#: How a file is read: straight into the staged rows, or parsed and kept first because its rows say several things.
READ_ONCE = source("shop", "messages", "inbox/m.csv")
READ_AND_KEPT = """
[[source]]
name = "shop"
connector = "generic"
path = "inbox/m.csv"
[source.columns]
message_id = "message_id"
channel = "channel"
contact = "contact"
sent_at = "sent_at"
[[source.events]]
event_type = "opt_out"
requested_at = "status"
"""


@pytest.mark.parametrize("sources", [READ_ONCE, READ_AND_KEPT], ids=["once", "kept"])
def test_memory_that_ran_out_is_not_blamed_on_the_file(sources: str, tmp_path: Path) -> None:
    home = Home(tmp_path).configure(sources, policy='memory_limit = "20MB"')
    said = home.deliver({"m.csv": MESSAGE + "m1,sms,+12025550101,2026-10-05T12:00:00Z,,\n"}).heed("run")
    assert (said.code, said.out) == (1, "")
    assert "Out of Memory" in said.err
    assert "Deliver it again" not in said.err


def lock_is_a_folder(home: Home) -> None:
    (home.path / ".lock").unlink()
    (home.path / ".lock").mkdir()


def history_is_a_file(home: Home) -> None:
    shutil.rmtree(home.path / "history")
    (home.path / "history").touch()


def private_is_a_file(home: Home) -> None:
    shutil.rmtree(home.path / "private")
    (home.path / "private").touch()


@pytest.mark.parametrize(
    ("spoil", "code", "named"),
    [(lock_is_a_folder, 78, ".lock"), (history_is_a_file, 1, "history"), (private_is_a_file, 1, "private")],
)
def test_a_home_that_cannot_be_written_is_one_line(
    spoil: Callable[[Home], None], code: int, named: str, home: Home
) -> None:
    # A folder of another's cannot be tried here, where tests may run as root: a thing in the way can.
    before = published(home)
    spoil(home)
    home.configure(policy='default_deadline = "48h"')
    said = home.heed("run")
    assert (said.code, said.out) == (code, "")
    assert str(home.path / named) in said.err
    assert said.err.count("\n") == 1
    assert published(home) == before


def test_a_folder_without_permission_is_named(home: Home) -> None:
    """Tried as another user where the tests run as root, who may write everywhere."""
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from pipelines.lock import home_lock\n"
        "from pipelines.errors import ConfigurationError\n"
        "path = Path(sys.argv[1])\n"
        "os.chmod(path, 0o555)\n"
        "os.chmod(path / '.lock', 0o444)\n"
        "os.chdir(path)\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try:\n"
        "    with home_lock(Path('.')): print('locked')\n"
        "except ConfigurationError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(home.path)], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert "cannot be written: Permission denied" in done.stdout, done.stderr


def test_what_a_killed_run_left_behind_is_swept_away(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)
    leftovers = [home.path / "published" / name for name in ("x.duckdb.building", "x.duckdb.building.wal")]
    work = home.path / "private" / "work"
    work.mkdir()
    for path in (*leftovers, work / "load_1.duckdb"):
        path.write_bytes(b"torn")
    home.configure(policy='default_deadline = "48h"')
    assert home.run()["published"] is True
    assert not [path for path in (*leftovers, work) if path.exists()]


def test_a_mistake_in_the_rule_book_is_said_before_anything_is_loaded(home: Home) -> None:
    before = published(home)
    loads = (home.path / "history" / "ledger.jsonl").read_bytes()
    home.deliver({"m9.csv": MESSAGE + "m9,sms,+12025550101,2026-10-08T10:00:00Z,marketing,sent\n"})
    (home.path / "rules.csv").write_text("rule_id,value\nus-tcpa-optout-10bd,soon\n", encoding="utf-8")
    said = home.heed("run")
    assert (said.code, said.out) == (78, "")
    assert "line 2, rule 'us-tcpa-optout-10bd': value 'soon' is no whole number" in said.err
    assert published(home) == before
    assert (home.path / "history" / "ledger.jsonl").read_bytes() == loads
