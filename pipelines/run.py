"""One run: load what is new, build, audit, measure, validate, publish. The steps, in order, in one list."""

from __future__ import annotations

import secrets
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from threading import Thread

from pipelines import (
    audit,
    build,
    chain,
    changes,
    leftovers,
    lineage,
    private_files,
    provenance,
    publish,
    quarantine,
    retention,
)
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.errors import ConfigurationError, UsageError
from pipelines.event_log import Tell
from pipelines.ledger import Ledger, Load
from pipelines.loading import Narrate, load_new
from pipelines.lock import home_lock
from pipelines.settings import Settings
from pipelines.signature import Signer, read_signer
from pipelines.working import engine_of, options_of, work_folder

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
            new_loads = load_new(settings, ledger, work, started_at, narrate, tell)

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
            with engine_of(settings, ledger, work, run_id) as engine:
                run = Run(settings, ledger, engine, run_id, started_at, instant, parts, new_loads, steps, signer)
                for name, words, step in STEPS:
                    narrate(words)
                    begun = time.perf_counter()
                    rows = step(run)
                    done(name, rows)
            assert run.snapshot is not None
            return Outcome(run_id, run.snapshot, True, new_loads, steps)
