"""The ratios heed is to reach, and what they are in one run."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from tests.benchmarks.peers.registry import PEERS

FLOOR = "floor: read four key columns"
COPY = "floor: CSV to Parquet"
COPY_ORDERED = "floor: CSV to Parquet, ordered"
CORE = "heed audit core, from history"
LOAD = "heed load (CSV to history)"
LOAD_AND_CORE = "heed load and audit core, from CSV"
RUN = "heed run from history"
SCRIPT = "DuckDB script, whole job from CSV"


@dataclass
class Row:
    """One measured process or query; `missing` says why there is no measurement."""

    name: str
    seconds: float | None
    rows: int
    peak_mb: float | None = None
    processor: float | None = None
    missing: str | None = None


@dataclass(frozen=True)
class Target:
    """A ratio of two measurements and what it should be: at most `limit`, or at least it; None: it is only told."""

    words: str
    value: float | None
    limit: float | None
    is_least: bool = False

    @property
    def line(self) -> str:
        """The target, the value and whether it is met."""
        sign = ">=" if self.is_least else "<="
        wanted = "" if self.limit is None else f"{sign} {self.limit:g}"
        if self.value is None:
            return f"{self.words:<64}{wanted:>10}  not measured"
        if self.limit is None:
            return f"{self.words:<64}{wanted:>10}{self.value:>10.2f}"
        met = self.value >= self.limit if self.is_least else self.value <= self.limit
        return f"{self.words:<64}{wanted:>10}{self.value:>10.2f}  {'met' if met else 'NOT MET'}"


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below


def default_limit_mb() -> float:
    """What heed allows itself where heed.toml says nothing: half of this machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 / (1 << 20)


def _growth(rows: list[Row], smaller: dict[str, float], name: str) -> Target:
    """How many times as long a job of ten times the messages takes, from a run with fewer of them."""
    now = next((row for row in rows if row.name == name), None)
    messages, before = smaller.get(f"{name} rows"), smaller.get(name)
    value = None
    if now and now.seconds and messages and before and now.rows > messages:
        # Ten times the messages, whatever the two runs had: by the exponent between them.
        value = 10 ** (math.log(now.seconds / before) / math.log(now.rows / messages))
    return Target(f"{name}: ten times the messages, in times", value, 11)


def targets(rows: list[Row], smaller: dict[str, float]) -> list[Target]:
    """The targets, each with its ratio. Queries are compared with queries, and whole processes with whole processes.

    `smaller` has the seconds and rows of a run with fewer messages, by name; empty where there is none.
    """
    seconds = {row.name: row.seconds for row in rows}

    def best(form: str, kind: str, *, of_all: bool = False) -> float | None:
        """The fastest peer: the named ones, or all of them; a query that was asked twice counts warm."""
        found = (
            seconds.get(f"{peer.name}, from {form}{words}")
            for peer in PEERS
            if peer.is_named or of_all
            for words in ([""] if kind == "process" else [" (query only)", " (query only, warm)"])
        )
        return min((value for value in found if value is not None), default=None)

    core = seconds.get(f"{CORE} (query only)")
    load, together, run = (seconds.get(name) for name in (LOAD, LOAD_AND_CORE, RUN))
    peak = max((row.peak_mb for row in rows if row.name.startswith("heed") and row.peak_mb), default=None)
    processes = best("CSV", "process")
    whole = None if load is None or run is None else load + run
    return [
        Target("audit core from history, in F", _ratio(core, seconds.get(FLOOR)), 1.2),
        Target(
            "best ASOF peer from delivered Parquet, in audit cores", _ratio(best("Parquet", "query"), core), 8, True
        ),
        Target("best peer of any method, the same", _ratio(best("Parquet", "query", of_all=True), core), 8, True),
        Target("load and audit core from CSV, in the best ASOF peer's time", _ratio(together, processes), 1),
        Target("load CSV to history, in CSV to Parquet", _ratio(load, seconds.get(COPY)), 2.5),
        Target("load CSV to history, in CSV to Parquet, ordered alike", _ratio(load, seconds.get(COPY_ORDERED)), 1.5),
        Target("heed run from history, in F", _ratio(run, seconds.get(FLOOR)), 30),
        Target("peak memory of heed, in the default limit", _ratio(peak, default_limit_mb()), 1),
        _growth(rows, smaller, LOAD),
        _growth(rows, smaller, RUN),
        Target("heed load and run from CSV, in the DuckDB script's time", _ratio(whole, seconds.get(SCRIPT)), None),
    ]
