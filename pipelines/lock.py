"""The lock of a home: one process at a time changes it, and who finds it held is told by whom."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.errors import ConfigurationError, LockedError
from pipelines.zones import utc_text

NAME = ".lock"
#: Everybody waits so long: `holder` takes the lock for an instant to see whether it is free.
_GRACE_SECONDS = 0.3


@contextmanager
def home_lock(
    home: Path, verb: str = "run", wait_seconds: float = 0, narrate: Callable[[str], None] = lambda _: None
) -> Iterator[None]:
    """Hold the home's lock as `heed <verb>`, after waiting for it at most `wait_seconds`.

    Raises LockedError, which names the holder, when the time is over. The lock goes with its process, however it ends.
    """
    path = home / NAME
    try:
        # Whoever may write the home could else have another file emptied through a link.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}.", "A run writes below its home: check its permissions."
        ) from error
    try:
        _take(descriptor, home, wait_seconds, narrate)
        since = utc_text(datetime.now(UTC), "seconds")
        with suppress(OSError):  # a full disk: the lock holds without its words
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "verb": verb, "since": since}).encode(), 0)
        yield
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _take(descriptor: int, home: Path, wait_seconds: float, narrate: Callable[[str], None]) -> None:
    until = time.monotonic() + max(wait_seconds, _GRACE_SECONDS)
    said = wait_seconds <= 0
    while not _locked(descriptor, fcntl.LOCK_EX):
        told = _told(descriptor)
        if time.monotonic() >= until:
            raise LockedError(
                f"{home} is held by {in_words(told)}.", "Wait for it, then try again; a run waits with --wait 1h."
            )
        if not said and time.monotonic() >= until - wait_seconds + _GRACE_SECONDS:
            narrate(f"Waiting at most {wait_seconds:g} s for {in_words(told)}.")
            said = True
        time.sleep(0.05)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _told(descriptor: int) -> dict[str, Any]:
    """What the holder wrote about itself: pid, verb and since; earlier versions wrote the pid alone."""
    try:
        told = json.loads(os.pread(descriptor, 1000, 0))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {"pid": told}


def in_words(told: dict[str, Any]) -> str:
    """Who holds a lock: `heed run (process 4711, since 2026-11-22T02:15:00Z)`."""
    known = [f"process {told['pid']}"] if "pid" in told else []
    known += [f"since {told['since']}"] if "since" in told else []
    return f"heed {told.get('verb', '')}".rstrip() + (f" ({', '.join(known)})" if known else "")


def holder(home: Path) -> dict[str, Any] | None:
    """What the process that holds the lock now says of itself; None when nobody holds it, or nobody may look."""
    try:
        descriptor = os.open(home / NAME, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        return None if _locked(descriptor, fcntl.LOCK_SH) else _told(descriptor)
    finally:
        os.close(descriptor)
