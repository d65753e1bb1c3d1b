"""What a run says while it works, to standard error: a live line on a terminal, plain lines with --verbose, else only
what a person must know."""

from __future__ import annotations

import sys
from types import TracebackType

from pipelines.output import terminal_safe


class Narrator:
    """Calls with a sentence: shows it as the current step on a terminal, or prints it when it matters."""

    def __init__(self, *, verbose: bool) -> None:
        self.verbose = verbose
        self._status = None
        if sys.stderr.isatty() and not verbose:
            from rich.console import Console

            self._status = Console(stderr=True).status("Starting")

    def __enter__(self) -> Narrator:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()

    def __call__(self, sentence: str) -> None:
        """Say it: sentences that end with a full stop are findings of their own and always printed."""
        sentence = terminal_safe(sentence)
        if self.verbose or sentence.endswith("."):
            print(sentence, file=sys.stderr, flush=True)
        elif self._status:
            self._status.update(sentence.replace("[", r"\["))
