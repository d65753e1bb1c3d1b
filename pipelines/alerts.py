"""Alerts: what is due in a state of the home, told to each address once for each cause.

What each address was last told of is in private/alerts.json, under a digest of the address. What could not be sent
is due again next time. An alert holds rules, classes, counts, times and the home's path; never an address.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.durable import write_even_if_full
from pipelines.errors import EngineError
from pipelines.event_log import Tell
from pipelines.health import Health, Published
from pipelines.settings_operations import Alerts, alert_urls
from pipelines.zones import utc_text

MARKS = "alerts.json"
#: Problems of a home that are told as one cause.
_FAILURES = ("failed_run", "died_run", "unreadable_snapshot", "no_snapshot")
_LONGEST_SECONDS = 60
_SENDER = Path(__file__).with_name("alert_sending.py")
_IS_VIOLATION = "severity in ('critical', 'high') and waived_by is null"

#: What an address was last told of, by cause: the run whose violations, the failure, the stale success.
_Marks = dict[str, str]


@dataclass(frozen=True)
class Alert:
    """One message: its cause, what tells this case of it from others, and its words."""

    cause: str
    mark: str
    title: str
    body: str


def send_due(home: Path, told: Alerts, health: Health, log: Tell, complain: Callable[[str], None]) -> None:
    """Send to every address what it was not told of yet, and note what was sent; raises OSError."""
    urls = alert_urls(told)
    if not urls or not told.on:
        return
    if importlib.util.find_spec("apprise") is None:
        complain("Alerts are configured, but Apprise is not installed: pip install 'heed[alerts]'")
        log("alerts_failed", error="ModuleNotFoundError")
        return
    with _marks(home) as marks:
        names = [hashlib.sha256(url.encode()).hexdigest()[:16] for url in urls]
        for gone in marks.keys() - set(names):
            del marks[gone]
        due = [
            (position, alert)
            for position, name in enumerate(names)
            for alert in _due(home, told, health, marks.setdefault(name, {}))
        ]
        sent = _sent([(urls[position], alert.title, alert.body) for position, alert in due])
        for (position, alert), is_sent in zip(due, sent, strict=True):
            log("alert", cause=alert.cause, destination=position + 1, sent=is_sent)
            if is_sent:
                marks[names[position]][alert.cause] = alert.mark
            else:
                complain(
                    f"The alert {alert.cause} could not be sent to address {position + 1}; it is due again next time."
                )


@contextmanager
def _marks(home: Path) -> Iterator[dict[str, _Marks]]:
    """What each address was told of; changes are kept. One process at a time."""
    private = home / "private"
    private.mkdir(mode=0o700, exist_ok=True)
    folder = os.open(private, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        try:
            marks: dict[str, _Marks] = json.loads((private / MARKS).read_text(encoding="utf-8"))
            assert all(isinstance(one, dict) for one in marks.values())
        except (OSError, ValueError, AttributeError, AssertionError):
            marks = {}
        before = json.dumps(marks)
        yield marks
        if json.dumps(marks) != before:
            write_even_if_full(private / MARKS, json.dumps(marks, indent=1) + "\n", 0o600)
    finally:
        os.close(folder)


def _due(home: Path, told: Alerts, health: Health, marks: _Marks) -> Iterator[Alert]:
    """What one address has to be told; forgets marks of causes that are over."""
    failures = [health.problems[name] for name in _FAILURES if name in health.problems]
    if health.last_run.get("ended_at") is None and health.running is not None:
        pass  # a run is going on: it will tell how it ends
    elif not failures or not health.last_run:
        marks.pop("failed_run", None)
    elif "failed_run" in told.on:
        # The same failure every night is one cause.
        mark = " ".join(
            [name for name in _FAILURES if name in health.problems]
            + [str(health.last_run.get(name)) for name in ("exit_code", "error", "relation")]
        )
        yield from _unless_told(marks, Alert("failed_run", mark, *_words(home, "a run failed", failures, health)))
    if "stale_snapshot" not in health.problems:
        marks.pop("stale_snapshot", None)
    elif "stale_snapshot" in told.on:
        mark = utc_text(health.succeeded_at) if health.succeeded_at else ""
        words = _words(home, "the snapshot is stale", [health.problems["stale_snapshot"]], health)
        yield from _unless_told(marks, Alert("stale_snapshot", mark, *words))
    if health.snapshot is not None and "new_violations" in told.on:
        yield from _violations(home, health, health.snapshot, marks)


def _unless_told(marks: _Marks, alert: Alert) -> Iterator[Alert]:
    if marks.get(alert.cause) != alert.mark:
        yield alert


def _violations(home: Path, health: Health, snapshot: Published, marks: _Marks) -> Iterator[Alert]:
    """The violations that the address's last snapshot did not have; marks the snapshot as told where there is none."""
    before = marks.get("new_violations")
    if before == snapshot.run_id:
        return
    is_compared, counts = _new(home / "published", snapshot.run_id, before)
    total = sum(count for _, _, count in counts)
    if not total:
        marks["new_violations"] = snapshot.run_id
        return
    lines = [f"{count:,} {rule} ({finding_class})" for rule, finding_class, count in counts]
    if before and not is_compared:
        lines.append("The snapshot that was told of before is not kept any more, so these are all there are.")
    what = f"{total:,} new violation{'' if total == 1 else 's'}"
    yield Alert("new_violations", snapshot.run_id, *_words(home, what, lines, health))


def _new(published: Path, run_id: str, before: str | None) -> tuple[bool, list[tuple[str, str, int]]]:
    """Whether the snapshot of `before` could be read, and (rule, class, violations that it does not have)."""
    from pipelines import snapshots

    counted = "select rule, finding_class, count(*) from audits.findings as f where {} group by all order by all"
    with snapshots.opened(published / f"{run_id}.duckdb") as engine:
        earlier = published / f"{before}.duckdb"
        if before and earlier.is_file():
            known = f"select finding_id from before.audits.findings where {_IS_VIOLATION}"
            try:
                with engine.attached(earlier, "before"):
                    return True, engine.rows(counted.format(f"{_IS_VIOLATION} and finding_id not in ({known})"))
            except EngineError:
                pass  # damaged, or of another version: as if it were gone
        return False, engine.rows(counted.format(_IS_VIOLATION))


def _words(home: Path, what: str, lines: list[str], health: Health) -> tuple[str, str]:
    stands = []
    if health.snapshot:
        stands = [f"Published: {health.snapshot.verdict}. Violations in all: {health.snapshot.violation_count:,}."]
    run_id = health.last_run.get("run_id")
    more = [f"Home: {home}", *([f"Run: {run_id}"] if run_id else [])]
    return f"heed: {what}", "\n".join([*lines, "", *stands, *more])


def _sent(messages: list[tuple[str, str, str]]) -> list[bool]:
    """Whether each of (url, title, body) was sent; what was not heard of within the time was not."""
    if not messages:
        return []
    shows = os.environ.get("HEED_TRACEBACK")
    with subprocess.Popen(
        [sys.executable, "-P", str(_SENDER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if shows else subprocess.DEVNULL,
    ) as sender:
        try:
            out, _ = sender.communicate(json.dumps(messages).encode(), timeout=_LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            sender.kill()
            out, _ = sender.communicate()
        except BaseException:
            sender.kill()
            raise
    heard = [line == b"true" for line in out.split(b"\n")[:-1]][: len(messages)]
    return heard + [False] * (len(messages) - len(heard))
