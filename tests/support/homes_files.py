"""Plans of homes (`homes`) as folders: heed.toml and an inbox of CSV and JSON Lines files, plain and gzip.

CSV files come with and without a byte-order mark, with columns in any order, columns nobody asked for and line
breaks inside quotes.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from tests.support.homes import Broken, HomePlan, Record, SourcePlan
from tests.support.reference_reading import REQUIRED

_FORMATS = ("csv", "jsonl", "csv.gz", "jsonl.gz")


def write_home(home: Path, plan: HomePlan, random: Random, *, files_per_source: int = 3) -> None:
    """The whole home at once: three files per source (at least one CSV, one JSON Lines and one gzip), or so many.

    Where a source has enough records, some of each file's come again in its next one.
    """
    write_configuration(home, plan)
    for source in plan.sources:
        count = min(files_per_source, max(1, len(source.records) // 5))
        parts = [source.records[start::count] for start in range(count)]
        for number, part in enumerate(parts):
            earlier = [record for record in parts[number - 1] if not isinstance(record, Broken)] if number else []
            part += random.sample(earlier, min(len(earlier), 4))
            suffix = "csv" if number == 0 else "jsonl" if number == 1 else random.choice(["csv.gz", "jsonl.gz"])
            write_file(home, source, part, f"{number}.{suffix}", random)


def write_in_batches(home: Path, plan: HomePlan, batches: Sequence[Sequence[int]], random: Random) -> Iterator[int]:
    """The same records dealt into files that arrive one batch after another; yields after each batch.

    `batches[i][j]` is how many files batch i deals source j's share into (counts beyond the last source are not
    used); records are dealt in any order. Some files of JSON lines do not come anew but grow.
    """
    write_configuration(home, plan)
    growing: dict[str, Path] = {}
    shares = {source.stem: random.sample(source.records, len(source.records)) for source in plan.sources}
    for position, file_counts in enumerate(batches):
        for source, count in zip(plan.sources, file_counts, strict=False):
            share = shares[source.stem][position :: len(batches)]
            for number in range(count):
                part = share[number::count]
                if not part:
                    continue
                if source.stem in growing and random.random() < 0.4:
                    with growing[source.stem].open("ab") as file:
                        file.write(json_lines_bytes(part, random))
                    continue
                suffix = random.choice(_FORMATS)
                path = write_file(home, source, part, f"{random.randrange(100)}-{position}-{number}.{suffix}", random)
                if suffix == "jsonl":
                    growing[source.stem] = path
        yield position


def write_configuration(home: Path, plan: HomePlan) -> None:
    """heed.toml and an empty inbox."""
    lines = ["[policy]", *(f"{key} = {json.dumps(value)}" for key, value in plan.policy.items())]
    for source in plan.sources:
        lines += ["", "[[source]]", f'name = "{source.name}"', 'connector = "canonical"', f'table = "{source.table}"']
        lines += [f'path = "inbox/{source.stem}-*"']
        lines += [f'timezone = "{source.timezone}"'] if source.timezone else []
    (home / "inbox").mkdir(parents=True, exist_ok=True)
    (home / "heed.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_file(home: Path, source: SourcePlan, records: Sequence[Record | Broken], ending: str, random: Random) -> Path:
    """One file of the inbox in the format its ending names."""
    path = home / "inbox" / f"{source.stem}-{ending}"
    content = csv_bytes(source, records, random) if ".csv" in ending else json_lines_bytes(records, random)
    path.write_bytes(gzip.compress(content, mtime=0) if ending.endswith(".gz") else content)
    return path


def csv_bytes(source: SourcePlan, records: Sequence[Record | Broken], random: Random) -> bytes:
    """A CSV file with a header: columns in random order, one or two more than needed, with a BOM half of the time.

    Optional columns without a value may be missing.
    """
    needed = set(REQUIRED[source.table])
    for record in records:
        if not isinstance(record, Broken):
            needed |= {column for column, value in record.items() if value is not None or random.random() < 0.1}
    columns = sorted(needed)
    columns += random.choice([["extra"], ["Notes, internal", "extra"]])
    random.shuffle(columns)
    line_end = random.choice(["\n", "\r\n"])
    out = io.BytesIO(b"\xef\xbb\xbf" if random.random() < 0.5 else b"")
    out.seek(0, io.SEEK_END)

    def write(values: Sequence[object]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator=line_end).writerow(["" if value is None else value for value in values])
        out.write(text.getvalue().encode())

    write(columns)
    for record in records:
        if not isinstance(record, Broken):
            write(
                [
                    record.get(column, random.choice(["", "x", "a, b"]) if column == "extra" else None)
                    for column in columns
                ]
            )
        elif record.reason == "not_utf8":
            cells = [b"caf\xe9", *[b""] * (len(columns) - 1)]
            random.shuffle(cells)
            out.write(b",".join(cells) + line_end.encode())
        elif random.random() < 0.3:
            out.write(b'"closed" and more' + b"," * (len(columns) - 1) + line_end.encode())
        else:
            # Too many values, or too few.
            write(["surplus"] * random.choice([len(columns) + 1, len(columns) - 1]))
    return out.getvalue()


def json_lines_bytes(records: Sequence[Record | Broken], random: Random) -> bytes:
    """A JSON Lines file: keys in random order, empty values as null, as "" or left out."""
    lines = []
    for record in records:
        if not isinstance(record, Broken):
            pairs = [(key, value) for key, value in record.items() if value is not None or random.random() < 0.5]
            pairs.append(("extra", {"nested": [1, 2]}))
            random.shuffle(pairs)
            lines.append(json.dumps(dict(pairs), ensure_ascii=random.random() < 0.5).encode())
        elif record.reason == "not_utf8":
            lines.append(b'{"message_id": "caf\xe9"}')
        else:
            broken = random.choice([b'{"message_id": "1", ', b"[1, 2]", b"not json", b'"text"'])
            # A file that begins with a bracket may be taken for one array.
            lines.append(broken if lines else b"not json")
    return b"\n".join(lines) + random.choice([b"\n", b"\n\n"])
