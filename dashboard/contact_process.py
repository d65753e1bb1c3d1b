"""The process that reads history for the Contact page: started by the first question, it waits for the next one.

Starting Python and its libraries takes most of a second, and reading a contact a tenth of it. A question goes to the
process as one line and its answer comes back as one; it keeps neither.
"""

from __future__ import annotations

import atexit
import logging
import os
import select
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from threading import Lock

CHECKOUT = Path(__file__).resolve().parent.parent


class TooLongError(Exception):
    """No answer came in time; the process was ended."""


class EndedError(Exception):
    """The process ended without an answer; the text is the last thing it said of itself, or nothing."""


class Reader:
    """Answers questions about the contacts of one home, one at a time; for all sessions of this server."""

    def __init__(self, home: Path) -> None:
        self._command = [
            sys.executable,
            "-m",
            "pipelines.cli",
            "-C",
            str(home.resolve()),
            "contact",
            "--each",
            "--json",
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def answer(self, question: str, within_seconds: float) -> bytes:
        """The line that answers a question of one line. Raises TooLongError, EndedError."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = subprocess.Popen(
                    self._command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
                )
            try:
                return _asked(self._process, question, within_seconds)
            except BaseException:  # an answer that nobody waited for must not answer the next question
                self._end()
                raise

    def close(self) -> None:
        """End the process; the next question starts another."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@cache
def of(home: Path) -> Reader:
    """The reader of a home; it ends with this server."""
    reader = Reader(home)
    atexit.register(reader.close)
    return reader


def _asked(process: subprocess.Popen[bytes], question: str, within_seconds: float) -> bytes:
    assert process.stdin
    assert process.stdout
    until = time.monotonic() + within_seconds
    answer = bytearray()
    try:
        process.stdin.write(question.encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass  # it ended; what it said of that is read below
    while not answer.endswith(b"\n"):
        if not select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))[0]:
            raise TooLongError
        came = os.read(process.stdout.fileno(), 1 << 20)
        if not came:
            raise EndedError(_last_words(process))
        answer += came
    return bytes(answer)


def _last_words(process: subprocess.Popen[bytes]) -> str:
    said = process.communicate()[1].decode("utf-8", errors="replace").splitlines()
    told = [one.removeprefix("heed: ") for one in said if one.startswith("heed: ")]
    # Its own sentences name files and settings; anything else may quote what was asked for.
    logging.getLogger(__name__).error("heed contact ended with %s: %s", process.returncode, "; ".join(told))
    return told[-1] if told else ""
