"""`make soak`: runs, kills and readers together for a long time, then the record is held to every row delivered.

    python -m tests.faults.soak --minutes 60 --seed 1

Every round delivers a few files: new rows, repeats, late ones, rows to refuse. A run follows; one of three is killed
at a random time. Readers open the newest snapshot over and over, and must find one whole run in it. At the end a run is
left alone: every row is accounted for, `heed verify` is green, and another home that is given all files at once
publishes the same findings, numbers and spans.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event, Lock, Thread

import duckdb

from pipelines import verify
from pipelines.ledger import Ledger
from tests.support.home import EVENT, MESSAGE, TWO_SOURCES, Home
from tests.support.published import snapshot_rows

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
#: One of so many runs is killed.
KILLED = 3
READERS = 3
#: What a reader asks of a snapshot: its run, and two counts of its findings that were made apart.
ASKED = """
    select
        (select run_id from run.parameters),
        (select count(*) from audits.findings),
        (select coalesce(sum(finding_count), 0) from metrics.finding_groups)"""


@dataclass
class Tally:
    """What was done; `wrong` is what must never be."""

    runs: int = 0
    killed: int = 0
    published: int = 0
    reads: int = 0
    rows: int = 0
    wrong: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)


def deliver(home: Home, number: int, draw: Random) -> int:
    """Put the files of a round into the inbox; returns how many rows they hold."""
    day = BEGAN + timedelta(days=number)
    messages, events = [], []
    for row in range(draw.randint(1, 60)):
        contact = f"+1202555{draw.randint(0, 9999):04d}" if draw.random() < 0.97 else "nobody"
        sent = day - timedelta(days=draw.choice([0, 0, 0, 1, 40]), seconds=draw.randint(0, 86_000))
        name = f"m{draw.randint(0, number)}-{row}" if draw.random() < 0.2 else f"m{number}-{row}"
        status = draw.choice(["sent", "delivered", "failed", "suppressed", ""])
        messages.append(f"{name},sms,{contact},{sent:%Y-%m-%dT%H:%M:%SZ},marketing,{status}")
    for row in range(draw.randint(0, 12)):
        kind = draw.choice(["opt_out", "opt_out", "opt_in", "block", "unblock"])
        asked = day - timedelta(days=draw.choice([0, 0, 2, 60]), seconds=draw.randint(0, 86_000))
        contact = f"+1202555{draw.randint(0, 9999):04d}"
        events.append(f"e{number}-{row},sms,{contact},{kind},{asked:%Y-%m-%dT%H:%M:%SZ},")
    messages += draw.sample(messages, len(messages) // 5)
    home.deliver({f"m{number:05d}.csv": MESSAGE + "\n".join(messages) + "\n"})
    home.deliver({f"e{number:05d}.csv": EVENT + "\n".join([*events, ""])})
    return len(messages) + len(events)


def published_by(home: Home) -> Path:
    """The snapshot that is published now."""
    folder = home.path / "published"
    return folder / str(json.loads((folder / "CURRENT.json").read_text(encoding="utf-8"))["snapshot"])


def read_on(home: Home, stop: Event, tally: Tally) -> None:
    """Open what is published, again and again."""
    published = home.path / "published"
    while not stop.is_set():
        try:
            pointer = json.loads((published / "CURRENT.json").read_text(encoding="utf-8"))
            with duckdb.connect(str(published / pointer["snapshot"]), read_only=True) as snapshot:
                run_id, found, counted = snapshot.execute(ASKED).fetchall()[0]
        except FileNotFoundError:
            time.sleep(0.2)  # nothing is published yet
            continue
        except duckdb.Error as error:
            if not (published / pointer["snapshot"]).exists():
                continue  # a newer one took its place between two looks
            with tally.lock:
                tally.wrong.append(f"a reader could not read {pointer['snapshot']}: {error}")
            return
        with tally.lock:
            tally.reads += 1
            if run_id != pointer["run_id"] or found != counted:
                tally.wrong.append(f"{pointer}: holds run {run_id}, {found} findings, {counted} counted")
        time.sleep(0.05)


def run_once(home: Home, seconds: float | None) -> int:
    """The exit code of a run in a process of its own, killed after `seconds` if it lasts so long."""
    command = [sys.executable, "-m", "pipelines.cli", "-C", str(home.path), "run"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def check_end(home: Home, whole: Home, tally: Tally) -> None:
    """Hold the home to what was delivered; what is wrong goes to the tally."""
    loads = Ledger(home.path / "history").loads
    read = sum(load.read_count for load in loads)
    told = sum(load.accepted_count + load.duplicate_count + load.quarantined_count for load in loads)
    if not read == told == tally.rows:
        tally.wrong.append(f"{tally.rows:,} rows delivered, {read:,} read, {told:,} accounted for")
    tally.wrong += [f"heed verify: {one.path} {one.problem}" for one in verify.checks(home.path) if one.problem]
    whole.configure(TWO_SOURCES)
    whole.deliver({path.name: path.read_bytes() for path in (home.path / "inbox").iterdir()})
    if run_once(whole, None) != 0:
        tally.wrong.append("the home of one delivery did not publish")
        return
    ours, theirs = (snapshot_rows(published_by(one)) for one in (home, whole))
    tally.wrong += [f"{name} differs from one delivery of all files" for name in ours if ours[name] != theirs[name]]


def main() -> int:
    """Go on for so many minutes; returns 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ["HEED_KEY"] = "a key for tests and nothing else"
    folder = Path(tempfile.mkdtemp(prefix="heed-soak-"))
    home, draw, tally, stop = Home(folder / "home"), Random(options.seed), Tally(), Event()
    home.configure(TWO_SOURCES, policy="keep_snapshots = 1")
    readers = [Thread(target=read_on, args=(home, stop, tally)) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    begun, number, usual = time.monotonic(), 0, 10.0
    while time.monotonic() < begun + 60 * options.minutes and not tally.wrong:
        number += 1
        tally.rows += deliver(home, number, draw)
        is_doomed = draw.randrange(KILLED) == 0
        started = time.monotonic()
        code = run_once(home, draw.uniform(0.3, usual) if is_doomed else None)
        usual = usual if is_doomed else time.monotonic() - started
        tally.runs, tally.killed, tally.published = (
            tally.runs + 1,
            tally.killed + (code == -9),
            tally.published + (not code),
        )
        if code not in (0, -9):
            tally.wrong.append(f"run {tally.runs} ended with {code}")
        print(f"{time.monotonic() - begun:.0f} s: {tally.runs} runs, {tally.reads} reads", file=sys.stderr, flush=True)
    if run_once(home, None) != 0:
        tally.wrong.append("the last run did not publish")
    stop.set()
    for reader in readers:
        reader.join()
    check_end(home, Home(folder / "whole"), tally)
    print(
        f"{(time.monotonic() - begun) / 60:.0f} minutes: {tally.runs} runs, {tally.killed} killed, {tally.published}"
        f" published; {tally.reads:,} reads of whole snapshots; {tally.rows:,} rows delivered, all accounted for"
        if not tally.wrong
        else "\n".join(["WRONG", *tally.wrong, f"the homes are below {folder}"])
    )
    return int(bool(tally.wrong))


if __name__ == "__main__":
    sys.exit(main())
