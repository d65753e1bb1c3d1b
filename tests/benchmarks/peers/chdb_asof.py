"""ClickHouse, embedded (chdb): ASOF JOIN, its own feature for this question, over the files as they are."""

from __future__ import annotations

from pathlib import Path

import chdb

from tests.benchmarks.peers import run

_MESSAGES = "message_id String, channel String, contact String, message_class String, sent_at DateTime"
_EVENTS = "channel String, contact String, event_type String, requested_at DateTime"


def _file(path: Path, columns: str) -> str:
    """A scan of the columns of the question."""
    return f"file('{path}', CSVWithNames, '{columns}')" if path.suffix == ".csv" else f"file('{path}', Parquet)"


def answer(messages: Path, consent_events: Path, out: Path) -> None:
    out.unlink(missing_ok=True)
    chdb.query(
        f"""
        with
        acts as (
            select
                contact,
                arrayJoin(if(channel = '*', ['sms', 'whatsapp', 'email'], [channel])) as channel,
                event_type in ('opt_out', 'complaint', 'block') as opens,
                toDateTime64(requested_at, 6, 'UTC') - toIntervalMicrosecond(if(opens, 0, 1)) as acted_at,
                multiIf(event_type in ('opt_out', 'complaint'), 1,
                    event_type in ('opt_in', 'opt_in_confirmed'), 0, null) as is_out,
                multiIf(event_type = 'block', 1,
                    event_type in ('opt_in', 'opt_in_confirmed', 'unblock'), 0, null) as is_blocked
            from {_file(consent_events, _EVENTS)}
            where event_type <> 'opt_in_requested'
        ),
        states as (
            select
                contact, channel, acted_at,
                ifNull(last_value(is_out) over acts_so_far, 0) + ifNull(last_value(is_blocked) over acts_so_far, 0) > 0
                    as is_silent
            from acts
            window acts_so_far as (partition by contact, channel order by acted_at)
        )
        select message_id
        from (
            select message_id, contact, channel, toDateTime64(sent_at, 6, 'UTC') as sent_at
            from {_file(messages, _MESSAGES)}
            where message_class in ('marketing', 'unknown')
        ) as m
        asof join states as s on s.contact = m.contact and s.channel = m.channel and m.sent_at > s.acted_at
        where s.is_silent
        into outfile '{out}' format Parquet
        settings session_timezone = 'UTC', date_time_input_format = 'best_effort',
            output_format_parquet_string_as_string = 1"""
    )


if __name__ == "__main__":
    run(answer)
