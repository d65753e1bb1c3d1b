"""[retention] of heed.toml: how long texts and addresses are kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pipelines.settings_table import Table

_DAYS = re.compile(r"\s*([1-9][0-9]{0,4})\s*d\s*")


@dataclass(frozen=True)
class Retention:
    """[retention]: the age from which texts go, and from which the addresses of contacts without a newer record go.

    None: they are kept. Age is counted back from as_of.
    """

    texts: timedelta | None = None
    addresses: timedelta | None = None


def read_retention(path: Path, content: dict[str, Any]) -> Retention:
    """[retention] as it stands in heed.toml; raises ConfigurationError for what is wrong in it."""
    table = Table(path, "[retention]", content)
    retention = Retention(
        texts=_days(table, table.text("texts"), "texts"), addresses=_days(table, table.text("addresses"), "addresses")
    )
    table.finish()
    return retention


def _days(table: Table, value: str | None, key: str) -> timedelta | None:
    if value is None:
        return None
    match = _DAYS.fullmatch(value)
    if not match:
        raise table.wrong(key, f"is {value!r}", 'Write a number of days: "365d".')
    return timedelta(days=int(match.group(1)))
