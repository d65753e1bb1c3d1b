"""The access log: who looked at which contact, took which export, and was refused which page. No addresses, no masks.

It is private/access.jsonl of the home, one line of JSON per event, readable by its owner only. A full file is renamed
with the time and kept; heed never deletes one.
"""

from __future__ import annotations

import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from dashboard.gate_sessions import Reader

NAME = "access.jsonl"
#: A file of this size is full.
FULL_BYTES = 10_000_000


class NotWrittenError(Exception):
    """The log cannot be written, so what it should have told of must not happen."""


def write(
    what: str,
    reader: Reader,
    *,
    page: str | None = None,
    contact_key: int | None = None,
    export: str | None = None,
    rows: int | None = None,
) -> None:
    """Add one line: `what` is contact, export or refused. Raises NotWrittenError where there is no home or no room."""
    line = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "who": reader.who,
        "subject": reader.subject,
        "role": reader.role or None,
        "what": what,
        "page": page,
        "contact_key": None if contact_key is None else f"{contact_key & ((1 << 64) - 1):016x}",
        "export": export,
        "rows": rows,
    }
    text = json.dumps({name: value for name, value in line.items() if value is not None}, ensure_ascii=False)
    home = os.environ.get("HEED_HOME", "").strip()
    if not home:
        raise NotWrittenError("no home is named, so there is no access log")
    folder = Path(home).expanduser() / "private"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _append(folder / NAME, f"{text}\n".encode())
    except OSError as error:
        raise NotWrittenError(f"{folder / NAME} cannot be written: {error.strerror or error}") from error


def _append(path: Path, line: bytes) -> None:
    while True:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # Two servers of one home, or two threads, write and rename one after the other.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not _is_still(path, descriptor):
                continue
            size = os.fstat(descriptor).st_size
            if size and size + len(line) > FULL_BYTES:
                path.rename(_kept_name(path))
                continue
            if os.write(descriptor, line) != len(line):
                raise OSError("there is no room for the whole line")
            return
        finally:
            os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the file that was opened is still the one of that name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _kept_name(path: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    return path.with_name(f"{path.stem}-{stamp}{path.suffix}")
