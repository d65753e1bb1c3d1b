"""Tells operators of a run: its log, operations/last_run.json, the textfile and the alerts.

Nothing here changes what a run does or how it ends: what cannot be told is said on standard error, and the run goes on.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines import __version__, health
from pipelines.durable import write_even_if_full
from pipelines.errors import SUCCESSES, EngineError, HeedError, LockedError, UsageError
from pipelines.event_log import EventLog
from pipelines.output import terminal_safe
from pipelines.settings_operations import of_home
from pipelines.zones import utc_text

#: What the log says of the end of a run.
_ENDS = ("exit_code", "seconds", "error", "relation")


def _complain(words: str) -> None:
    print(f"heed: {terminal_safe(words)}", file=sys.stderr, flush=True)


def _now() -> str:
    return utc_text(datetime.now(UTC), "milliseconds")


class Watch:
    """What is told of one run of a home; pass it to the run, which calls it with every event."""

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self.told = of_home(home)
        # A folder without heed.toml is no home: nothing is written into it.
        self._is_home = (home / "heed.toml").is_file()
        self.log = EventLog(self.home / health.FOLDER, self.told.log, _complain)
        self._begun = time.monotonic()
        self._run: dict[str, Any] = {"run_id": None, "pid": os.getpid(), "began_at": _now(), "ended_at": None}
        self._steps: dict[str, float] = {}

    def __call__(self, event: str, /, **facts: Any) -> None:
        """Note what happened in a run."""
        if event == "run_begun":  # while the lock is held: an earlier run that did not end is dead
            before = health.last_run(self.home)
            if before and before.get("ended_at") is None:
                self.log("run_died", died_run_id=before.get("run_id"), began_at=before.get("began_at"))
            self._run["run_id"] = self.log.run_id = facts.pop("run_id")
            facts |= {"pid": os.getpid(), "version": __version__}
            self._write(before.get("succeeded_at"))
        elif event == "run_leaves":  # the lock is held still: nobody takes an ended run for a dead one
            error = facts["error"]
            self._note(0 if error is None else _exit_code(error), error)
            return
        elif event == "step_done":
            self._steps[facts["step"]] = facts["seconds"]
        self.log(event, **facts)

    def _write(self, succeeded_at: str | None) -> None:
        self._run |= {"succeeded_at": succeeded_at, "steps": self._steps}
        try:
            (self.home / health.FOLDER).mkdir(mode=0o755, exist_ok=True)
            write_even_if_full(self.home / health.FOLDER / health.LAST_RUN, json.dumps(self._run, indent=1) + "\n")
        except OSError as error:
            _complain(f"{self.home / health.FOLDER / health.LAST_RUN} cannot be written: {error.strerror}.")

    def over(self, work: Callable[[Watch], int]) -> int:
        """Do the work of a run and tell how it ended; returns its exit code, or raises what it raised."""
        try:
            with _terminated_as_interrupted():
                code = work(self)
                sys.stdout.flush()  # a result that could not be written is no success
        except BaseException as error:
            self._ended(_exit_code(error), error)
            raise
        self._ended(code, None)
        return code

    def _ended(self, code: int, error: BaseException | None) -> None:
        event = "run_done" if code in SUCCESSES else "run_failed"
        if not self._is_home:
            return
        if isinstance(error, LockedError | UsageError):
            # No run of this home: it is another's turn, or somebody mistyped.
            self.log(event, exit_code=code, error=type(error).__name__)
            return
        # It failed before it held the lock or after, or found what is no failure: violations.
        if self._run.get("exit_code") != code and not self._is_another_s_turn():
            self._note(code, error)
        self._run["exit_code"] = code
        self.log(event, **{name: self._run[name] for name in _ENDS if name in self._run})
        self._safely("The state of the home cannot be told", lambda: self.alert(self._state()))

    def _is_another_s_turn(self) -> bool:
        """Whether a run that began later says how it goes where this one would."""
        told = health.last_run(self.home)
        if self._run["run_id"] is None:
            return bool(told) and told.get("ended_at") is None
        return str(told.get("run_id") or "") > str(self._run["run_id"])

    def _note(self, code: int, error: BaseException | None) -> None:
        """Write down how the run ended, and the textfile."""
        self._run |= {"ended_at": _now(), "exit_code": code, "seconds": round(time.monotonic() - self._begun, 3)}
        if error is not None and code:
            self._run["error"] = type(error).__name__
            if isinstance(error, EngineError) and error.relation:
                self._run["relation"] = error.relation
        self._write(self._run["ended_at"] if code in SUCCESSES else health.last_run(self.home).get("succeeded_at"))
        if self.told.monitoring.textfile:
            self._safely("The textfile cannot be written", lambda: self._write_textfile(self._state()))

    def _state(self) -> health.Health:
        return health.of(self.home, self.told.monitoring.max_age_seconds, self._run)

    def _write_textfile(self, state: health.Health) -> None:
        from pipelines import textfile

        assert self.told.monitoring.textfile is not None
        textfile.write(self.told.monitoring.textfile, state, self.home)

    def alert(self, state: health.Health) -> None:
        """Send the alerts that are due in this state of the home."""
        from pipelines import alerts

        self._safely(
            "Alerts cannot be sent",
            lambda: alerts.send_due(self.home, self.told.alerts, state, self.log, _complain),
        )

    def _safely(self, what: str, do: Callable[[], None]) -> None:
        """Do it, or say in one line that it failed."""
        try:
            do()
        except Exception as error:  # whatever it is, the run has ended as it has
            why = str(error) if isinstance(error, OSError | HeedError) else type(error).__name__
            _complain(f"{what}: {why}. The run's exit code stays.")
            self.log("telling_failed", what=what, error=type(error).__name__)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Inside, SIGTERM stops a run as Ctrl-C does: it cleans up and says so. Signals are the main thread's."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _exit_code(error: BaseException) -> int:
    """How heed ends for an error."""
    if isinstance(error, HeedError):
        return error.exit_code
    return 0 if isinstance(error, BrokenPipeError) else 1
