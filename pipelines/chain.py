"""Files of JSON lines that are only appended to, each line naming the digest of the one before it.

Whoever changes, inserts or removes a line breaks every line after it. What was cut off at the end cannot be told from
the file itself: something outside it has to know its head.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.durable import sync_folder
from pipelines.errors import NewerFormatError

#: What the first line names, having none before it.
NOTHING = "0" * 64
PREVIOUS = "previous"
#: What heed writes into a home, as a number that every line and the pointer say; docs/operations.md tells them apart.
FORMAT = 3


@dataclass(frozen=True)
class Line:
    """One line: its number from 1, what it says (None: no JSON object), its digest, and what is wrong with it."""

    number: int
    entry: dict[str, Any] | None
    digest: str
    problem: str | None
    is_newer: bool = False  # whether a later version of heed wrote it, which this one cannot read


def is_newer(entry: dict[str, Any]) -> bool:
    """Whether a line or the pointer says a format that only a later version of heed reads."""
    said = entry.get("format", FORMAT)
    return not isinstance(said, int) or said > FORMAT


def digest(line: bytes) -> str:
    """The SHA-256 of a line's bytes without its end, in hexadecimal."""
    return hashlib.sha256(line).hexdigest()


def lines(path: Path) -> Iterator[Line]:
    """Every committed line in order; a last line without its end was never committed.

    Lines that name no line before them were written before heed chained them, and may only stand at the beginning.
    """
    before, is_chained = NOTHING, False
    for number, line in enumerate(_committed(path).split(b"\n")[:-1], start=1):
        entry, problem = _entry(line), None
        if entry is None:
            problem = "is damaged"
        elif PREVIOUS in entry or is_chained:
            is_chained = True
            if entry.get(PREVIOUS) != before:
                problem = "does not follow from the line before it: one of them was changed, added or removed"
        newer = entry is not None and problem is None and is_newer(entry)
        if newer:
            problem = "says a format that this version of heed does not know: it is damaged, or of a newer version"
        before = digest(line)
        yield Line(number, entry, before, problem, newer)


def refuse_newer(path: Path) -> None:
    """Raise NewerFormatError where a later version of heed wrote a line of this file."""
    for line in lines(path):
        if line.is_newer:
            raise NewerFormatError(f"{path}, line {line.number},")


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _committed(path: Path) -> bytes:
    """The file's bytes up to the end of its last line that has one: what a crash tore off was never committed."""
    data = path.read_bytes() if path.exists() else b""
    return data[: data.rfind(b"\n") + 1]


def _head(committed: bytes) -> str:
    return digest(committed[:-1].rpartition(b"\n")[2]) if committed else NOTHING


def head(path: Path) -> str:
    """The digest of the last committed line; NOTHING where there is none."""
    return _head(_committed(path))


def append(path: Path, entry: dict[str, Any], before: Callable[[str], None] = lambda _: None) -> str:
    """Commit one more line, on disk when this returns, and give its digest; a line torn by a crash is dropped first.

    `before` is told the digest before the line is there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    committed = _committed(path)
    line = json.dumps(
        entry | {"format": FORMAT, PREVIOUS: _head(committed)}, separators=(",", ":"), ensure_ascii=False
    ).encode()
    before(digest(line))
    with path.open("ab") as file:
        file.truncate(len(committed))
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if not committed:
        sync_folder(path.parent)
    return digest(line)
