"""Kills a run at a chosen moment, then holds the home to what is promised of it.

A `Trial` is a home with one published load and a second delivery waiting; `survive` copies it, lets a run of the copy
be killed, and checks what a reader, the next run and `heed verify` find.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import polars

from pipelines import chain, verify
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.ledger import Ledger, sha256_of
from tests.support.home import EVENT, MESSAGE, TWO_SOURCES, Home

#: What of a snapshot is about the run and not about the record.
OF_THE_RUN = {
    "run.parameters", "run.steps", "run.history", "run.fingerprints", "run.changes", "validation.results"
}  # fmt: skip
OF_THE_LOAD = ("is_new", "loaded_at")

#: System calls that change what is on disk, or make it last.
CALLS = (
    "write", "pwrite64", "writev", "ftruncate", "fallocate", "fsync", "fdatasync", "rename", "renameat", "renameat2",
    "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir",
)  # fmt: skip


class BrokenPromiseError(AssertionError):
    """Something that a kill must never do."""


@dataclass
class Tally:
    """What became of the kills."""

    tried: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    rows_lost: int = 0
    old_stood: int = 0
    new_stood: int = 0


def deliver_first(home: Home) -> None:
    """A home's first delivery: two contacts, an opt-out, a row to refuse and one that comes twice."""
    home.configure(TWO_SOURCES, policy='report_timezone = "America/New_York"')
    home.deliver(
        {
            "m1.csv": MESSAGE
            + "m1,sms,+12025550101,2026-09-05T10:00:00Z,marketing,delivered\n"
            + "m2,sms,+12025550101,2026-10-07T10:00:00Z,marketing,delivered\n"
            + "m1,sms,+12025550101,2026-09-05T10:00:00Z,marketing,delivered\n"
            + "m3,sms,+12025550103,not a time,marketing,delivered\n",
            "e1.csv": EVENT + "e1,sms,+12025550101,opt_out,2026-10-05T12:00:00Z,2026-10-05T13:00:00Z\n",
        }
    )


def deliver_second(home: Home) -> None:
    """A second delivery: a message after the opt-out, one that was there before, one that is refused, an opt-in."""
    home.deliver(
        {
            "m2.csv": MESSAGE
            + "m4,sms,+12025550101,2026-10-09T10:00:00Z,,\n"
            + "m5,email,anna@example.com,2026-11-01T10:00:00Z,,\n"
            + "m6,pigeon,anna@example.com,2026-11-01T10:00:00Z,,\n",
            "e2.csv": EVENT
            + "e1,sms,+12025550101,opt_out,2026-10-05T12:00:00Z,2026-10-05T13:00:00Z\n"
            + "e2,email,anna@example.com,opt_in,2026-10-06T12:00:00Z,\n",
        }
    )


def published_rows(snapshot: Path) -> dict[str, tuple[int, str]]:
    """Of every relation of a snapshot that is about the record: how many rows, and a digest of them in any order."""
    found = {}
    with DuckDBEngine(snapshot, read_only=True) as engine:
        names = engine.rows(
            "select schema_name, table_name from duckdb_tables()"
            " where not internal and database_name = current_database()"
        )
        for schema, name in sorted(names):
            relation = f"{schema}.{name}"
            if relation in OF_THE_RUN:
                continue
            columns = [one for one in engine.columns(f"select * from {relation}") if one not in OF_THE_LOAD]
            count, total = engine.rows(f"select count(*), sum(hash({', '.join(columns)})::hugeint) from {relation}")[0]
            found[relation] = (count, str(total))
    return found


class Server:
    """Processes of `heed` that have their imports behind them, one after the other."""

    def __enter__(self) -> Server:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.doomed"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.communicate()

    def heed(
        self, home: Home, *arguments: str, at: tuple[str, int] | None = None, strace: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Do one command: its exit code (-9 if it was killed), what it said and the moments there were.

        `strace` are options of strace, which then watches it.
        """
        said = home.path.with_name(f"{home.path.name}.said")
        command = {"arguments": ["-C", str(home.path), *arguments], "at": at, "said": str(said)}
        self._tell(json.dumps(command | {"traced": bool(strace)}))
        if not strace:
            answer: dict[str, Any] = json.loads(self._answer())
        else:
            watching = ["strace", "-f", *strace, "-p", self._answer().strip()]
            with subprocess.Popen(watching, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as tracer:
                assert tracer.stderr is not None
                attached = tracer.stderr.readline()
                if "attached" not in attached:
                    raise RuntimeError(f"strace cannot watch a process here: {attached}")
                self._tell("go on")
                tracer.communicate()
            answer = json.loads(self._answer())
        return answer | {"said": said.read_text() if said.exists() else ""}

    def _tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


class Trial:
    """A home to kill runs of, what its published rows are before and after the second delivery, and the tally."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder, self.server, self.tally = folder, server, Tally()
        self.first = Home(folder / "first")
        deliver_first(self.first)
        self._must(self.first)
        self.before = published_rows(self._snapshot(self.first))
        undisturbed = self.copy()
        answer = self._must(undisturbed)
        self.counts: dict[str, int] = answer["counts"]
        self.after = published_rows(self._snapshot(undisturbed))
        if self.before == self.after:
            raise BrokenPromiseError("the second delivery changes nothing: there is nothing to prove")
        self.forget(undisturbed)

    def copy(self) -> Home:
        """The home after its first run, with the second delivery in its inbox."""
        path = Path(tempfile.mkdtemp(dir=self.folder)) / "home"
        shutil.copytree(self.first.path, path)
        home = Home(path)
        deliver_second(home)
        return home

    @staticmethod
    def forget(home: Home) -> None:
        """Remove a copy."""
        shutil.rmtree(home.path.parent)

    def _must(self, home: Home) -> dict[str, Any]:
        answer = self.server.heed(home, "run")
        if answer["code"] != 0:
            raise BrokenPromiseError(f"a run ended with {answer['code']}: {answer['said']}")
        return answer

    @staticmethod
    def _snapshot(home: Home) -> Path:
        pointer = json.loads((home.path / "published" / "CURRENT.json").read_text())
        return home.path / "published" / str(pointer["snapshot"])

    def survive(self, *moments: tuple[str, float]) -> None:
        """Kill runs of a copy, one at each moment, and raise BrokenPromiseError unless everything promised holds.

        After each kill a reader looks; after the last one a run is left alone.
        """
        home = self.copy()
        try:
            for kind, at in moments:
                self.tally.tried[kind] += 1
                code = self._killed(home, kind, at)
                if code not in (0, -9):
                    raise BrokenPromiseError(f"the run ended with {code}")
                self.tally.killed[kind] += code == -9
                self._check_reader(home)
            self._must(home)
            self._check_end(home)
        except BrokenPromiseError as error:
            raise BrokenPromiseError(f"killed before {moments}: {error} (the home is {home.path})") from error
        self.forget(home)

    def _killed(self, home: Home, kind: str, at: float) -> int:
        if kind == "time":
            return self._killed_at_time(home, at)
        if kind not in CALLS:
            return int(self.server.heed(home, "run", at=(kind, int(at)))["code"])
        inject = f"inject={kind}:signal=KILL:when={int(at)}"
        strace = ("-o", "/dev/null", "-e", f"trace={kind}", "-e", inject)
        return int(self.server.heed(home, "run", strace=strace)["code"])

    @staticmethod
    def _killed_at_time(home: Home, seconds: float) -> int:
        process = subprocess.Popen(_command(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def calls(self) -> list[tuple[str, int]]:
        """Every change of a file below the home in an undisturbed run, as (system call, its number in its thread)."""
        home = self.copy()
        log = self.folder / "calls.log"
        self.server.heed(home, "run", strace=("-y", "-o", str(log), "-e", f"trace={','.join(CALLS)}"))
        seen: Counter[tuple[str, str]] = Counter()
        found = set()
        for line in log.read_text(errors="replace").splitlines():
            match = re.match(r"(\d+) +(\w+)\(", line)
            if not match:
                continue
            seen[match[1], match[2]] += 1
            if str(home.path) in line:
                found.add((match[2], seen[match[1], match[2]]))
        self.forget(home)
        return sorted(found)

    def undisturbed_seconds(self) -> float:
        """How long a run takes as a process of its own."""
        home = self.copy()
        begun = time.perf_counter()
        subprocess.run(_command(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        self.forget(home)
        return time.perf_counter() - begun

    def _check_reader(self, home: Home) -> None:
        """Whoever reads now sees a whole snapshot, the old one or the new one, that the ledger vouches for."""
        snapshot = self._snapshot(home)
        vouched = {
            line.entry["snapshot"]: line.entry["snapshot_sha256"]
            for line in chain.lines(home.path / "published" / "runs.jsonl")
            if line.entry and not line.problem
        }
        if vouched.get(snapshot.name) != sha256_of(snapshot):
            raise BrokenPromiseError(f"nothing vouches for {snapshot.name}")
        rows = published_rows(snapshot)
        if rows not in (self.before, self.after):
            raise BrokenPromiseError(f"a reader sees neither the old rows nor the new: {_differing(rows, self.before)}")
        self.tally.old_stood += rows == self.before
        self.tally.new_stood += rows == self.after
        self._check_whole(home)

    def _check_end(self, home: Home) -> None:
        """After the next run: the rows of an undisturbed one, every row accounted for, nothing torn, nothing left."""
        rows = published_rows(self._snapshot(home))
        if rows != self.after:
            raise BrokenPromiseError(f"the next run gave other rows: {_differing(rows, self.after)}")
        for load in Ledger(home.path / "history").loads:
            if load.read_count != load.accepted_count + load.duplicate_count + load.quarantined_count:
                raise BrokenPromiseError(f"{load.file} does not add up: {load}")
            kept = sum(part.row_count for part in load.parts if part.table != "addresses")
            found = sum(
                polars.scan_parquet(home.path / "history" / part.path, glob=False, hive_partitioning=False)
                .select(polars.len())
                .collect()
                .item()
                for part in load.parts
                if part.table != "addresses"
            )
            self.tally.rows_lost += load.accepted_count - found
            if not load.accepted_count == kept == found:
                raise BrokenPromiseError(f"{load.file}: {load.accepted_count} accepted, {found} in history")
        self._check_whole(home)
        left = [path.name for path in home.path.rglob("*") if re.search(r"\.(partial|building)", path.name)]
        if left or (home.path / "private" / "work").exists():
            raise BrokenPromiseError(f"left behind: {left}")

    @staticmethod
    def _check_whole(home: Home) -> None:
        wrong = [f"{one.path} {one.problem}" for one in verify.checks(home.path) if one.problem]
        if wrong:
            raise BrokenPromiseError(f"heed verify: {wrong}")


def _command(home: Home) -> list[str]:
    return [sys.executable, "-m", "pipelines.cli", "-C", str(home.path), "run"]


def _differing(rows: dict[str, tuple[int, str]], others: dict[str, tuple[int, str]]) -> list[str]:
    return sorted(name for name in rows.keys() | others.keys() if rows.get(name) != others.get(name))
