"""heed and its peers on the same files: `python -m tests.benchmarks.main_job --messages 1000000 --out bench.json`.

Makes the deliveries, measures the floors, every peer and heed, each as a whole process, and checks that all of them
found the same messages. Prints a table of ratios and the targets, and writes a list of {name, seconds, ratio_to_floor,
peak_mb, rows}. F, the floor, is DuckDB reading the four key columns of the delivered messages once, as Parquet; ratios
in one run can be compared between machines, seconds cannot. docs/benchmarks.md says what each row is.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.peers.registry import PEERS, WHOLE_JOB, Peer
from tests.benchmarks.processes import Measured, run_module
from tests.benchmarks.report import show, show_targets, write
from tests.benchmarks.targets import COPY, COPY_ORDERED, CORE, FLOOR, LOAD, LOAD_AND_CORE, RUN, SCRIPT, Row, targets

_EVENTS_PER_MESSAGE = 0.15
_FORMS = {"Parquet": ("parquet", "parquet"), "CSV": ("inbox", "csv")}


class Bench:
    """One run of the benchmark in a folder: what was measured, and every answer that was given."""

    def __init__(self, folder: Path, messages: int, peers: set[str]) -> None:
        self.home = folder / "home"
        self.work = folder / "work"
        self.work.mkdir()
        self.messages = messages
        self.events = int(messages * _EVENTS_PER_MESSAGE)
        self.peers = peers
        self.rows: list[Row] = []
        self.answers: dict[str, Path] = {}

    def add(self, name: str, seconds: float, processor: float | None, rows: int, peak_mb: float | None = None) -> None:
        """Keep a measurement, and say it at once: ten million take a while."""
        self.rows.append(Row(name, seconds, rows, peak_mb, processor))
        print(f"{name}: {seconds:.3f} s", file=sys.stderr, flush=True)

    def module(self, name: str, *arguments: object) -> Measured:
        """Run a module of the benchmarks as a process."""
        return run_module(self.work, name, *arguments)

    def floors(self) -> float:
        """Measure the floors; returns F."""
        told = self.module("tests.benchmarks.floors", "read", self.home).told
        floor = min(told["seconds"])
        self.add(FLOOR, floor, min(told["processor"]), self.messages)
        both = self.messages + self.events
        for name, options in ((COPY, ()), (COPY_ORDERED, ("--ordered",))):
            measured = self.module("tests.benchmarks.floors", "copy", self.home, self.work / "copy", *options)
            self.add(name, measured.told["seconds"][0], measured.told["processor"][0], both, measured.peak_mb)
        return float(floor)

    def peer(self, peer: Peer) -> None:
        """Measure one peer of the audit core, from Parquet and from CSV."""
        for form, (folder, suffix) in _FORMS.items():
            name = f"{peer.name}, from {form}"
            reason = "left out by --peers" if peer.short not in self.peers else peer.missing
            if reason:
                self.rows.append(Row(name, None, self.messages, missing=reason))
                continue
            files = [self.home / folder / f"{table}.{suffix}" for table in ("messages", "consent_events")]
            out = self.work / f"{peer.short}-{suffix}.ids"
            measured = self.module(peer.module, *files, out)
            peak = max(measured.peak_mb, measured.told.get("peak_mb", 0))
            own = measured.told["seconds"]
            # A peer that answers twice is measured as a process that answers once, and as a query that is warm.
            self.add(name, measured.seconds - sum(own[1:]), measured.processor, self.messages, peak)
            warm = ", warm" if len(own) > 1 else ""
            # Spark works in another process than the one that asks.
            used = None if warm else measured.told["processor"][-1]
            self.add(f"{name} (query only{warm})", own[-1], used, self.messages)
            self.answers[name] = out

    def heed(self) -> None:
        """Measure heed: the load, the audit core from history, both together, and the whole run."""
        both = self.messages + self.events
        self.home_audit(LOAD_AND_CORE, "load,audit", both)
        measured = self.home_audit(CORE, "audit", self.messages)
        self.add(f"{CORE} (query only)", *measured.told["audit"], self.messages)
        run = self.whole_run(RUN, both)
        self.answers["heed run"] = self.home
        steps = {name: seconds for name, seconds in run.told["seconds"].items() if name != "load"}
        found = sum(sum(classes.values()) for classes in run.told["findings"].values())
        for step, seconds in steps.items():
            self.add(f"heed run, {step}", seconds, None, found if step == "audit" else both)
        self.whole_run("heed run with nothing new", 0)

    def home_audit(self, name: str, steps: str, rows: int) -> Measured:
        """Measure a process of heed's shortest ways over the home."""
        out = self.work / f"heed-{steps.replace(',', '-')}.ids"
        measured = self.module("tests.benchmarks.heed_core", steps, self.home, out)
        self.add(name, measured.seconds, measured.processor, rows, measured.peak_mb)
        if "load" in steps:
            self.add(LOAD, *measured.told["load"], rows)
        self.answers[name] = out
        return measured

    def whole_run(self, name: str, rows: int) -> Measured:
        """Measure `heed run` over the home as it stands."""
        measured = self.module("pipelines.cli", "-C", self.home, "run", "--json")
        self.add(name, measured.seconds, measured.processor, rows, measured.peak_mb)
        return measured

    def script(self) -> None:
        """Measure the whole job as a DuckDB script, against loading and running with heed."""
        files = [self.home / "inbox" / f"{table}.csv" for table in ("messages", "consent_events")]
        out = self.work / "script.ids"
        measured = self.module(WHOLE_JOB, *files, out)
        self.add(SCRIPT, measured.seconds, measured.processor, self.messages + self.events, measured.peak_mb)
        self.answers["DuckDB script"] = out

    def agreed(self) -> int:
        """How many messages all answers name; raises ValueError where one differs from another."""
        told = self.module("tests.benchmarks.answers", *self.answers.values()).told
        counts = dict(zip(self.answers, map(tuple, told), strict=True))
        if len(set(counts.values())) != 1:
            lines = "\n".join(f"{name}: {count:,} messages, sum {total}" for name, (count, total) in counts.items())
            raise ValueError(f"The answers differ:\n{lines}")
        return int(told[0][0])


def smaller(path: Path | None, kind: str) -> dict[str, float]:
    """Seconds of a kind, and rows, by name, of an earlier run with fewer messages."""
    if path is None:
        return {}
    rows = json.loads(path.read_text(encoding="utf-8"))
    found = {row["name"]: row[kind] for row in rows if row.get(kind) is not None}
    return found | {f"{row['name']} rows": row["rows"] for row in rows}


def main() -> None:
    short = [peer.short for peer in PEERS]
    parser = argparse.ArgumentParser(description="Times heed and its peers on the same files.")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--peers", default="all", help=f"all, or some of {','.join(short)} with commas between")
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
    parser.add_argument("--smaller", type=Path, help="what a run with fewer messages wrote: tells how time grows")
    options = parser.parse_args()
    chosen = set(short) if options.peers == "all" else set(filter(None, options.peers.split(",")))
    if unknown := chosen - set(short):
        parser.error(f"no peer is called {', '.join(sorted(unknown))}; there are {', '.join(short)}")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        bench = Bench(Path(folder), options.messages, chosen)
        bench.module("tests.benchmarks.deliveries", bench.home, "--messages", options.messages)
        floor = bench.floors()
        for peer in PEERS:
            bench.peer(peer)
        bench.script()
        bench.heed()
        found = bench.agreed()
    show(bench.rows, floor)
    print("\nBy the clock:")
    show_targets(targets(bench.rows, smaller(options.smaller, "seconds")))
    print("\nBy what was used of the processors, which a busy machine changes less:")
    used = [replace(row, seconds=row.processor) for row in bench.rows]
    show_targets(targets(used, smaller(options.smaller, "processor_seconds")))
    print(f"\n{len(bench.answers)} answers agree: {found:,} of {options.messages:,} messages were sent inside a span.")
    write(bench.rows, floor, options.out)


if __name__ == "__main__":
    main()
