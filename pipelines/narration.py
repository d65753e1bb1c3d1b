"""What a run says while it works, to standard error: a live line on a terminal, plain lines with --verbose, else only
what a person must know."""

from __future__ import annotations

import shutil
import sys
from types import TracebackType

from pipelines.output import terminal_safe

#: To the line's beginning, and empty from there.
_AGAIN = "\r\x1b[K"


class Narrator:
    """Calls with a sentence: shows it as the current step on a terminal, or prints it when it matters."""

    def __init__(self, *, verbose: bool) -> None:
        self.verbose = verbose
        self._is_live = sys.stderr.isatty() and not verbose

    def __enter__(self) -> Narrator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live("")

    def __call__(self, sentence: str) -> None:
        """Say it: sentences that end with a full stop are findings of their own and always printed."""
        sentence = terminal_safe(sentence)
        if self.verbose or sentence.endswith("."):
            self._live("")
            print(sentence, file=sys.stderr, flush=True)
        else:
            self._live(f"{sentence} …")

    def _live(self, text: str) -> None:
        """Put a text in place of the live line, where there is one."""
        if self._is_live:
            # A line that is wider wraps, and what wrapped would stay.
            width = shutil.get_terminal_size().columns - 1
            print(_AGAIN + text[:width], end="", file=sys.stderr, flush=True)
