"""`heed` in processes that are killed at a chosen moment: a server that has imported everything forks one per command.

It reads a command a line from standard input, as JSON: {"arguments": [...], "at": ["statement", 17]}, and answers with
{"code": ..., "counts": {...}}. `at` is the moment: before the n-th SQL statement, before the n-th change of a file or
folder below the home that Python makes, or before the n-th sentence of narration; null lets it finish. SIGKILL is what
comes, so nothing of the process has a chance to tidy up. `counts` says how many moments of each kind there were. With
"traced" the process stops before it begins: its pid is said, and any line on standard input lets it go on.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

#: Audit events of Python that change a file or folder; their first argument is a path.
_CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
KINDS = ("statement", "change", "sentence")


class Countdown:
    """Counts moments by kind, and ends the process before the chosen one."""

    def __init__(self, home: str, at: tuple[str, int] | None) -> None:
        self.home, self.at = home, at
        self.counts: Counter[str] = Counter()

    def __call__(self, kind: str) -> None:
        self.counts[kind] += 1
        if self.at == (kind, self.counts[kind]):
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Python's audit hook."""
        is_write = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (is_write or event in _CHANGES) and self.home in str(arguments[0]):
            self("change")


def watch(home: str, at: tuple[str, int] | None) -> Countdown:
    """Count the moments of this process from now on."""
    from pipelines.engines.duckdb import DuckDBEngine
    from pipelines.narration import Narrator

    countdown = Countdown(home, at)
    run, say, sync = DuckDBEngine._run, Narrator.__call__, os.fsync

    def counted_run(self: DuckDBEngine, *arguments: Any) -> Any:
        countdown("statement")
        return run(self, *arguments)

    def counted_say(self: Narrator, sentence: str) -> None:
        countdown("sentence")
        say(self, sentence)

    def counted_sync(descriptor: int) -> None:
        countdown("change")
        sync(descriptor)

    DuckDBEngine._run = counted_run  # type: ignore[method-assign]
    Narrator.__call__ = counted_say  # type: ignore[method-assign]
    os.fsync = counted_sync
    sys.addaudithook(countdown.audit)
    return countdown


def main() -> None:
    """Serve commands until standard input ends."""
    for name in ("pipelines.cli", "pipelines.run", "pipelines.validate", "great_expectations", "pipelines.snapshots"):
        importlib.import_module(name)
    from pipelines.cli import main as heed

    for line in sys.stdin:
        command = json.loads(line)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            if command["traced"]:
                os.kill(os.getpid(), signal.SIGSTOP)
            at = command["at"]
            countdown = watch(command["arguments"][1], (at[0], at[1]) if at else None)
            said = Path(command["said"]).open("w")  # noqa: SIM115
            with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
                code = heed(command["arguments"])
            said.close()
            os.write(writer, json.dumps({"code": code, "counts": countdown.counts}).encode())
            os._exit(0)
        os.close(writer)
        if command["traced"]:
            os.waitpid(child, os.WUNTRACED)
            print(child, flush=True)
            sys.stdin.readline()
            os.kill(child, signal.SIGCONT)
        with os.fdopen(reader, "rb") as answers:
            answer = answers.read()
        _, status = os.waitpid(child, 0)
        killed = {"code": -os.WTERMSIG(status) if os.WIFSIGNALED(status) else None, "counts": {}}
        print(answer.decode() or json.dumps(killed), flush=True)


if __name__ == "__main__":
    main()
