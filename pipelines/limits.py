"""Holds what is delivered to [limits] of heed.toml: nothing is unpacked, read or kept beyond them."""

from __future__ import annotations

import re
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path

from pipelines.engines.duckdb import DuckDBEngine, path_text
from pipelines.errors import UnreadableInputError
from pipelines.settings_limits import Limits
from pipelines.text_lines import opened

#: A ratio says nothing of a file that stays small: an empty column of a thousand rows packs to a few bytes.
_SMALL = 64 << 20
_BLOCK = 4 << 20
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(r"[\[{]|[\]}]")
#: The reasons for which a row is set aside because of a limit, and the option that moves it.
OPTIONS = {"row_too_long": "line_size", "value_too_long": "field_size", "nested_too_deep": "nesting"}


def beyond(name: str, what: str, option: str) -> UnreadableInputError:
    """The error for a file that is beyond the limit `option`: `what` it is, in words."""
    return UnreadableInputError(
        f"{name} {what}.", f"If that is right, write a larger {option} in [limits] of heed.toml; nothing was loaded."
    )


def check_file(home: Path, path: Path, limits: Limits) -> None:
    """Raise UnreadableInputError for what is no plain file of the home, or is too large."""
    links = [one for one in (path, *path.parents) if one != home and home in one.parents and one.is_symlink()]
    if links and not limits.symlinks:
        raise UnreadableInputError(
            f"{path.relative_to(home)} is behind a symbolic link ({links[-1].relative_to(home)}).",
            "Put the file itself there, or write symlinks = true in [limits] of heed.toml.",
        )
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableInputError(f"{path.relative_to(home)} is no plain file.", "Deliver a file, or remove it.")
    if status.st_size > limits.file_size:
        raise beyond(path.name, f"has {status.st_size:,} bytes, more than {limits.file_size:,}", "file_size")


class Unpacked:
    """Checks the bytes of a .gz as they are read: that they are whole, and do not swell beyond the limits."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path, self._limits = path, limits
        self._unpacker = zlib.decompressobj(wbits=31)
        self._packed = self._unpacked = 0
        self.is_whole = False

    def take(self, block: bytes) -> None:
        """The next bytes of the file; raises zlib.error or UnreadableInputError."""
        self._packed += len(block)
        while block:
            if self._unpacker.eof:
                self._unpacker = zlib.decompressobj(wbits=31)
            self._count(len(self._unpacker.decompress(block, _BLOCK)))
            block = self._unpacker.unconsumed_tail or self._unpacker.unused_data
        while not self._unpacker.eof and (more := self._unpacker.decompress(b"", _BLOCK)):
            self._count(len(more))
        self.is_whole = self._unpacker.eof

    def _count(self, size: int) -> None:
        self._unpacked += size
        if self._unpacked > self._limits.file_size:
            raise beyond(self._path.name, f"unpacks to more than {self._limits.file_size:,} bytes", "file_size")
        if self._unpacked > max(_SMALL, self._packed * self._limits.unpacked_ratio):
            raise beyond(
                self._path.name, f"unpacks to more than {self._limits.unpacked_ratio} times its size", "unpacked_ratio"
            )


def check_parquet(engine: DuckDBEngine, path: Path, limits: Limits) -> None:
    """Raise UnreadableInputError for a Parquet file whose own account of itself is beyond the limits."""
    rows = engine.value(f"select sum(num_rows) from parquet_file_metadata({path_text(path)})")
    unpacked = engine.value(f"select sum(total_uncompressed_size) from parquet_metadata({path_text(path)})") or 0
    check_row_count(path.name, int(rows or 0), limits)
    if unpacked > limits.file_size:
        raise beyond(path.name, f"unpacks to more than {limits.file_size:,} bytes", "file_size")
    if unpacked > max(_SMALL, path.stat().st_size * limits.unpacked_ratio):
        raise beyond(path.name, f"unpacks to more than {limits.unpacked_ratio} times its size", "unpacked_ratio")


def check_header(path: Path, names: list[str]) -> None:
    """Raise UnreadableInputError for a name of a column that no query can hold."""
    if any("\0" in name for name in names):
        raise UnreadableInputError(f"{path.name} has a NUL in its header.", "Deliver it again; nothing was loaded.")


def check_row_count(name: str, count: int, limits: Limits) -> None:
    """Raise UnreadableInputError for a file of too many rows."""
    if count > limits.row_count:
        raise beyond(name, f"has {count:,} rows, more than {limits.row_count:,}", "row_count")


def nesting(text: str) -> int:
    """How deep objects and lists lie in each other in a JSON text; 0 for a plain value."""
    return max(_depths(text), default=0)


def _depths(text: str) -> Iterator[int]:
    depth = 0
    for bracket in _BRACKET.finditer(_TEXT.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        yield depth


def nested_too_deep(engine: DuckDBEngine, raw: str, limits: Limits) -> str:
    """SQL for whether the JSON text `raw` is nested too deep; only texts with brackets enough for it are looked at."""
    engine.define_python_function("json_nesting", nesting)
    brackets = f"length({raw}) - length(replace(replace({raw}, '[', ''), '{{', ''))"
    terms = [f"{what} > {limits.nesting}" for what in (f"strlen({raw})", brackets, f"json_nesting({raw})")]
    return f"case when {terms[0]} then case when {terms[1]} then {terms[2]} end end"


def check_lines(path: Path, limits: Limits) -> None:
    """Raise UnreadableInputError for a text file with a line so long that the parser lost it without a word."""
    longest = limits.line_size or 2 << 20
    with opened(path) as file:
        while line := file.readline(longest + 1):
            if len(line) > longest:
                raise beyond(path.name, f"has a line of more than {longest:,} bytes", "line_size")
