"""DuckDB: an ASOF join of every message with the last act before it, as its guide shows for such questions."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.benchmarks.peers import run
from tests.benchmarks.peers.duckdb_sql import EVENT_TYPES, MESSAGE_TYPES, STATES, relation


def answer(messages: Path, consent_events: Path, out: Path) -> None:
    duckdb.connect().execute(
        f"""
        copy (
            with
            events as (from {relation(consent_events, EVENT_TYPES)}),
            {STATES}
            select message_id
            from {relation(messages, MESSAGE_TYPES)} as m
            asof join states as s on s.contact = m.contact and s.channel = m.channel and s.acted_at < m.sent_at
            where m.message_class in ('marketing', 'unknown') and s.is_silent
        ) to '{out}' (format parquet)"""
    )


if __name__ == "__main__":
    run(answer)
