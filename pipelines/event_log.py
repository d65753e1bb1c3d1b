"""The log: one JSON line for each event of a run, in a file of bounded size or on standard error.

A line holds times, ids, counts and names that heed or heed.toml gave. It never holds an address, nor what could be
one: no name of a delivered file, and no words of an error.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from pipelines.settings_operations import Log
from pipelines.zones import utc_text

NAME = "log.jsonl"
#: The file before it, once that one was full.
EARLIER = "log.1.jsonl"


class Tell(Protocol):
    """What is told of every event of a run: its name and its facts; never an address."""

    def __call__(self, event: str, /, **facts: Any) -> None: ...


class EventLog:
    """Call it with an event and its facts. A line that cannot be written is said once, and nothing stops for it."""

    def __init__(self, folder: Path, told: Log, complain: Callable[[str], None]) -> None:
        self.folder, self.told, self._complain = folder, told, complain
        self.run_id: str | None = None

    def __call__(self, event: str, /, **facts: Any) -> None:
        """Add one line: when, which event, of which run, and its facts."""
        if self.told.to == "none":
            return
        at = utc_text(datetime.now(UTC), "milliseconds")
        line = (json.dumps({"at": at, "event": event, "run_id": self.run_id} | facts) + "\n").encode()
        try:
            if self.told.to == "stderr":
                sys.stderr.write(line.decode())
                sys.stderr.flush()
                return
            self.folder.mkdir(mode=0o755, exist_ok=True)
            _append(self.folder / NAME, line, self.told.max_megabytes * 1_000_000)
        except OSError as error:
            self._complain(f"{self.folder / NAME} cannot be written: {error.strerror}. Nothing else stops for it.")
            self._complain = lambda _: None


def _append(path: Path, line: bytes, full_bytes: int) -> None:
    """Add a whole line or nothing; a full file takes the place of the earlier one."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            if not _is_still(path, descriptor):
                continue
            if size and size + len(line) > full_bytes:
                path.replace(path.with_name(EARLIER))
                continue
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # a process was killed within its line: the next one has one of its own
            written = 0
            try:
                written = os.write(descriptor, line)
            finally:
                if written != len(line):
                    with suppress(OSError):
                        os.ftruncate(descriptor, size)
            if written != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return
        finally:
            os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the file that was opened is still the one of that name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
