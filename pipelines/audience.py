"""Reads a list of addressees and gives some of its rows back exactly as they were: CSV, JSON Lines and Parquet.

A list is held in memory while it is screened and is written nowhere but where its rows are wanted. CSV is read as
RFC 4180 has it and strictly: a quote that is never closed would hide rows inside a cell, so such a file is refused.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pipelines.errors import UnreadableInputError, UsageError
from pipelines.shapes import column_names

if TYPE_CHECKING:
    import numpy
    import polars
    import pyarrow

FORMATS = ("csv", "jsonl", "parquet")
#: What the endings of a file's name mean; a final .gz is compression.
ENDINGS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
_DELIMITERS = ",;\t|"
_MARK = b"\xef\xbb\xbf"
_LARGEST_CELL = 1 << 24
_SAMPLE = 200


@dataclass(frozen=True)
class Head:
    """The columns of a list, and by column the values of its first rows as text; from them the address is chosen."""

    columns: tuple[str, ...]
    first: dict[str, list[str]]


class Audience(ABC):
    """A list of addressees: what it is called, its format and its columns."""

    def __init__(self, label: str, form: str) -> None:
        self.label, self.form = label, form

    @abstractmethod
    def head(self) -> Head:
        """The columns, and the values of the first rows."""

    @abstractmethod
    def rows(self, column: str) -> polars.DataFrame:
        """One row per row of the list, in order: spelling (text; null where empty), problem (a sentence or null)."""

    @abstractmethod
    def write(self, keep: numpy.ndarray[Any, Any], out: BinaryIO) -> None:
        """Write the rows for which `keep` (booleans, one per row) is true, unchanged and in order."""


def _frame(spellings: list[str | None], problems: dict[int, str]) -> polars.DataFrame:
    import polars

    frame = polars.DataFrame({"spelling": spellings}, schema={"spelling": polars.String})
    listed: list[str | None] | None = None
    if problems:
        listed = [None] * len(spellings)
        for position, sentence in problems.items():
            listed[position] = sentence
    return frame.with_columns(
        polars.Series("problem", listed, dtype=polars.String)
        if listed
        else polars.lit(None, polars.String).alias("problem")
    )


class _Text(Audience):
    """A list whose rows are stretches of bytes: `begins` and `ends` say where each one lies."""

    def __init__(self, label: str, form: str, data: bytes) -> None:
        super().__init__(label, form)
        if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:4]:
            raise UnreadableInputError(f"{label} is UTF-16 text.", "Save it as UTF-8.")
        self.data = data
        self.content = len(_MARK) if data.startswith(_MARK) else 0
        #: What stands before the first row and is always given back: the byte-order mark and a CSV file's header.
        self.header_end = self.content
        self.begins, self.ends = array("q"), array("q")

    def write(self, keep: numpy.ndarray[Any, Any], out: BinaryIO) -> None:
        """Neighbouring kept rows go out as one piece."""
        import numpy

        out.write(self.data[: self.header_end])
        if not len(keep):
            return
        begins, ends = numpy.frombuffer(self.begins, numpy.int64), numpy.frombuffer(self.ends, numpy.int64)
        # A row that does not begin where the one before ended has a blank line before it, which is not given back.
        touches = numpy.concatenate([[False], begins[1:] == ends[:-1]])
        follows = numpy.concatenate([[False], keep[:-1]]) & touches
        starts = begins[keep & ~follows]
        leads = numpy.concatenate([keep[1:] & touches[1:], [False]])
        stops = ends[keep & ~leads]
        view = memoryview(self.data)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            out.write(view[start:stop])


class _Csv(_Text):
    def __init__(self, label: str, data: bytes) -> None:
        super().__init__(label, "csv", data)
        end = data.find(b"\n", self.content)
        first = data[self.content : end if end >= 0 else len(data)]
        self.delimiter = max(_DELIMITERS, key=lambda sign: first.count(sign.encode()))
        self.names: tuple[str, ...] = ()
        for _, stop, cells in self._records():
            self.names = tuple(_decoded(cell).strip() for cell in cells)
            self.header_end = stop
            break
        if not any(self.names):
            raise UnreadableInputError(f"{label} has no header line.", "Put a line with column names on top.")
        lowered = [name.lower() for name in self.names if name]
        if twice := next((name for name in lowered if lowered.count(name) > 1), None):
            name = column_names([twice])
            raise UnreadableInputError(f"{label} has two columns called {name}.", "Rename one of them.")

    def _records(self) -> Iterator[tuple[int, int, list[str]]]:
        """Where each record begins and ends, and its cells, a byte a letter; blank lines are left out."""
        csv.field_size_limit(_LARGEST_CELL)
        # Latin-1 makes a letter of every byte, so that letters count bytes, whatever the file's own encoding.
        raw = io.BytesIO(self.data)
        raw.seek(self.content)
        text = io.TextIOWrapper(raw, encoding="latin-1", newline="")
        read = [self.content]

        def counted() -> Iterator[str]:
            for line in text:
                read[0] += len(line)
                yield line

        begins = self.content
        reader = csv.reader(counted(), delimiter=self.delimiter, strict=True)
        try:
            for cells in reader:
                ends = read[0]
                if cells:
                    yield begins, ends, cells
                begins = ends
        except csv.Error as error:
            raise UnreadableInputError(
                f"{self.label} cannot be read as CSV in the row that ends at line {reader.line_num}: {error}.",
                "Close every quote and double those inside a cell; nothing of it was screened.",
            ) from error

    def head(self) -> Head:
        """The header's names and the first cells below it."""
        named = [(position, name) for position, name in enumerate(self.names) if name]
        first: dict[str, list[str]] = {name: [] for _, name in named}
        for _, _, cells in islice(self._records(), 1, 1 + _SAMPLE):
            for position, name in named:
                if position < len(cells) and cells[position].strip():
                    first[name].append(_decoded(cells[position]))
        return Head(tuple(first), first)

    def rows(self, column: str) -> polars.DataFrame:
        """A row with more cells than the header has is refused: nobody can tell which of them is the address."""
        position, width = self.names.index(column), len(self.names)
        spellings: list[str | None] = []
        problems: dict[int, str] = {}
        begins, ends = array("q"), array("q")
        for start, stop, cells in islice(self._records(), 1, None):
            cell = cells[position] if position < len(cells) else ""
            if not cell.isascii():
                cell = _decoded(cell)
            if len(cells) > width and any(map(str.strip, cells[width:])):
                problems[len(spellings)] = f"The row has {len(cells)} values, the header {width}."
            spellings.append(cell or None)
            begins.append(start)
            ends.append(stop)
        self.begins, self.ends = begins, ends
        return _frame(spellings, problems)


def _decoded(cell: str) -> str:
    return cell.encode("latin-1").decode("utf-8", errors="replace")


class _JsonLines(_Text):
    def __init__(self, label: str, data: bytes) -> None:
        super().__init__(label, "jsonl", data)
        if data[self.content :].lstrip()[:1] == b"[":
            raise UnreadableInputError(f"{label} is one JSON list.", "Write one object a line (JSON Lines).")

    def _lines(self) -> Iterator[tuple[int, int, dict[str, Any] | None]]:
        """Where each line begins and ends, and the object in it; blank lines are left out."""
        stop = self.content
        for line in io.BytesIO(memoryview(self.data)[self.content :]):
            start, stop = stop, stop + len(line)
            if line.strip():
                try:
                    value = json.loads(line)
                except ValueError:
                    value = None
                yield start, stop, value if isinstance(value, dict) else None

    def head(self) -> Head:
        """The keys of the first objects."""
        first: dict[str, list[str]] = {}
        for _, _, value in islice(self._lines(), _SAMPLE):
            for name, one in (value or {}).items():
                texts = first.setdefault(name, [])
                if (text := _value_text(one)) and text.strip():
                    texts.append(text)
        return Head(tuple(first), first)

    def rows(self, column: str) -> polars.DataFrame:
        """A line that is no JSON object is refused."""
        spellings: list[str | None] = []
        problems: dict[int, str] = {}
        begins, ends = array("q"), array("q")
        for start, stop, value in self._lines():
            if value is None:
                problems[len(spellings)] = "The line is no JSON object."
            spellings.append(_value_text(value.get(column)) if value else None)
            begins.append(start)
            ends.append(stop)
        self.begins, self.ends = begins, ends
        return _frame(spellings, problems)


def _value_text(value: object) -> str | None:
    """A JSON value as an address is written: a number without its `.0`; lists and objects are none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    # What JSON may spell and UTF-8 cannot: half of a pair of surrogates.
    return value.encode(errors="replace").decode() if isinstance(value, str) else str(value)


class _Parquet(Audience):
    def __init__(self, label: str, data: bytes) -> None:
        super().__init__(label, "parquet")
        import pyarrow
        import pyarrow.parquet

        try:
            self.file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(data))
            self.table: pyarrow.Table = self.file.read()
        except (pyarrow.ArrowException, OSError) as error:
            raise UnreadableInputError(f"{label} is not a whole Parquet file.", "Write it again.") from error

    def head(self) -> Head:
        """The columns of text and numbers."""
        names = [name for name in self.table.column_names if self.table.column_names.count(name) == 1]
        start = self.table.slice(0, _SAMPLE)
        first = {name: [text for text in self._texts(start, name) if text and text.strip()] for name in names}
        return Head(tuple(names), first)

    @staticmethod
    def _texts(table: pyarrow.Table, name: str) -> list[str | None]:
        import pyarrow

        column = table.column(name)
        kind = column.type.value_type if pyarrow.types.is_dictionary(column.type) else column.type
        if pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind) or pyarrow.types.is_string_view(kind):
            return [value or None for value in column.to_pylist()]
        if pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind):
            return [_value_text(value) for value in column.to_pylist()]
        return [None] * len(column)

    def rows(self, column: str) -> polars.DataFrame:
        """The column's values as text."""
        return _frame(self._texts(self.table, column), {})

    def write(self, keep: numpy.ndarray[Any, Any], out: BinaryIO) -> None:
        """The same schema, with its metadata, and the compression of the file's first column."""
        import pyarrow
        import pyarrow.parquet

        metadata = self.file.metadata
        used = "snappy"
        if metadata.num_row_groups and metadata.num_columns:
            used = metadata.row_group(0).column(0).compression.lower()
        with pyarrow.parquet.ParquetWriter(
            out, self.table.schema, compression="none" if used == "uncompressed" else used
        ) as writer:
            writer.write_table(self.table.filter(pyarrow.array(keep)))


def format_of(name: str) -> str | None:
    """csv, jsonl or parquet, by a file's name; None where it does not say."""
    lowered = name.lower().removesuffix(".gz")
    return next((form for ending, form in ENDINGS.items() if lowered.endswith(ending)), None)


def read(name: str, form: str | None, stdin: BinaryIO) -> Audience:
    """The list in the file `name` (`-`: standard input), in `form` or what its name says.

    Raises UsageError where there is no such file or its format is not known, UnreadableInputError where it is not
    what it is said to be.
    """
    if name == "-":
        if form is None:
            raise UsageError(
                "The list comes from standard input, in a format nobody named.", f"Add --input-format {FORMATS[0]}."
            )
        return _of("The list", form, stdin.read())
    path = Path(name)
    if not path.is_file():
        raise UsageError(f"{name} is not a file.", "Name the list to screen, or - for standard input.")
    known = form or format_of(name)
    if known is None:
        raise UsageError(
            f"{path.name} has no format heed knows by its name.",
            "Name it .csv, .jsonl or .parquet, or add --input-format.",
        )
    return _of(path.name, known, path.read_bytes())


def _of(label: str, form: str, data: bytes) -> Audience:
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise UnreadableInputError(f"{label} is not a whole gzip file.", "Write it again.") from error
    made: dict[str, type[_Csv | _JsonLines | _Parquet]] = {"csv": _Csv, "jsonl": _JsonLines, "parquet": _Parquet}
    return made[form](label, data)


def named_column(columns: Sequence[str], name: str) -> str | None:
    """The column called `name`, exactly or else without regard to case and outer spaces."""
    if name in columns:
        return name
    return next((column for column in columns if column.strip().lower() == name.strip().lower()), None)
