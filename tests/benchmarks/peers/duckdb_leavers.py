"""DuckDB, by somebody who thinks of it: only the few contacts who ever left are joined.

The range join of heed itself, written by hand over the delivered files: stretches from the acts of those who ever left,
then their messages inside one. This is the strongest answer there is without an ordered history.
"""

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
            delivered as materialized (
                select contact, channel, event_type, requested_at from {relation(consent_events, EVENT_TYPES)}
            ),
            leavers as (
                select distinct contact from delivered where event_type in ('opt_out', 'complaint', 'block')
            ),
            events as (select * from delivered semi join leavers using (contact)),
            {STATES},
            stretches as (
                select
                    contact, channel, is_silent, acted_at as begins_at,
                    coalesce(lead(acted_at) over (partition by contact, channel order by acted_at), 'infinity')
                        as ends_at
                from states
            )
            select message_id
            from {relation(messages, MESSAGE_TYPES)} as m
            join stretches as s
                on s.contact = m.contact and s.channel = m.channel
                and s.begins_at < m.sent_at and m.sent_at <= s.ends_at
            where m.message_class in ('marketing', 'unknown') and s.is_silent
        ) to '{out}' (format parquet)"""
    )


if __name__ == "__main__":
    run(answer)
