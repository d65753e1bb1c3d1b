"""One run: load what is new, build, audit, measure, validate, publish. The steps, in order, in one list."""

from __future__ import annotations

import os
import secrets
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any, Protocol

from pipelines import (
    audit,
    build,
    chain,
    changes,
    identity,
    inbox,
    leftovers,
    lineage,
    load,
    private_files,
    provenance,
    publish,
    quarantine,
    retention,
)
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.errors import ConfigurationError, UsageError
from pipelines.ledger import Ledger, Load
from pipelines.lock import home_lock
from pipelines.settings import Settings
from pipelines.settings_table import memory_bytes
from pipelines.signature import Signer, read_signer

Narrate = Callable[[str], None]


class Tell(Protocol):
    """What is told of every event of a run: its name and its facts; never an address."""

    def __call__(self, event: str, /, **facts: Any) -> None: ...


#: The years for which there are calendars of holidays and of clock changes.
_FIRST_YEAR, _LAST_YEAR = 2000, 2040


Steps = list[tuple[str, float, int]]


@dataclass
class Outcome:
    """What a run did: the snapshot that now stands, whether this run made it, and its steps (name, seconds, rows)."""

    run_id: str
    snapshot: Path
    is_new: bool
    new_loads: list[Load]
    steps: Steps

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by step."""
        return {name: seconds for name, seconds, _ in self.steps}


@dataclass
class Run:
    """A run in progress: what every step reads and adds to."""

    settings: Settings
    ledger: Ledger
    engine: DuckDBEngine
    run_id: str
    started_at: datetime
    as_of: datetime | None
    fingerprints: dict[str, str]
    new_loads: list[Load]
    steps: Steps
    signer: Signer | None = None
    snapshot: Path | None = None


def _facts(run: Run) -> int:
    build.attach_history(run.engine, run.ledger)
    if run.engine.name == "duckdb":  # a cluster's relations are files, which hold text
        build.number_words(run.engine)
    build.write_reference(run.engine)
    digest = lineage.fingerprint(run.fingerprints)
    provenance.write_parameters(run.engine, run.settings, run.run_id, run.as_of, run.started_at, digest)
    lineage.write_fingerprints(run.engine, run.fingerprints)
    build.write_rule_book(run.engine, run.settings)
    build.write_calendars(run.engine, run.settings, run.as_of or datetime(2000, 1, 1, tzinfo=UTC))
    rows = build.build_layer(run.engine, "core")
    provenance.write_excluded(run.engine)
    lineage.write_load_days(run.engine)
    provenance.write_inputs(run.engine, run.ledger, {one.load_id for one in run.new_loads})
    quarantine.write(run.engine, run.settings, run.ledger.loads)
    provenance.write_sources(run.engine, run.settings, run.ledger)
    return rows["core.messages"] + rows["core.consent_events"]


def _audit(run: Run) -> int:
    return audit.audit(run.engine, run.settings)


def _measure(run: Run) -> int:
    from pipelines.measure import measure

    measure(run.engine)
    return int(run.engine.value("select count(*) from metrics.measurements"))


def _validate(run: Run) -> int:
    from pipelines.validate import validate

    validate(run.engine)
    return int(run.engine.value("select count(*) from validation.results"))


def _publish(run: Run) -> int:
    provenance.write_steps(run.engine, run.steps)
    row = provenance.write_history(run.engine, run.settings.published)
    changes.write(run.engine, run.settings.published)
    run.snapshot = publish.publish(
        run.engine,
        run.settings.published,
        row,
        lineage.fingerprint(run.fingerprints),
        chain.head(run.ledger.path),
        run.settings.policy.keep_snapshots,
        run.signer,
    )
    return 1


#: What a run does after loading, in order. A step returns the number of rows it made.
STEPS: tuple[tuple[str, str, Callable[[Run], int]], ...] = (
    ("build", "Building the facts", _facts),
    ("audit", "Auditing", _audit),
    ("measure", "Measuring", _measure),
    ("validate", "Validating", _validate),
    ("publish", "Publishing", _publish),
)


def _as_of(text: str, from_command_line: bool) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    kind, option = (UsageError, "--as-of") if from_command_line else (ConfigurationError, "heed.toml: [policy] as_of")
    if instant is None or instant.tzinfo is None:
        raise kind(f"{option} is {text!r}, which is no instant.", "Write a time with its offset: 2026-11-01T00:00:00Z")
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise kind(f"{option} is {text!r}.", f"Write a year from {_FIRST_YEAR} to {_LAST_YEAR}.")
    return instant.astimezone(UTC)


#: Bytes of memory that a run's working database takes for each record, at the most.
_BYTES_PER_RECORD = 400
#: With fewer records, or a smaller file to load, sharing the work among threads costs more than it saves.
_RECORDS_FOR_ONE_THREAD, _BYTES_FOR_ONE_THREAD = 20_000, 2_000_000


def _memory_limit(settings: Settings) -> int:
    """Bytes that DuckDB may hold: what the configuration says, or half of this machine's memory."""
    if settings.policy.memory_limit:
        return memory_bytes(settings.policy.memory_limit)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _fits_in_memory(settings: Settings, ledger: Ledger) -> bool:
    """Whether the working database needs no file: packing relations for the disk costs as much as computing them."""
    return _records(ledger) * _BYTES_PER_RECORD < _memory_limit(settings) // 2


def _records(ledger: Ledger) -> int:
    return sum(one.accepted_count for one in ledger.loads)


@contextmanager
def work_folder(settings: Settings) -> Iterator[Path]:
    """A disposable folder below private/ (staged rows hold addresses), gone afterwards."""
    work = settings.private / "work"
    shutil.rmtree(work, ignore_errors=True)  # what a killed run left behind
    settings.private.mkdir(mode=0o700, exist_ok=True)
    work.mkdir(mode=0o700)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def options_of(settings: Settings, work: Path, name: str, *, is_small: bool = False) -> dict[str, Any]:
    """What DuckDB may take of this machine for the database `name`, and where it spills."""
    return {
        "memory_limit": f"{_memory_limit(settings) // 1024}KiB",
        "threads": settings.policy.threads or (1 if is_small else None),
        "temporary_folder": work / f"{name}.spill",
    }


@contextmanager
def _engine(settings: Settings, ledger: Ledger, work: Path, name: str) -> Iterator[DuckDBEngine]:
    """A disposable database to build in, with a cluster for what is heavy where [engine] says so."""
    path = None if _fits_in_memory(settings, ledger) else work / f"{name}.duckdb"
    is_small = _records(ledger) < _RECORDS_FOR_ONE_THREAD
    options = options_of(settings, work, name, is_small=is_small) | {"in_memory": ("audits",)}
    if settings.engine.name != "spark":
        with DuckDBEngine(path, **options) as engine:
            yield engine
        return
    from pipelines.engines.spark import SparkEngine, shared_folder

    with (
        shared_folder(settings.engine, settings.home, work) as folder,
        SparkEngine(path, told=settings.engine, folder=folder, home_history=settings.history, **options) as engine,
    ):
        yield engine


def _load_time(ledger: Ledger, now: datetime, narrate: Narrate) -> datetime:
    """When what is loaded now is loaded: never before what was loaded already, whatever the clock says.

    Records of later than a day after it are refused, and a clock that was set back must not refuse a year of them.
    """
    last = max((datetime.fromisoformat(one.loaded_at) for one in ledger.loads), default=now)
    if now < last:
        narrate(f"The clock says {now:%Y-%m-%d %H:%M}, before the last load ({last:%Y-%m-%d %H:%M} UTC): set it right.")
    return max(now, last)


def _load(
    settings: Settings, ledger: Ledger, work: Path, started_at: datetime, narrate: Narrate, tell: Tell
) -> list[Load]:
    if not settings.sources:
        narrate("heed.toml names no source: there is nothing to read.")
    files = inbox.inbox_files(settings, ledger, narrate)
    for sentence in inbox.retire_reread(settings, ledger, files):
        narrate(sentence)
    new = list(inbox.new_files(settings, ledger, files, narrate))
    key = identity.home_key(settings.private, ledger, may_make=not ledger.loads) if new else b""
    loads = []
    loaded_at = _load_time(ledger, started_at, narrate)
    for position, file in enumerate(new, start=1):
        narrate(f"Loading {file.file(settings.home)} ({position} of {len(new)})")
        name, begun = f"load_{position}", time.perf_counter()
        is_small = file.size_bytes < _BYTES_FOR_ONE_THREAD
        options = options_of(settings, work, name, is_small=is_small)
        with DuckDBEngine(work / f"{name}.duckdb", **options) as engine:
            one = load.load_file(engine, settings, ledger, file, key, work, loaded_at)
        tell("file_loaded", **_counts(one), seconds=_since(begun))
        if one.read_count == 0:
            narrate(f"{one.file} holds no rows.")
        if one.textless_count:
            narrate(
                f"{one.textless_count:,} rows of {one.file} came without their texts: forgotten, or past their time."
            )
        loads.append(one)
    refused = [one for one in loads if one.quarantined_count]
    for sentence in quarantine.beyond_limits(settings.private, refused):
        narrate(sentence)
    if refused:
        worst = max(refused, key=lambda one: one.quarantined_count / one.read_count)
        narrate(
            f"{sum(one.quarantined_count for one in refused):,} of {sum(one.read_count for one in loads):,} rows"
            f" quarantined, in {len(refused)} of {len(loads)} files; most of all in {worst.file}"
            f" ({worst.quarantined_count:,} of {worst.read_count:,})."
        )
    return loads


def _counts(one: Load) -> dict[str, Any]:
    """What the log says of a load: nothing that a delivered file's name or rows could bring in."""
    names = ("load_id", "source", "connector", "size_bytes")
    return {name: getattr(one, name) for name in (*names, *(f"{kind}_count" for kind in _KINDS))}


_KINDS = ("read", "accepted", "duplicate", "quarantined")


def _since(begun: float) -> float:
    return round(time.perf_counter() - begun, 3)


@contextmanager
def _told_of_its_end(tell: Tell) -> Iterator[None]:
    """Say how a run ends while it still holds the lock."""
    try:
        yield
    except BaseException as error:
        tell("run_leaves", error=error)
        raise
    tell("run_leaves", error=None)


def execute(
    settings: Settings,
    *,
    as_of: str | None = None,
    rebuild: bool = False,
    narrate: Narrate = lambda _: None,
    tell: Tell = lambda _, /, **facts: None,
    wait_seconds: float = 0,
) -> Outcome:
    """Do one run of a home and return what now stands.

    `as_of` overrides the configured one; `rebuild` makes a new snapshot of the same record where nothing is new;
    `tell` hears every event; another run is waited for at most `wait_seconds`.
    Raises a HeedError with its exit code; whatever happens, the snapshot published before stays whole until a new one
    takes its place.
    """
    wanted = as_of or settings.policy.as_of
    wanted_as_of = _as_of(wanted, as_of is not None) if wanted else None
    signer = read_signer(settings.signing_key) if settings.signing_key else None
    if settings.engine.name == "spark":
        from pipelines.engines import spark_session

        spark_session.check(settings.engine)
    with home_lock(settings.home, "run", wait_seconds, narrate), _told_of_its_end(tell):
        started_at = datetime.now(UTC)
        # To the microsecond, so that names sort as the runs began.
        run_id = f"{started_at:%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(3)}"
        tell("run_begun", run_id=run_id)
        settings.history.mkdir(mode=0o700, exist_ok=True)  # it holds what people wrote
        private_files.close(settings, narrate)
        ledger = Ledger(settings.history)
        ledger.check_parts()
        chain.refuse_newer(settings.published / publish.RUNS)
        pointer = publish.read_pointer(settings.published)
        steps: Steps = []
        with work_folder(settings) as work:
            begun = time.perf_counter()
            new_loads = _load(settings, ledger, work, started_at, narrate, tell)

            def done(name: str, rows: int) -> None:
                steps.append((name, _since(begun), rows))
                tell("step_done", step=name, seconds=steps[-1][1], rows=rows)

            done("load", sum(one.read_count for one in new_loads))
            latest = [datetime.fromisoformat(one.last_record_at) for one in ledger.loads if one.last_record_at]
            instant = wanted_as_of or max(latest, default=None)
            retention.enforce(
                settings, ledger, instant, lambda: DuckDBEngine(**options_of(settings, work, "retention")), narrate
            )
            leftovers.sweep(ledger, settings.home)

            parts = lineage.fingerprints(settings, ledger, wanted)
            digest = lineage.fingerprint(parts)
            if pointer and pointer["fingerprint"] == digest and not rebuild:
                narrate("Nothing new: the published snapshot stands.")
                tell("nothing_new")
                return Outcome(pointer["run_id"], settings.published / pointer["snapshot"], False, new_loads, steps)

            # Great Expectations takes seconds to import: it does so while DuckDB builds. It imports PySpark too where
            # that is installed, which warns of pandas 3: heed hands no data frame from one to the other.
            warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
            Thread(target=import_module, args=("great_expectations",), daemon=True).start()
            with _engine(settings, ledger, work, run_id) as engine:
                run = Run(settings, ledger, engine, run_id, started_at, instant, parts, new_loads, steps, signer)
                for name, words, step in STEPS:
                    narrate(words)
                    begun = time.perf_counter()
                    rows = step(run)
                    done(name, rows)
            assert run.snapshot is not None
            return Outcome(run_id, run.snapshot, True, new_loads, steps)
