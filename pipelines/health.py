"""What state a home is in, for those who watch it: how the last run ended, how old the last success is, what stands."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines import errors, lock
from pipelines.errors import ConfigurationError, HeedError, UnhealthyError
from pipelines.publish import read_pointer
from pipelines.settings_operations import of_home
from pipelines.zones import utc_text

FOLDER = "operations"
LAST_RUN = "last_run.json"
#: A success further ahead than this shows that the clock was set back.
_CLOCK_SECONDS = 300


@dataclass(frozen=True)
class Published:
    """What a snapshot counts: findings by (rule, class, whether waived), quarantined rows by source."""

    run_id: str
    as_of: datetime | None
    verdict: str
    violation_count: int
    findings: dict[tuple[str, str, bool], int]
    rules: list[str]
    quarantined: dict[str, int]


@dataclass(frozen=True)
class Health:
    """The state of a home at one instant; `problems` are names with what they mean here, none when all is well."""

    at: datetime
    last_run: dict[str, Any]  # what operations/last_run.json says; empty before the first run
    succeeded_at: datetime | None  # when a run last found what is published to be all there is to say
    published_at: datetime | None
    snapshot: Published | None
    running: dict[str, Any] | None
    problems: dict[str, str]

    @property
    def age_seconds(self) -> int | None:
        """Seconds since the last success."""
        return None if self.succeeded_at is None else max(0, int((self.at - self.succeeded_at).total_seconds()))


def last_run(home: Path) -> dict[str, Any]:
    """What the last run wrote about itself; empty where there is nothing readable."""
    try:
        told = json.loads((home / FOLDER / LAST_RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def instant(text: Any) -> datetime | None:
    """The instant that a text is, to the second; or None."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found.replace(microsecond=0) if found.tzinfo else None


def published(path: Path) -> Published:
    """What the snapshot at `path` counts; raises HeedError when it cannot be read."""
    from pipelines import snapshots

    with snapshots.opened(path) as engine:
        verdicts = "select verdict from metrics.verdicts where period_start is null and channel = '*' and source = '*'"
        rows = engine.rows(
            "select rule, finding_class, waived_by is not null, count(*),"
            " count(*) filter (where severity in ('critical', 'high')) from audits.findings group by all order by all"
        )
        return Published(
            run_id=str(engine.value("select run_id from run.parameters")),
            as_of=engine.value("select as_of from run.parameters"),
            verdict=str(next(iter(row[0] for row in engine.rows(verdicts)), "Cannot attest")),
            violation_count=sum(row[4] for row in rows if not row[2]),
            findings={(row[0], row[1], row[2]): row[3] for row in rows},
            rules=[row[0] for row in engine.rows("select rule from run.audit_rules order by rule")],
            quarantined=dict(
                engine.rows(
                    "select source, sum(quarantined_count)::bigint from run.inputs group by source order by source"
                )
            ),
        )


def of(home: Path, max_age_seconds: int, told: dict[str, Any] | None = None) -> Health:
    """The state of a home now; raises ConfigurationError where there is none.

    `told` is what the last run says of itself, where it is at hand: a full disk may not have taken it.
    """
    if not home.is_dir():
        raise ConfigurationError(f"{home} is not a folder.", f"Make a home first: heed -C {home} init")
    now = datetime.now(UTC)
    last, running = (told, lock.holder(home)) if told else _last_and_running(home)
    problems: dict[str, str] = {}
    snapshot = published_at = None
    try:
        pointer = read_pointer(home / "published")
        if pointer is None:
            problems["no_snapshot"] = "Nothing is published, or what CURRENT.json names is not there."
        else:
            published_at = instant(pointer.get("published_at"))
            snapshot = published(home / "published" / pointer["snapshot"])
    except HeedError as error:
        said = meaning(type(error).__name__)
        problems["unreadable_snapshot"] = f"What is published cannot be read. {said} Try: heed -C {home} verify"
    # A home of an earlier version, or one without its operations/: what is published was a success when it was.
    succeeded_at = instant(last.get("succeeded_at")) or published_at
    if last:
        problems |= _of_last_run(last, is_running=running is not None)
    health = Health(now, last, succeeded_at, published_at, snapshot, running, problems)
    if succeeded_at is not None:
        ahead = (succeeded_at - now).total_seconds()
        if ahead > _CLOCK_SECONDS:
            problems["stale_snapshot"] = (
                f"The last success, {utc_text(succeeded_at)}, lies ahead: the clock was set back, and nobody knows"
                " how old the snapshot is."
            )
        elif health.age_seconds is not None and health.age_seconds > max_age_seconds:
            problems["stale_snapshot"] = (
                f"The last success was at {utc_text(succeeded_at)}, {_hours(health.age_seconds)} ago;"
                f" at most {_hours(max_age_seconds)} is allowed."
            )
    return health


def _last_and_running(home: Path) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """How the last run went and who holds the lock, from one moment: a run says how it ended before it lets go."""
    while True:
        last = last_run(home)
        running = lock.holder(home)
        if running is not None or last == last_run(home):
            return last, running


def _of_last_run(last: dict[str, Any], *, is_running: bool) -> dict[str, str]:
    if last.get("ended_at") is None:
        if is_running:
            return {}
        return {
            "died_run": f"The run that began at {last.get('began_at')} ended without a word: it was killed, or the"
            " machine stopped."
        }
    if last.get("exit_code") in errors.SUCCESSES:
        return {}
    return {
        "failed_run": f"The last run ended at {last['ended_at']} with exit code {last.get('exit_code')}"
        f" ({last.get('error')}): {meaning(last.get('error'))} Its standard error says more."
    }


def meaning(error: Any) -> str:
    """What a class of error means in general: nothing of this one's words, which may quote data."""
    if error == KeyboardInterrupt.__name__:
        return "It was stopped."
    known = vars(errors).get(str(error))
    words = (known.__doc__ or "").partition("\n\n")[0] if isinstance(known, type) else ""
    return words.partition("; ")[0].rstrip(".") + "." if words else "Something unexpected happened."


def _hours(seconds: int) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds} s"


def as_json(health: Health, max_age_seconds: int) -> dict[str, Any]:
    """The same as `heed health --json` prints it."""
    snapshot = health.snapshot
    return {
        "healthy": not health.problems,
        "problems": health.problems,
        "age_seconds": health.age_seconds,
        "max_age_seconds": max_age_seconds,
        "succeeded_at": utc_text(health.succeeded_at) if health.succeeded_at else None,
        "published_at": utc_text(health.published_at) if health.published_at else None,
        "last_run": health.last_run or None,
        "running": health.running,
        "snapshot": snapshot
        and {
            "run_id": snapshot.run_id,
            "as_of": utc_text(snapshot.as_of) if snapshot.as_of else None,
            "verdict": snapshot.verdict,
            "violations": snapshot.violation_count,
            "findings": [
                {"rule": rule, "finding_class": finding_class, "waived": is_waived, "count": count}
                for (rule, finding_class, is_waived), count in snapshot.findings.items()
            ],
            "quarantined": snapshot.quarantined,
        },
    }


def run(options: argparse.Namespace) -> None:
    """Print the state of a home, and with --alert send what is due; raises UnhealthyError when something is wrong."""
    home = options.home
    max_age_seconds = options.max_age or of_home(home).monitoring.max_age_seconds
    health = of(home, max_age_seconds)
    if options.alert:
        from pipelines.watch import Watch

        Watch(home).alert(health)
    if options.json:
        print(json.dumps(as_json(health, max_age_seconds), ensure_ascii=False, indent=1))
    else:
        print("\n".join(_in_words(health)))
    if health.problems:
        raise UnhealthyError(f"{home}: {', '.join(health.problems)}.", "docs/operations.md says what to do.")


def _in_words(health: Health) -> list[str]:
    lines = [f"{name}: {words}" for name, words in health.problems.items()] or ["Healthy."]
    if health.succeeded_at and health.age_seconds is not None:
        lines.append(f"Last success {utc_text(health.succeeded_at)}, {_hours(health.age_seconds)} ago.")
    if health.running is not None:
        lines.append(f"Running now: {lock.in_words(health.running)}.")
    if health.snapshot:
        refused = sum(health.snapshot.quarantined.values())
        lines.append(
            f"Published: {health.snapshot.verdict}. Violations: {health.snapshot.violation_count:,}."
            f" Quarantined rows: {refused:,}."
        )
    return lines
