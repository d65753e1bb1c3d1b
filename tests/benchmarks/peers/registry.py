"""Which peers there are, by name, and what each needs to be installed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True)
class Peer:
    """One peer of the audit core: its short name (for --peers), its name in the table, its module and its package."""

    short: str
    name: str
    module: str
    package: str
    is_named: bool = True  # whether the targets name it, or it is here because it is stronger than those

    @property
    def missing(self) -> str | None:
        """Why it cannot be measured here; None where it can."""
        try:
            version(self.package)
        except PackageNotFoundError:
            return f"{self.package} is not installed: make peers"
        if self.short == "spark" and shutil.which("java") is None:
            return "Java is not installed"
        return None

    @property
    def version(self) -> str:
        """The version of its library."""
        return f"{self.package} {version(self.package)}"


_FOLDER = "tests.benchmarks.peers"
PEERS = (
    Peer("pandas", "pandas merge_asof", f"{_FOLDER}.pandas_asof", "pandas"),
    Peer("polars", "Polars join_asof", f"{_FOLDER}.polars_asof", "polars"),
    Peer("duckdb", "DuckDB ASOF", f"{_FOLDER}.duckdb_asof", "duckdb"),
    Peer("chdb", "ClickHouse embedded ASOF", f"{_FOLDER}.chdb_asof", "chdb"),
    Peer("spark", "Spark local", f"{_FOLDER}.spark_local", "pyspark"),
    Peer("leavers", "DuckDB range join, leavers only", f"{_FOLDER}.duckdb_leavers", "duckdb", is_named=False),
)
WHOLE_JOB = f"{_FOLDER}.duckdb_script"
