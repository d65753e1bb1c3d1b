"""Runs `heed compare` on two kept snapshots: what it prints comes back by a pipe, and nothing is written."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.words import restated as words

CHECKOUT = Path(__file__).resolve().parent.parent
LONGEST = timedelta(minutes=5)


class RestatingError(Exception):
    """The two runs could not be compared; the text says why and what to do."""


def kept(home: Path) -> list[str]:
    """The ids of the runs whose snapshots the home still keeps, the newest first."""
    return sorted((path.stem for path in (home / "published").glob("*.duckdb")), reverse=True)


@st.cache_data(max_entries=24, show_spinner=False)
def compare(home: Path, then: str, now: str, *options: str) -> dict[str, Any]:
    """What `heed compare --format json` says of two runs; `options` are further ones of it.

    Raises RestatingError with its words. The same two runs always give the same answer, so it is kept.
    """
    command = [sys.executable, "-m", "pipelines.cli", "-C", str(home.resolve()), "compare", then, now]
    command += ["--format", "json", *options]
    try:
        done = subprocess.run(command, capture_output=True, cwd=CHECKOUT, timeout=LONGEST.total_seconds(), check=False)
    except subprocess.TimeoutExpired as error:
        raise RestatingError(words.TOO_LONG) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", errors="replace").splitlines()
        logging.getLogger(__name__).error("heed compare ended with %s: %s", done.returncode, "\n".join(said))
        told = [line.removeprefix("heed: ") for line in said if line.startswith("heed: ")]
        raise RestatingError(told[-1] if told else words.FAILED)
    compared: dict[str, Any] = json.loads(done.stdout)
    return compared
