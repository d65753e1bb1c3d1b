"""The delivered files: opened when first written to, counted, and the same bytes for the same rows."""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import polars as pl
from numpy.typing import NDArray

# Rows turned into text at once: bounds the memory of a day of any size.
ROWS_AT_ONCE = 100_000


@dataclass
class Counted:
    """One file and what a loader should count in it."""

    name: str
    handle: IO[bytes] | gzip.GzipFile
    raw: IO[bytes]
    rows: int = 0
    read: int = 0
    duplicate: int = 0
    quarantined: int = 0

    def write(self, content: bytes, rows: int, derived: int = 0, duplicate: int = 0, quarantined: int = 0) -> None:
        """Appends rows; `derived` of them also yield a consent event, which counts as one more record read."""
        self.handle.write(content)
        self.rows += rows
        self.read += rows + derived
        self.duplicate += duplicate
        self.quarantined += quarantined


class Delivery:
    """All files of one generated inbox."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.files: dict[str, Counted] = {}

    def file(self, name: str, header: bytes = b"") -> Counted:
        """The file of that name below the home, created with its header if new; names ending in .gz are compressed."""
        if name not in self.files:
            path = self.home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            raw: IO[bytes] = path.open("wb")
            # No name and no time in the gzip header: the bytes depend on the content alone.
            packed: IO[bytes] | gzip.GzipFile = (
                gzip.GzipFile("", "wb", compresslevel=4, fileobj=raw, mtime=0) if name.endswith(".gz") else raw
            )
            self.files[name] = Counted(name, packed, raw)
            self.files[name].handle.write(header)
        return self.files[name]

    def close(self, label: str = "") -> None:
        """Closes the files whose names contain `label`: nothing more will be written to them."""
        for name, counted in self.files.items():
            if label in name and not counted.raw.closed:
                counted.handle.close()
                counted.raw.close()

    def discard(self) -> None:
        """Closes and deletes everything delivered so far."""
        self.close()
        for name in self.files:
            (self.home / name).unlink()

    def counts(self) -> dict[str, dict[str, int]]:
        """By file name: its rows, and the records read from them, of which some are duplicate or quarantined."""
        return {
            name: {"rows": one.rows, "read": one.read, "duplicate": one.duplicate, "quarantined": one.quarantined}
            for name, one in self.files.items()
        }


def csv_bytes(frame: pl.DataFrame, null: str = "") -> bytes:
    """Rows as CSV without header; only fields that need quotes get them."""
    buffer = io.BytesIO()
    frame.write_csv(buffer, include_header=False, null_value=null)
    return buffer.getvalue()


def line_bytes(lines: pl.Series) -> bytes:
    """One line per text."""
    if not len(lines):
        return b""
    joined: str = lines.str.join("\n").item()
    return joined.encode() + b"\n"


def looked_up(table: list[str], positions: NDArray[Any] | list[int]) -> pl.Series:
    """The texts at these positions of a table."""
    return pl.Series(table, dtype=pl.String).gather(pl.Series(positions).cast(pl.UInt32))


def header(names: str) -> bytes:
    """A header line."""
    return names.encode() + b"\n"
