"""DuckDB, the whole job in one script: `create table as`, then the questions a first report would ask.

What heed's main job answers beyond it (deadlines, classes, the other rules, intervals, validation, a published snapshot
with its lineage) is left out, as such a script would leave it out. Dates are UTC's, as in heed's default.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.benchmarks.peers import run
from tests.benchmarks.peers.duckdb_sql import EVENT_TYPES, MESSAGE_TYPES, STATES, relation

_TABLES = f"""
    create table stretches as
    with {STATES}
    select
        contact, channel, is_silent, acted_at as begins_at,
        coalesce(lead(acted_at) over (partition by contact, channel order by acted_at), 'infinity') as ends_at
    from states;

    create table spans as
    with acts as (
        select
            event_id, contact, event_type, requested_at, processed_at, reason_code,
            unnest(case when channel = '*' then ['sms', 'whatsapp', 'email'] else [channel] end) as channel,
            event_type in ('opt_out', 'complaint') as opens
        from events
        where event_type in ('opt_out', 'complaint', 'opt_in', 'opt_in_confirmed')
    ),
    known as (select distinct contact, channel from messages union select distinct contact, channel from events),
    marked as (
        select acts.*, lag(opens) over (partition by contact, channel order by requested_at, opens) as was_open
        from acts semi join known using (contact, channel)
    )
    select
        contact, channel, requested_at as begins_at, greatest(processed_at, requested_at) as processed_at, reason_code
    from marked
    where opens and was_open is distinct from true;

    create table findings as
    select m.*
    from messages as m
    join stretches as s
        on s.contact = m.contact and s.channel = m.channel and s.begins_at < m.sent_at and m.sent_at <= s.ends_at
    where m.message_class in ('marketing', 'unknown') and s.is_silent;
"""
_NUMBERS = {
    "opt_out_rate": """
        with
        reached as (
            select distinct contact, channel, date_trunc('{grain}', sent_at) as period
            from messages
            where message_class in ('marketing', 'unknown') and status in ('accepted', 'sent', 'delivered', 'read')
        ),
        began as (select distinct contact, channel, date_trunc('{grain}', begins_at) as period from spans)
        select period, count(b.contact) as numerator, count(*) as denominator
        from reached left join began as b using (contact, channel, period)
        group by period order by period""",
    "response_time": """
        select
            count(*), count(processed_at), median(processed_at - begins_at),
            quantile_cont(epoch(processed_at - begins_at), [0.9, 0.95])
        from spans""",
    "feedback_reasons": """
        select coalesce(reason_code, 'unspecified') as reason, count(*) from spans group by reason order by 2 desc""",
    "messages": """
        select date_trunc('month', sent_at) as month, channel, count(*), count(distinct contact)
        from messages group by all order by all""",
}


def answer(messages: Path, consent_events: Path, out: Path) -> None:
    connection = duckdb.connect()
    connection.execute(f"create table messages as from {relation(messages, MESSAGE_TYPES)}")
    connection.execute(f"create table events as from {relation(consent_events, EVENT_TYPES)}")
    connection.execute(_TABLES)
    for query in _NUMBERS.values():
        for grain in ("week", "month") if "{grain}" in query else ("",):
            connection.execute(query.format(grain=grain)).fetchall()
    connection.execute(f"copy (select message_id from findings) to '{out}' (format parquet)")


if __name__ == "__main__":
    run(answer)
