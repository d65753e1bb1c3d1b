"""Asks `heed contact` what history holds about one contact: the address goes by a pipe and is written nowhere.

History is newer and fuller than the snapshot: it has every contact, every delivered row and its text. It is read by a
process of its own (dashboard.contact_process), which opens only the row groups that can hold the contact.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import contact_process
from dashboard.words import contact as words

LONGEST = timedelta(minutes=1)
STATE = "contact_held"


class NotReadError(Exception):
    """History gave no answer; the text says why and what to do. It holds no address."""


@dataclass(frozen=True)
class Held:
    """What `heed contact --json` said: a key, its mask, the delivered records, and how much was read for them."""

    key: int
    masked: str | None
    records: list[dict[str, Any]]
    load_ids: frozenset[str]
    read: dict[str, int]


def is_here(home: Path) -> bool:
    """Whether the home has its history here: a dashboard on another machine may have the snapshot alone."""
    return (home / "history" / "ledger.jsonl").is_file() and (home / "heed.toml").is_file()


def as_key(text: str | None) -> int | None:
    """The signed 64-bit key that 16 hexadecimal digits stand for, or None if they are not that."""
    digits = (text or "").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{16}", digits):
        return None
    number = int(digits, 16)
    return number - 2**64 if number >= 2**63 else number


def as_digits(key: int) -> str:
    """A key as its 16 hexadecimal digits."""
    return f"{key & (2**64 - 1):016x}"


def look_up(home: Path, text: str) -> Held:
    """What history holds about an address or a key, kept for this session's next page run.

    Raises NotReadError.
    """
    held = _ask(home, text)
    st.session_state[STATE] = (_stamp(home), held)
    return held


def about(home: Path, key: int) -> Held:
    """What history holds about a key: what this session has just read, if no load came since. Raises NotReadError."""
    stamp, held = st.session_state.get(STATE, (None, None))
    if held is not None and held.key == key and stamp == _stamp(home):
        kept: Held = held
        return kept
    return look_up(home, as_digits(key))


def _stamp(home: Path) -> tuple[str, int, int]:
    told = (home / "history" / "ledger.jsonl").stat()
    return str(home), told.st_mtime_ns, told.st_size


def _ask(home: Path, text: str) -> Held:
    try:
        answer = json.loads(contact_process.of(home).answer(" ".join(text.split()), LONGEST.total_seconds()))
    except contact_process.TooLongError as error:
        raise NotReadError(words.TOO_LONG) from error
    except contact_process.EndedError as error:
        raise NotReadError(str(error) or words.FAILED) from error
    if "error" in answer:
        raise NotReadError(answer["error"])
    key = as_key(answer["contact_key"])
    assert key is not None
    for record in answer["records"]:
        for name in ("occurred_at", "processed_at"):
            record[name] = datetime.fromisoformat(record[name]) if record[name] else None
    return Held(key, answer["contact_masked"], answer["records"], frozenset(answer["load_ids"]), answer["read"])
