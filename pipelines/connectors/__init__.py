"""Connectors: each module here reads one provider's files into canonical rows, and is found by being here.

A connector module defines

- `VERSION`: raised whenever the same bytes would give other rows; each load keeps the one that read it,
- `LIMITS`: what its provider's files cannot tell, in one sentence (empty if nothing), and
- `read(delivery) -> Reading`: the canonical rows of one file, as selects that `load` runs.

A select names `row_number` (the place among the rows that parse), `raw` (the row's text, or null to have it made from
the columns) and any canonical columns as text; a column of type TIMESTAMPTZ is taken as it is. It may add
`reject_reason` and `reject_column` for rows the connector itself refuses. It may leave `row_number` out where every row
of the file that parses is one record, in the file's order: the record's place is its number then.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol, cast

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.errors import ConfigurationError
from pipelines.settings import Source
from pipelines.settings_limits import Limits
from pipelines.text_lines import Lines

__all__ = ["Connector", "Delivery", "Reading", "Records", "connector", "named", "names"]


@dataclass(frozen=True)
class Delivery:
    """One delivered file, the source it belongs to, and the engine and folder to work in."""

    path: Path
    source: Source
    engine: DuckDBEngine
    work: Path
    limits: Limits = field(default_factory=Limits)

    @property
    def label(self) -> str:
        """How messages name the file."""
        return f"{self.path.name} (source {self.source.name})"


@dataclass(frozen=True)
class Records:
    """Rows of one canonical table, as a select that has not run yet."""

    table: str
    select: str


@dataclass(frozen=True)
class Reading:
    """What one file says: its rows by table, as selects.

    `rejects` is a select of row_number, reason and raw, to be run after the others: the rows that could not be parsed.
    `raws`, where the selects' `raw` is null, is a select of row_number and raw, run only for rows that are refused.
    `lines` is how the lines of a text file are cut, where the reader looked at that.
    """

    records: tuple[Records, ...]
    rejects: str | None = None
    raws: str | None = None
    lines: Lines | None = None


class Connector(Protocol):
    """What a connector module provides."""

    VERSION: int
    LIMITS: str

    def read(self, delivery: Delivery) -> Reading:
        """The canonical rows of one file."""


def names() -> list[str]:
    """The name of every connector."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


@cache
def named(name: str) -> Connector:
    """The connector of that name, which must be one of `names()`."""
    return cast(Connector, importlib.import_module(f"{__name__}.{name}"))


def connector(source: Source) -> Connector:
    """The connector a source names; raises ConfigurationError if there is none."""
    if source.connector not in names():
        raise ConfigurationError(
            f"heed.toml: [[source]] {source.name!r} connector is {source.connector!r}, which heed does not have.",
            f"Write one of {', '.join(names())}.",
        )
    return named(source.connector)
