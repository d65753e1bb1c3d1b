"""Measures how reasons are read, on three labelled sets: `python -m tools.measure_reasons`.

Prints, for each set: the share read as labelled with its 95 % interval (Wilson), in all and by language; for each
reason precision (of the texts read as it, the share labelled so) and recall (of the texts labelled so, the share read
as it), each with its interval; and which labels are read as what. With --differences also the texts that differ.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pipelines.reasons import Reading, read_reasons
from pipelines.resources import reference_folder
from pipelines.statistics.intervals import wilson_interval

SETS = {
    name: Path(__file__).resolve().parents[1] / "tests" / "spec" / f"{name}_reasons.csv"
    for name in ("labelled", "held_out", "fresh")
}


@dataclass(frozen=True)
class Labelled:
    """One text of a set, and how it is read."""

    label: str
    language: str
    reading: Reading


@dataclass(frozen=True)
class Measurement:
    """How one set is read."""

    texts: tuple[Labelled, ...]

    def accuracy(self, language: str | None = None) -> tuple[int, int]:
        """Texts read as labelled, of how many; of one language, or of all."""
        chosen = [text for text in self.texts if language in (None, text.language)]
        return sum(text.label == text.reading.reason for text in chosen), len(chosen)

    def precision(self, reason: str) -> tuple[int, int]:
        """Texts labelled with the reason, of those read as it."""
        read = [text.label for text in self.texts if text.reading.reason == reason]
        return read.count(reason), len(read)

    def recall(self, reason: str) -> tuple[int, int]:
        """Texts read as the reason, of those labelled with it."""
        labelled = [text.reading.reason for text in self.texts if text.label == reason]
        return labelled.count(reason), len(labelled)

    def confusions(self) -> Counter[tuple[str, str]]:
        """Texts by label and reading."""
        return Counter((text.label, text.reading.reason) for text in self.texts)

    def languages(self) -> list[str]:
        """The languages of the set, in its order."""
        return list(dict.fromkeys(text.language for text in self.texts))


def reasons() -> list[str]:
    """The reasons, by priority."""
    with (reference_folder() / "reason_list.csv").open(encoding="utf-8", newline="") as file:
        return [row["reason"] for row in csv.DictReader(file)]


def measure(path: Path) -> Measurement:
    """Read every text of a set (columns text, label, language)."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    readings = read_reasons([row["text"] for row in rows])
    return Measurement(
        tuple(Labelled(row["label"], row["language"], read) for row, read in zip(rows, readings, strict=True))
    )


def share(counts: tuple[int, int]) -> str:
    """A share with its interval and counts, as the page shows it: 0.95 (0.92 to 0.97), 340 of 357."""
    part, whole = counts
    if not whole:
        return "none"
    lower, upper = wilson_interval(part, whole)
    return f"{part / whole:.3f} ({lower[0]:.3f} to {upper[0]:.3f}), {part} of {whole}"


def tables(name: str, found: Measurement) -> list[str]:
    """The lines of a set's tables, as docs/reasons.md shows them."""
    lines = ["| set | language | read as labelled |", "|---|---|---|"]
    lines += [f"| {name} | {one or 'all'} | {share(found.accuracy(one))} |" for one in (None, *found.languages())]
    lines += ["", "| set | reason | precision | recall |", "|---|---|---|---|"]
    for reason in reasons():
        lines.append(f"| {name} | {reason} | {share(found.precision(reason))} | {share(found.recall(reason))} |")
    counts = found.confusions()
    lines += ["", f"| {name}: label | read as | texts |", "|---|---|---|"]
    for (label, read), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if label != read:
            lines.append(f"| {label} | {read} | {count} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures how reasons are read.")
    parser.add_argument("--differences", action="store_true", help="list the texts read otherwise than labelled")
    options = parser.parse_args()
    for name, path in SETS.items():
        found = measure(path)
        print("\n".join(tables(name, found)) + "\n")
        if options.differences:
            for text in found.texts:
                if text.label != text.reading.reason:
                    by = text.reading.phrase or "no phrase"
                    print(f"{text.label} read as {text.reading.reason} by {by}: {text.reading.text!r}")
            print()


if __name__ == "__main__":
    main()
