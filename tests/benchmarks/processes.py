"""Runs a module as a process of its own and measures it from outside."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Measured:
    """One process: its seconds from start to end, what it used of the processors in that time, all threads and ended
    children together, its peak resident megabytes, and what it printed, if that is JSON."""

    seconds: float
    processor: float
    peak_mb: float
    told: Any


def run_module(work: Path, module: str, *arguments: object) -> Measured:
    """Run `python -m module arguments`; raises RuntimeError, with the end of what it said, unless it exits with 0.

    The peak is the kernel's (wait4). It is never below the peak of the process that asks, so whoever asks must stay
    small: nothing heavy is imported here.
    """
    said, told = work / "said.txt", work / "told.json"
    begun = time.perf_counter()
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", module, *map(str, arguments)],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, descriptor, str(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            for descriptor, path in ((1, told), (2, said))
        ],
    )
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - begun
    if status:
        words = said.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"{module} ended with {os.waitstatus_to_exitcode(status)}:\n{words}")
    text = told.read_text(encoding="utf-8")
    return Measured(
        seconds,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
        json.loads(text) if text.startswith(("{", "[")) else None,
    )
