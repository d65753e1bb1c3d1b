"""What goes wrong outside of heed: the disk, the clock, the memory, files that change, what others damaged.

Each is one clear line and an exit code, and what was published before stands.
"""

from __future__ import annotations

import ctypes
import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars
import pytest

from pipelines import load, run
from pipelines.engines.duckdb import DuckDBEngine
from tests.faults.harness import deliver_first, deliver_second
from tests.support.home import MESSAGE, TWO_SOURCES, Home, Said, source, without_validation

#: Repeats of what other tests prove already, at four seconds each.
MORE = pytest.mark.thorough
ROW = "m{},sms,+12025550101,2026-10-05T12:00:00Z,marketing,sent\n"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home after its first run."""
    home = Home(tmp_path_factory.mktemp("whole") / "home")
    deliver_first(home)
    with pytest.MonkeyPatch.context() as patch:
        without_validation(patch)
        home.run()
    return home


@pytest.fixture
def home(whole: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A copy of it, with a second delivery waiting."""
    without_validation(monkeypatch)
    shutil.copytree(whole.path, tmp_path / "home")
    home = Home(tmp_path / "home")
    deliver_second(home)
    return home


def published(home: Home) -> dict[str, bytes]:
    """The pointer and the snapshots."""
    return {path.name: path.read_bytes() for path in (home.path / "published").glob("[!.]*")}


def snapshot(home: Home) -> Path:
    """The snapshot that is published."""
    pointer = json.loads((home.path / "published" / "CURRENT.json").read_text())
    return home.path / "published" / str(pointer["snapshot"])


def one_line(said: Said, code: int, *words: str) -> None:
    """The command failed as it should: its code, no data, no traceback, and these words."""
    assert (said.code, said.out) == (code, ""), said.err
    assert "Traceback" not in said.err
    assert [word for word in words if word not in said.err] == []


# ---- the disk


@pytest.mark.parametrize("size", [pytest.param(2_000, marks=MORE), 200_000, pytest.param(3_000_000, marks=MORE)])
def test_a_disk_that_fills_up_leaves_the_old_snapshot(size: int, home: Home) -> None:
    before = published(home)
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "-C", str(home.path), "run"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert "File too large" in done.stderr
    assert {name: data for name, data in published(home).items() if name in before} == before
    assert home.heed("verify").code == 0
    assert home.run()["published"] is True


@pytest.mark.thorough
@pytest.mark.parametrize("size", ["2M", "8M", "40M"])
def test_a_disk_that_is_full_leaves_the_old_snapshot(size: str, home: Home, tmp_path: Path) -> None:
    """A real file system of so many bytes more than the home takes; needs the right to mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    used = sum(path.stat().st_size for path in home.path.rglob("*") if path.is_file())
    room = used + int(size[:-1]) * 1_000_000
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", str(disk)], check=True)
    try:
        shutil.copytree(home.path, disk / "home")
        there = Home(disk / "home")
        before = published(there)
        said = there.heed("run")
        assert said.code in (0, 1), said.err
        if said.code:
            one_line(said, 1, "No space left")
            assert {name: data for name, data in published(there).items() if name in before} == before
        assert there.heed("findings").code == 0
        assert there.heed("verify").code == 0
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def without_privileges() -> None:
    """Make what is executed next obey the modes of files, which root otherwise passes over."""
    if os.geteuid() == 0:
        drop = 24  # PR_CAPBSET_DROP
        for privilege in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            ctypes.CDLL(None).prctl(drop, privilege, 0, 0, 0)


@pytest.mark.parametrize(
    "folder", [".", *(pytest.param(one, marks=MORE) for one in ("history", "private")), "published"]
)
def test_a_folder_that_may_not_be_written_is_named(folder: str, home: Home) -> None:
    before = published(home)
    if folder == ".":
        (home.path / ".lock").unlink(missing_ok=True)
    (home.path / folder).chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "-C", str(home.path), "run"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=without_privileges,
    )
    (home.path / folder).chmod(0o755)
    assert (done.returncode in (1, 78), done.stdout) == (True, ""), done.stderr
    assert "Permission denied" in done.stderr
    assert "Traceback" not in done.stderr
    assert published(home) == before


# ---- the inbox


@pytest.mark.parametrize("happens", [pytest.param("changes", marks=MORE), "vanishes"])
def test_a_file_that_changes_or_vanishes_while_it_is_read(
    happens: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = published(home)
    path = home.path / "inbox" / "m2.csv"
    connector = load.connector

    def meanwhile(one: object) -> object:
        if happens == "changes":
            path.write_text(path.read_text() + ROW.format(9))
        else:
            path.unlink(missing_ok=True)
        return connector(one)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(load, "connector", meanwhile)
        said = home.heed("run")
    one_line(said, 11, "changed while it was read" if happens == "changes" else "vanished while it was read")
    assert published(home) == before
    assert home.heed("verify").code == 0
    assert home.run()["published"] is True


def test_a_symbolic_link_is_refused_unless_allowed(home: Home, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "m3.csv").write_text(MESSAGE + ROW.format(9))
    inbox = home.path / "inbox"
    for link in (inbox / "m3.csv", inbox / "more"):
        link.symlink_to(tmp_path / "elsewhere" / ("m3.csv" if link.suffix else ""))
        home.configure(TWO_SOURCES + source("more", "messages", "inbox/more/*.csv"))
        one_line(home.heed("run"), 11, "behind a symbolic link", "symlinks = true in [limits]")
        if link.suffix:
            link.unlink()
    home.configure(TWO_SOURCES + source("more", "messages", "inbox/more/*.csv") + "[limits]\nsymlinks = true\n")
    assert [one["accepted"] for one in home.run()["inputs"] if one["source"] == "more"] == [1]


@pytest.mark.parametrize("path", ["/etc/passwd", "../m.csv", "inbox/../../m.csv"])
def test_a_path_outside_the_home_is_refused(path: str, home: Home) -> None:
    one_line(home.configure(source("s", "messages", path)).heed("run"), 78, "outside the home")


def test_a_pipe_is_no_delivery(home: Home) -> None:
    os.mkfifo(home.path / "inbox" / "m3.csv")
    one_line(home.heed("run"), 11, "inbox/m3.csv is no plain file")


# ---- limits


def packed_parquet() -> bytes:
    """A million rows in two kilobytes."""
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"packed-{os.getpid()}.parquet"  # noqa: S108
    polars.DataFrame({"message_id": ["m"] * 1_000_000}).write_parquet(path)
    data = path.read_bytes()
    path.unlink()
    return data


FILE_LIMITS: list[tuple[str, str, Callable[[], str | bytes]]] = [
    ('file_size = "1KB"', "m3.csv", lambda: MESSAGE + ROW * 100),
    ('file_size = "1KB"', "m3.csv.gz", lambda: MESSAGE + ROW * 100),
    ("unpacked_ratio = 100", "m3.csv.gz", lambda: gzip.compress(b"x" * (80 << 20))),
    ("row_count = 99", "m3.csv", lambda: MESSAGE + ROW * 100),
    ("row_count = 99", "m3.parquet", packed_parquet),
    ("file_count = 1", "m3.csv", lambda: MESSAGE),
    ('line_size = "1MiB"', "m3.csv", lambda: MESSAGE + "x" * 70_000_000),
]


@pytest.mark.parametrize(("limit", "name", "content"), FILE_LIMITS, ids=[f"{row[0]}-{row[1]}" for row in FILE_LIMITS])
def test_a_file_beyond_a_limit_stops_the_run_and_names_it(
    limit: str, name: str, content: Callable[[], str | bytes], home: Home
) -> None:
    before = published(home)
    home.configure(TWO_SOURCES + f"[limits]\n{limit}\n").deliver({name: content()})
    one_line(home.heed("run"), 11, f"larger {limit.split()[0]} in [limits] of heed.toml")
    assert published(home) == before


def test_rows_beyond_a_limit_are_quarantined_and_the_limit_is_named(home: Home) -> None:
    row = {"message_id": "m8", "channel": "sms", "contact": "+12025550101", "sent_at": "2026-10-05T12:00:00Z"}
    deep = row | {"message_id": "m9", "more": [[[[1]]]]}
    long = row | {"message_id": "m" * 300}
    longer = row | {"message_id": "m7", "more": "x" * 3_000}
    limits = '[limits]\nline_size = "2KB"\nfield_size = "0.2KB"\nnesting = 4\n'
    home.configure(TWO_SOURCES + limits)
    home.deliver({"m3.jsonl": "".join(json.dumps(one) + "\n" for one in (row, deep, long, longer))})
    said = home.heed("run")
    assert said.code == 0, said.err
    for option, reason in (
        ("line_size", "row_too_long"),
        ("field_size", "value_too_long"),
        ("nesting", "nested_too_deep"),
    ):
        assert f"inbox/m3.jsonl: 1 rows are beyond {option} in [limits] of heed.toml ({reason})." in said.err
    # A wider limit reads the files anew.
    home.configure(TWO_SOURCES)
    assert {one["file"]: one["quarantined"] for one in home.run()["inputs"]}["inbox/m3.jsonl"] == 0


@MORE
def test_a_file_may_be_as_large_as_its_limits_say(home: Home) -> None:
    home.configure(TWO_SOURCES + '[limits]\nfile_size = "1MB"\nrow_count = 4\nfile_count = 4\nunpacked_ratio = 1\n')
    assert home.run()["published"] is True


# ---- the machine


@MORE
def test_a_run_that_has_no_memory_says_so(home: Home) -> None:
    before = published(home)
    home.configure(policy='memory_limit = "20MB"')
    one_line(home.heed("run"), 1, "Out of Memory")
    assert published(home) == before


def set_clock(patch: pytest.MonkeyPatch, by: timedelta) -> None:
    """The clock of this machine jumps."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + by

    patch.setattr(run, "datetime", Clock)


@pytest.mark.parametrize("days", [-400, pytest.param(400, marks=MORE)])
def test_a_clock_that_jumps_changes_no_number(days: int, home: Home) -> None:
    undisturbed = Home(home.path.with_name("undisturbed"))
    shutil.copytree(home.path, undisturbed.path)
    expected = undisturbed.run()
    with pytest.MonkeyPatch.context() as patch:
        without_validation(patch)
        set_clock(patch, timedelta(days=days))
        said = home.heed("run", "--json")
    assert said.code == 0, said.err
    assert ("set it right" in said.err) == (days < 0)
    for name in ("as_of", "findings", "metrics", "verdict"):
        assert said.json()[name] == expected[name], name
    # The next run goes on as if nothing had been.
    home.deliver({"m4.csv": MESSAGE + ROW.format(7)})
    assert home.run()["published"] is True
    assert home.heed("verify").code == 0


def test_two_runs_at_once_are_one_after_the_other(home: Home) -> None:
    command = [sys.executable, "-m", "pipelines.cli", "-C", str(home.path), "run"]
    runs = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [one.communicate()[1] for one in runs]
    assert sorted(one.returncode for one in runs) == [0, 75, 75], said
    assert home.heed("verify").code == 0


# ---- what others damaged


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def zeros(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 4] + bytes(len(data) // 2) + data[len(data) * 3 // 4 :])


def nothing(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [zeros, *(pytest.param(one, marks=MORE) for one in (half, nothing))])
def test_a_damaged_snapshot_is_named_and_made_anew(damage: Callable[[Path], None], home: Home) -> None:
    shutil.rmtree(home.path / "inbox")
    deliver_first(home)
    damage(snapshot(home))
    for command in (["status"], ["findings"], ["run"]):
        one_line(home.heed(*command), 11, snapshot(home).name, "is not what was written", "repair")
    assert home.heed("repair").code == 0
    assert home.run()["published"] is True
    assert home.heed("verify").code == 0


def test_a_damaged_part_is_named_before_anything_is_read_from_it_and_goes_with_its_repair(home: Home) -> None:
    part = sorted((home.path / "history" / "messages").rglob("*.parquet"))[0]
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    before = published(home)
    one_line(home.heed("run"), 11, str(part), "is not what was written", "heed repair")
    assert published(home) == before
    assert home.heed("repair").code == 0
    assert part.exists()  # until what takes its place is in the ledger
    assert home.run()["published"] is True
    assert not part.exists()
    assert home.heed("verify").code == 0


def test_a_torn_line_was_never_committed(home: Home) -> None:
    for name in ("history/ledger.jsonl", "published/runs.jsonl"):
        path = home.path / name
        path.write_bytes(path.read_bytes() + b'{"load": {"load_id": "0000')
    assert home.run()["published"] is True
    assert home.heed("verify").code == 0


@MORE
def test_a_foreign_line_among_the_runs_stops_no_run_and_is_told(home: Home) -> None:
    path = home.path / "published" / "runs.jsonl"
    path.write_bytes(path.read_bytes() + b'{"x": 1}\n')
    assert home.run()["published"] is True
    assert home.heed("verify").code == 11


@MORE
def test_a_reader_sees_a_whole_snapshot_while_runs_go_on(home: Home) -> None:
    """Runs publish one snapshot after the other, and a reader opens whatever the pointer names."""
    wrong, seen, done = list[str](), set[str](), threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                name = json.loads((home.path / "published" / "CURRENT.json").read_text())["snapshot"]
                with DuckDBEngine(home.path / "published" / name, read_only=True) as engine:
                    count = engine.value("select count(*) from run.parameters")
                if count != 1:
                    wrong.append(name)
                seen.add(name)
            except Exception as error:  # whatever a reader stumbles over is what is looked for
                wrong.append(repr(error))
            time.sleep(0.01)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for hours in (1, 2, 3):
            home.configure(policy=f'default_deadline = "{hours}h"')
            home.run()
    finally:
        done.set()
        reader.join()
    assert wrong == []
    assert len(seen) > 1
