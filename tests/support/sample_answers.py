"""Right answers about the sample's record, from its answer key, its delivered files and its findings: never a page."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from tests.support.published import heed, heed_rows


@dataclass(frozen=True)
class SampleAnswers:
    """The home of a sample that was run once."""

    home: Path

    @property
    def key(self) -> dict[str, Any]:
        """What the sample says was planted."""
        key: dict[str, Any] = json.loads((self.home / "answer_key.json").read_text(encoding="utf-8"))
        return key

    @property
    def expected(self) -> dict[str, Any]:
        """The numbers that the key expects."""
        expected: dict[str, Any] = self.key["expected"]
        return expected

    def findings(self) -> list[dict[str, Any]]:
        """Every finding, as the command line prints them."""
        return heed_rows(self.home, "findings")

    def violations(self) -> int:
        """Findings of severity critical or high that no waiver covers."""
        return sum(row["severity"] in ("critical", "high") and not row["waived_by"] for row in self.findings())

    def files(self) -> dict[str, int]:
        """Rows read, repeated and refused, over all delivered files."""
        files = self.key["files"].values()
        return {"files": len(files)} | {
            name: sum(told[name] for told in files) for name in ("read", "duplicate", "quarantined")
        }

    def opted_in(self) -> int:
        """How many contacts are opted in now, as the list of their keys says."""
        keys = heed(self.home, "segments", "--segment", "opted_in", "--keys", "--format", "csv")
        return sum(1 for _ in csv.reader(io.StringIO(keys))) - 1

    def first_deadline(self) -> datetime:
        """The earliest deadline of an opt-out that nobody has applied."""
        (found,) = self._one(
            "select min(deadline_at) from core.opt_out_spans "
            "where kind = 'opt_out' and processed_at is null and ends_at is null"
        )
        deadline: datetime = found
        return deadline

    def reasons(self, month: str) -> dict[str, int]:
        """Opt-outs that began in a month by the reason on record."""
        rows = self._rows(
            "select reason, count(*) from core.opt_out_spans "
            f"where kind = 'opt_out' and strftime(begins_at, '%Y-%m') = '{month}' group by reason"
        )
        return dict(rows)

    def message_of(self, finding_id: str) -> str:
        """The provider's id of the message that a finding is about."""
        (found,) = self._one(f"select message_id from audits.findings where finding_id = '{finding_id}'")
        return str(found)

    def _one(self, sql: str) -> Any:
        (row,) = self._rows(sql)
        return row

    def _rows(self, sql: str) -> list[Any]:
        pointer = json.loads((self.home / "published" / "CURRENT.json").read_text(encoding="utf-8"))
        with duckdb.connect(str(self.home / "published" / pointer["snapshot"]), read_only=True) as snapshot:
            snapshot.execute("set TimeZone = 'UTC'")
            return snapshot.execute(sql).fetchall()
