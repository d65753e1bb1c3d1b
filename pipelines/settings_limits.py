"""[limits] of heed.toml: how large what is delivered may be before it is surely a mistake, or an attack."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pipelines.settings_table import Table, memory_bytes


@dataclass(frozen=True)
class Limits:
    """What a delivery may measure. A row beyond the first three is quarantined; a file beyond another stops the run.

    `line_size` (None: 2 MiB for CSV, 16 MiB for lines of JSON), `field_size` and `file_size` are bytes; those of a
    packed file are counted unpacked. `unpacked_ratio` is how many bytes may come of one packed byte, `nesting` how
    deep objects and lists of JSON may lie in each other. `symlinks` lets symbolic links lead to files.
    """

    line_size: int | None = None
    field_size: int = 1 << 20
    nesting: int = 200
    row_count: int = 1_000_000_000
    file_size: int = 100 * 1000**3
    unpacked_ratio: int = 300
    file_count: int = 100_000
    symlinks: bool = False

    @property
    def json_line_size(self) -> int:
        """Bytes that a line of JSON may have."""
        return self.line_size or 16 << 20

    @property
    def changed_reading(self) -> dict[str, Any]:
        """Those that decide which rows are used, where they are not the default."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name in ("line_size", "field_size", "nesting") and value != getattr(Limits, name)
        }


def read_limits(path: Path, content: dict[str, Any]) -> Limits:
    """[limits] as it stands in heed.toml; raises ConfigurationError for what is wrong in it."""
    table = Table(path, "[limits]", content)
    defaults = Limits()
    found: dict[str, Any] = {}
    for field in fields(Limits):
        default = getattr(defaults, field.name)
        if field.name.endswith("_size"):
            text = table.size(field.name)
            value = memory_bytes(text) if text else default
        else:
            value = table.take(field.name, type(default), default)
        if value is not None and not isinstance(value, bool) and value < 1:
            raise table.wrong(field.name, f"is {content[field.name]!r}", "Write more than nothing, or remove the line.")
        found[field.name] = value
    table.finish()
    return Limits(**found)
