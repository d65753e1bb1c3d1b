"""`make faults`: kills runs at hundreds of moments, and says how many were survived.

    python -m tests.faults.kills --kills 300 --seed 1

Half of the moments are system calls that change a file of the home (by strace), a third are SQL statements, Python's
own changes and steps, the rest are random times. Five runs of one home are killed, then one is left alone. The same
seed picks the same moments.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from random import Random

from tests.faults.harness import BrokenPromiseError, Server, Tally, Trial

#: How many runs of one home are killed before one is left alone.
IN_A_ROW = 5


def moments(trial: Trial, count: int, draw: Random) -> list[tuple[str, float]]:
    """`count` moments: system calls, steps of heed's own, and times."""
    calls = trial.calls()
    by_call = defaultdict(list)
    for call, number in calls:
        by_call[call].append(number)
    chosen: list[tuple[str, float]] = []
    rare = [(call, number) for call, numbers in by_call.items() if len(numbers) <= 20 for number in numbers]
    chosen += draw.sample(rare, min(len(rare), count // 3))
    rest = [one for one in calls if one not in rare]
    chosen += draw.sample(rest, min(len(rest), count // 2 - len(chosen)))
    changes = trial.counts["change"]
    chosen += [("change", number) for number in draw.sample(range(1, changes + 1), min(changes, count // 6))]
    statements = trial.counts["statement"]
    chosen += [("statement", number) for number in draw.sample(range(1, statements + 1), min(statements, count // 6))]
    sentences = trial.counts["sentence"]
    chosen += [("sentence", number) for number in range(1, sentences + 1)]
    seconds = trial.undisturbed_seconds()
    chosen += [("time", round(draw.uniform(0.3, seconds), 3)) for _ in range(count - len(chosen))]
    return chosen[:count]


def in_words(tally: Tally) -> str:
    """What became of the kills, in a line."""
    kinds = ", ".join(f"{kind} {tally.killed[kind]} of {count}" for kind, count in sorted(tally.tried.items()))
    return (
        f"{tally.tried.total()} tried, {tally.killed.total()} killed and survived ({kinds});"
        f" a reader saw the old snapshot {tally.old_stood} times, the new one {tally.new_stood} times;"
        f" rows lost: {tally.rows_lost}"
    )


def main() -> int:
    """Try the moments one after the other; returns 1 as soon as a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not shutil.which("strace"):
        print("strace is needed to kill by system call: apt-get install strace", file=sys.stderr)
        return 1
    begun = time.perf_counter()
    folder = Path(tempfile.mkdtemp(prefix="heed-faults-"))
    with Server() as server:
        trial = Trial(folder, server)
        draw = Random(options.seed)
        chosen = moments(trial, options.kills, draw)
        draw.shuffle(chosen)
        rows = [chosen[start : start + IN_A_ROW] for start in range(0, len(chosen), IN_A_ROW)]
        for number, row in enumerate(rows, start=1):
            try:
                trial.survive(*row)
            except BrokenPromiseError as error:
                print(f"BROKEN after {trial.tally.tried.total()} kills: {error}")
                return 1
            if number % 4 == 0:
                print(f"{time.perf_counter() - begun:.0f} s: {in_words(trial.tally)}", file=sys.stderr, flush=True)
    shutil.rmtree(folder)
    print(f"seed {options.seed}: {in_words(trial.tally)}")
    print(f"{time.perf_counter() - begun:.0f} seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
