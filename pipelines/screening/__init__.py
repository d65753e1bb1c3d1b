"""Screening: what heed would find if a message were sent to everybody on a list at one instant.

`column` says where the addresses stand, `people` who they are, `acts` what they asked for, `rules` what the law and the
home's policy allow at that instant, `judge` puts these together. Nothing of a list is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pipelines import audience, build, identity, publish, settings
from pipelines.canonical import CHANNELS, SYNONYMS
from pipelines.engines.duckdb import DuckDBEngine, quoted
from pipelines.errors import NoSnapshotError, UsageError
from pipelines.ledger import Ledger
from pipelines.screening import acts, column, judge, people, rules
from pipelines.screening.people import Plan
from pipelines.settings import Settings
from pipelines.zones import utc_text

if TYPE_CHECKING:
    import polars

STALE_AFTER = timedelta(hours=48)
_FIRST_YEAR, _LAST_YEAR = 2000, 2040
_NEEDED = ("core.contacts", "core.places", "core.place_zones", "core.span_coverage")


@dataclass(frozen=True)
class Request:
    """What is asked for; `at` None is now, `column` None is found by its name."""

    audience: str
    channel: str
    program: str = "default"
    at: str | None = None
    column: str | None = None
    input_format: str | None = None
    require_consent: bool = False
    strict_time: bool = False


@dataclass
class Screened:
    """A list after screening: who is kept (one boolean per row), the refused rows, and what to say about them."""

    audience: audience.Audience
    keep: Any
    refused: polars.DataFrame
    at: datetime
    as_of: datetime
    notes: list[str] = field(default_factory=list)

    @property
    def by_reason(self) -> dict[str, int]:
        """How many rows were refused for each reason that occurs, in the order in which reasons are looked at."""
        counted = dict(self.refused["reason"].value_counts().iter_rows())
        return {reason: counted[reason] for reason in judge.REASONS if reason in counted}

    def counts(self) -> dict[str, Any]:
        """The counts as JSON has them."""
        return {
            "read": len(self.keep),
            "sendable": len(self.keep) - len(self.refused),
            "refused": len(self.refused),
            "by_reason": self.by_reason,
            "at": utc_text(self.at),
            "as_of": utc_text(self.as_of),
            "notes": self.notes,
        }

    def words(self) -> str:
        """The counts in words, with the notes above them."""
        refused = [f"  {count:>12,} {judge.REASONS[reason]} ({reason})" for reason, count in self.by_reason.items()]
        end = ":" if refused else "."
        lines = [
            *self.notes,
            f"{len(self.keep):,} rows read for {utc_text(self.at)}: {len(self.keep) - len(self.refused):,} sendable,"
            f" {len(self.refused):,} refused{end}",
            *refused,
        ]
        return "\n".join(lines)


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise UsageError(
            f"--at is {text!r}, which is no instant.", "Write a time with its offset: 2026-12-01T09:00-05:00"
        )
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise UsageError(f"--at is {text!r}.", f"Write a year from {_FIRST_YEAR} to {_LAST_YEAR}.")
    return instant.astimezone(UTC)


def _channel(text: str) -> str:
    word = text.strip().lower()
    word = SYNONYMS["channel"].get(word, word)
    if word not in CHANNELS:
        raise UsageError(f"--channel is {text!r}.", f"Write one of {', '.join(CHANNELS)}.")
    return word


def _program(text: str) -> str:
    if text.strip() == "*":
        raise UsageError("--program is '*'.", "A message belongs to one program: name it.")
    return text.strip() or "default"


def screen(home: Path, request: Request, stdin: BinaryIO) -> Screened:
    """Judge a list by the home's record as it was last published, and its policy and rule book as they are now.

    Raises a HeedError with its exit code: nothing published, no key, a list that cannot be read, a wrong word.
    """
    channel, program, at = _channel(request.channel), _program(request.program), _instant(request.at)
    read = settings.read(home)
    pointer = publish.read_pointer(read.published)
    if pointer is None:
        raise NoSnapshotError(f"Nothing is published in {home}.", f"Make a snapshot first: heed -C {home} run")
    ledger = Ledger(read.history)
    key = identity.home_key(read.private, ledger)
    ledger.check_parts()
    country = read.policy.default_country
    listed = audience.read(request.audience, request.input_format, stdin)
    rows = listed.rows(column.choose(listed, request.column, channel, country))
    with _engine(read) as engine:
        as_of = _attach(engine, home, read.published / pointer["snapshot"])
        plan = Plan(
            channel=channel,
            program=program,
            at=at,
            scope=read.policy.scope,
            as_of=as_of or datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC),
            double_opt_in=read.policy.double_opt_in,
            require_consent=request.require_consent,
            strict_time=request.strict_time,
        )
        build.attach_history(engine, ledger)
        people.write(engine, rows, plan, country, key)
        row_count = len(rows)
        del rows  # addresses that nobody needs any more
        acts.write(engine, plan)
        has_log = acts.has_consent_log(engine, plan)
        rules.write(engine, read, plan, has_log)
        refused = judge.refused(engine, plan)
    notes = []
    if request.at is None:
        notes.append(f"No --at was given: judged for now, {utc_text(at)}.")
    if at - plan.as_of > STALE_AFTER:
        notes.append(f"The record ends at {utc_text(plan.as_of)}: opt-outs after it are not known.")
    if not has_log and not request.require_consent:
        notes.append(
            f"The record holds no opt-in for {channel}: who agreed cannot be told. --require-consent refuses everybody."
        )
    return Screened(listed, _kept(row_count, refused), refused, at, plan.as_of, notes)


def _engine(read: Settings) -> DuckDBEngine:
    """A database in memory that never spills, so that no address of the list reaches the disk."""
    engine = DuckDBEngine(memory_limit=read.policy.memory_limit, threads=read.policy.threads)
    engine.execute("set temp_directory = ''")
    return engine


def _attach(engine: DuckDBEngine, home: Path, snapshot: Path) -> datetime | None:
    """Attach the published snapshot as `snapshot`; returns the instant at which its record ends.

    Raises NoSnapshotError where an older heed wrote it.
    """
    engine.execute(f"attach {quoted(str(snapshot))} as snapshot (read_only)")
    there = {
        row[0]
        for row in engine.rows(
            "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'snapshot'"
        )
    }
    if not there.issuperset(_NEEDED):
        raise NoSnapshotError(
            f"The snapshot published in {home} is an earlier version's and has not what screening needs.",
            f"Make a new one: heed -C {home} run",
        )
    as_of: datetime | None = engine.value("select as_of from snapshot.run.parameters")
    return as_of


def _kept(row_count: int, refused: polars.DataFrame) -> Any:
    import numpy

    keep = numpy.ones(row_count, dtype=bool)
    keep[refused["row_number"].to_numpy() - 1] = False
    return keep
