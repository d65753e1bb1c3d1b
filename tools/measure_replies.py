"""Measures how replies are read, on the labelled and the held-out set: `python -m tools.measure_replies`.

Prints, for each set and each regime: how many of its texts the regime takes for requests, its precision (of those, the
share that is a clear request by the label) and its recall (of the clear requests, the share that it takes for one).
For the reasonable person also how many labels of each kind are read how, and with --differences which texts differ.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pipelines.replies import Reply, read_replies

SETS = {
    name: Path(__file__).resolve().parents[1] / "tests" / "spec" / f"{name}_replies.csv"
    for name in ("labelled", "held_out")
}
READINGS = ("certain", "possible", "not")
REGIMES = ("exact_keyword", "legal_list", "reasonable_person", "reasonable_person_possible")


@dataclass(frozen=True)
class Measurement:
    """How one set is read: each text's label beside its reading."""

    pairs: tuple[tuple[str, Reply], ...]

    def count(self, label: str, reading: str) -> int:
        """Texts with this label that are read so."""
        return sum(1 for given, reply in self.pairs if (given, reply.reading) == (label, reading))

    def taken(self, regime: str) -> Counter[str]:
        """The labels of the texts that a regime takes for requests, counted."""
        return Counter(label for label, reply in self.pairs if is_request(reply, regime))

    def precision(self, regime: str) -> float:
        """Of the texts taken for requests, the share labelled certain (with possible, for the widest regime)."""
        taken = self.taken(regime)
        right = taken["certain"] + (taken["possible"] if regime == "reasonable_person_possible" else 0)
        return right / sum(taken.values())

    def recall(self, regime: str) -> float:
        """Of the texts labelled certain, the share that the regime takes for requests."""
        return self.taken(regime)["certain"] / sum(1 for label, _ in self.pairs if label == "certain")


def is_request(reply: Reply, regime: str) -> bool:
    """Whether a regime takes a reply for a request."""
    return {
        "exact_keyword": reply.exact_keyword,
        "legal_list": reply.legal_list,
        "reasonable_person": reply.reading == "certain",
        "reasonable_person_possible": reply.reading != "not",
    }[regime]


def measure(path: Path) -> Measurement:
    """Read every text of a set (columns text, label, language, note)."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    replies = read_replies([row["text"] for row in rows])
    return Measurement(tuple((row["label"], reply) for row, reply in zip(rows, replies, strict=True)))


def table(found: Measurement) -> list[str]:
    """The lines of a set's tables."""
    lines = [f"{'label':<28}" + "".join(f"{f'read {reading}':>16}" for reading in READINGS)]
    for label in READINGS:
        lines.append(f"{label:<28}" + "".join(f"{found.count(label, reading):>16}" for reading in READINGS))
    lines += ["", f"{'regime':<28}{'requests':>16}{'precision':>16}{'recall':>16}"]
    for regime in REGIMES:
        requests = sum(found.taken(regime).values())
        lines.append(f"{regime:<28}{requests:>16}{found.precision(regime):>16.4f}{found.recall(regime):>16.4f}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures how replies are read.")
    parser.add_argument("--differences", action="store_true", help="list the texts read otherwise than labelled")
    options = parser.parse_args()
    for name, path in SETS.items():
        found = measure(path)
        print(f"{name}: {len(found.pairs)} texts\n" + "\n".join(table(found)) + "\n")
        if options.differences:
            for label, reply in found.pairs:
                if label != reply.reading:
                    print(f"{label} read as {reply.reading} by {reply.rule or 'no rule'}: {reply.text!r}")
            print()


if __name__ == "__main__":
    main()
