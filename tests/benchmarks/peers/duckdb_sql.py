"""What the DuckDB peers share: the delivered files as relations, and the acts in DuckDB's SQL."""

from __future__ import annotations

from pathlib import Path

MESSAGE_TYPES = "{'contact': 'VARCHAR', 'sent_at': 'TIMESTAMPTZ'}"
EVENT_TYPES = "{'contact': 'VARCHAR', 'requested_at': 'TIMESTAMPTZ', 'processed_at': 'TIMESTAMPTZ'}"

#: Needs `events`. is_out and is_blocked are null where an act says nothing of them; equal times share one state.
STATES = """
    acts as (
        select
            contact,
            unnest(case when channel = '*' then ['sms', 'whatsapp', 'email'] else [channel] end) as channel,
            requested_at - case when event_type in ('opt_out', 'complaint', 'block')
                then interval 0 second else interval 1 microsecond end as acted_at,
            case when event_type in ('opt_out', 'complaint') then true
                when event_type in ('opt_in', 'opt_in_confirmed') then false end as is_out,
            case when event_type = 'block' then true
                when event_type in ('opt_in', 'opt_in_confirmed', 'unblock') then false end as is_blocked
        from events
        where event_type <> 'opt_in_requested'
    ),
    states as (
        select
            contact, channel, acted_at,
            coalesce(last_value(is_out ignore nulls) over acts_so_far, false)
                or coalesce(last_value(is_blocked ignore nulls) over acts_so_far, false) as is_silent
        from acts
        window acts_so_far as (partition by contact, channel order by acted_at)
    )"""


def relation(path: Path, types: str) -> str:
    """A scan of a delivered file, CSV or Parquet."""
    return f"read_csv('{path}', types={types})" if path.suffix == ".csv" else f"read_parquet('{path}')"
