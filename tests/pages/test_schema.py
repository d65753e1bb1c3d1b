"""The snapshots that tests make have the tables and columns that docs/snapshot.md promises."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.snapshot_schema import TABLES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "snapshot.md"
KINDS = {"text": "varchar", "timestamptz": "timestamp with time zone", "int": "integer"}


def test_made_snapshots_are_as_documented() -> None:
    parts = re.split(r"^### (\w+\.\w+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    documented = {
        relation: re.findall(r"^\| `(\w+)` \| ([\w ]+?) \|", part.partition("\n## ")[0], re.MULTILINE)
        for relation, part in zip(parts[1::2], parts[2::2], strict=True)
    }
    documented["metrics.measurements"] = [
        column for column in documented["metrics.measurements"] if column[1] in {"varchar", "date", "double"}
    ]
    made = {
        relation: [
            (name, KINDS.get(kind, kind)) for name, kind in (column.split() for column in definition.split(", "))
        ]
        for relation, definition in TABLES.items()
    }
    assert made == documented
