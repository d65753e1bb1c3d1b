"""[engine] of heed.toml: where the heavy relations are built."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.settings_table import Table

ENGINES = ("duckdb", "spark")

_MASTER = re.compile(
    r"local(\[(\d+|\*)(,\d+)?\])?|local-cluster\[\d+,\d+,\d+\]|yarn|k8s://\S+|spark://[^\s,]+(,[^\s,]+)*"
)
_ADDRESS = re.compile(r"[^\s:,/]+:\d+|\[[0-9a-fA-F:]+\]:\d+")
#: Spark settings that decide what rows come out, or where heed finds them.
_OURS = (
    "spark.app.name",
    "spark.master",
    "spark.sql.ansi.enabled",
    "spark.sql.catalogImplementation",
    "spark.sql.caseSensitive",
    "spark.sql.parquet.outputTimestampType",
    "spark.sql.parser.escapedStringLiterals",
    "spark.sql.session.timeZone",
    "spark.sql.warehouse.dir",
)


@dataclass(frozen=True)
class Engine:
    """[engine]: DuckDB in this process, or a Spark cluster for what is heavy.

    `folder` is where Spark writes what DuckDB then reads (None: the run's own work folder); `history` is where the
    cluster finds the files of the home's history (None: where they lie here). A relation that reads fewer than
    `least_rows` rows is built by DuckDB all the same. `wait_seconds` bounds every wait for the cluster.
    """

    name: str = "duckdb"
    master: str = "local[*]"
    folder: Path | None = None
    history: str | None = None
    least_rows: int = 1_000_000
    wait_seconds: int = 60
    config: dict[str, str] = field(default_factory=dict)

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each standalone master; none for another kind of cluster."""
        if not self.master.startswith("spark://"):
            return []
        pairs = (address.rpartition(":") for address in self.master.removeprefix("spark://").split(","))
        return [(host.strip("[]"), int(port)) for host, _, port in pairs]


def read_engine(path: Path, content: dict[str, Any]) -> Engine:
    """[engine] as it stands in heed.toml; raises ConfigurationError for what is wrong in it."""
    table = Table(path, "[engine]", content)
    defaults = Engine()
    engine = Engine(
        name=table.one_of("name", ENGINES, defaults.name),
        master=_master(table, defaults.master),
        folder=_folder(table),
        history=table.text("history"),
        least_rows=_at_least(table, "least_rows", 0, defaults.least_rows),
        wait_seconds=_at_least(table, "wait_seconds", 1, defaults.wait_seconds),
        config=_config(table),
    )
    table.finish()
    if engine.name != "spark" and len(content) > ("name" in content):
        raise table.wrong("name", f"is {engine.name!r}", 'Write name = "spark", or remove the other lines of [engine].')
    return engine


def _master(table: Table, default: str) -> str:
    master = table.text("master", default) or default
    named = master.removeprefix("spark://").split(",") if master.startswith("spark://") else []
    if not _MASTER.fullmatch(master) or not all(_ADDRESS.fullmatch(address) for address in named):
        raise table.wrong(
            "master", f"is {master!r}", 'Write "spark://host:7077", "local[2]", "yarn" or "k8s://https://host:port".'
        )
    return master


def _folder(table: Table) -> Path | None:
    value = table.text("folder")
    if value is None:
        return None
    if not Path(value).is_absolute():
        raise table.wrong("folder", f"is {value!r}", "Write a path from the root, which every machine has in common.")
    return Path(value)


def _at_least(table: Table, key: str, least: int, default: int) -> int:
    value: int = table.take(key, int, default)
    if value < least:
        raise table.wrong(key, f"is {value}", f"Write at least {least}, or remove the line.")
    return value


def _config(table: Table) -> dict[str, str]:
    """Spark's own settings as texts; TOML's true, false and numbers as Spark writes them."""
    found = {}
    for key, value in table.take("config", dict, {}).items():
        if isinstance(value, dict):
            raise table.wrong(f"config.{key}", "is a table", f'Write the name in quotes: "{key}.…" = "a value".')
        if not key.startswith("spark."):
            raise table.wrong(f"config {key}", "is no setting of Spark's", 'Write "spark.executor.memory" = "8g".')
        if key in _OURS:
            raise table.wrong(f"config {key}", "is set by heed", "Remove the line: another value gives other rows.")
        if not isinstance(value, str | int | float):
            raise table.wrong(f"config {key}", f"is {value!r}", "Write a text, a number, true or false.")
        found[key] = str(value).lower() if isinstance(value, bool) else str(value)
    return found
