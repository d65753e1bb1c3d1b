"""Runs `heed screen` on an uploaded list: the list goes in by a pipe and comes back by one, and is written nowhere.

Only the refused rows pass through a folder of this run's own: they hold masks and keys, and no address.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow
import pyarrow.parquet

from dashboard.words import screen as words

CHECKOUT = Path(__file__).resolve().parent.parent
LONGEST = timedelta(minutes=10)
# What the endings of a file's name mean to `heed screen`.
FORMATS = {
    "csv": "csv", "tsv": "csv", "txt": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "parquet": "parquet",
}  # fmt: skip


class ScreeningError(Exception):
    """The list could not be screened; the text says why and what to do."""


@dataclass(frozen=True)
class Screened:
    """A list after screening: its sendable rows as they were, its refused rows, and the counts."""

    sendable: bytes
    refused: pyarrow.Table
    counts: dict[str, Any]


def file_format(name: str) -> str:
    """csv, jsonl or parquet, by a file's name; a final .gz is compression. Raises ScreeningError for another."""
    ending = name.lower().removesuffix(".gz").rpartition(".")[2]
    if ending not in FORMATS:
        raise ScreeningError(words.UNKNOWN_FORMAT.format(name=name))
    return FORMATS[ending]


def instant(day: date, clock: time, zone: str) -> datetime:
    """The instant at which a zone's clock shows a time; raises ScreeningError where it never does.

    Where the clock shows it twice it is the first of them.
    """
    local = datetime.combine(day, clock, ZoneInfo(zone))
    offset = local.utcoffset()
    assert offset is not None
    fixed = local.replace(tzinfo=timezone(offset))
    if fixed.astimezone(ZoneInfo(zone)).time() != clock:
        raise ScreeningError(words.NO_SUCH_TIME.format(zone=zone, clock=clock))
    return fixed


def screen(home: Path, content: bytes, form: str, *options: str) -> Screened:
    """Screen the bytes of a list; `options` are further ones of `heed screen`. Raises ScreeningError with its words."""
    with tempfile.TemporaryDirectory() as folder:
        refused = Path(folder) / "refused.parquet"
        command = [sys.executable, "-m", "pipelines.cli", "-C", str(home.resolve()), "screen", "-"]
        command += ["--input-format", form, "--refused", str(refused), "--json", *options]
        try:
            done = subprocess.run(
                command, input=content, capture_output=True, cwd=CHECKOUT, timeout=LONGEST.total_seconds(), check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ScreeningError(words.TOO_LONG) from error
        said = done.stderr.decode("utf-8", errors="replace").splitlines()
        if done.returncode:
            logging.getLogger(__name__).error("heed screen ended with %s: %s", done.returncode, "\n".join(said))
            told = [line.removeprefix("heed: ") for line in said if line.startswith("heed: ")]
            raise ScreeningError(told[-1] if told else words.FAILED)
        [counts] = [json.loads(line) for line in said if line.startswith("{")]
        return Screened(done.stdout, pyarrow.parquet.read_table(refused), counts)
