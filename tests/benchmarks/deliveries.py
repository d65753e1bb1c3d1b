"""Canonical CSV deliveries of any size, seeded, made by DuckDB: what the benchmarks read."""

from __future__ import annotations

from pathlib import Path

from pipelines.engines.duckdb import DuckDBEngine, quoted

EVENTS_PER_MESSAGE = 0.15
_CONFIGURATION = """[policy]
default_country = "US"

[[source]]
name = "texting"
connector = "canonical"
table = "messages"
path = "inbox/messages.csv"

[[source]]
name = "crm"
connector = "canonical"
table = "consent_events"
path = "inbox/consent_events.csv"
"""


def _instant(expression: str) -> str:
    return f"strftime(timestamp '2025-10-01' + to_seconds(cast({expression} as bigint)), '%Y-%m-%dT%H:%M:%SZ')"


#: A number per contact: area codes of eight states and four time zones, in turn.
_PHONE = "'+1' || [202, 212, 305, 312, 503, 602, 808, 904][cast(who % 8 as int) + 1] || (2000000 + who)"


def deliver(home: Path, messages: int) -> None:
    """Write heed.toml, messages.csv (`messages` rows, 13 months) and consent_events.csv (15 % as many) below `home`.

    About 20 messages a contact, at any hour of the day. Every contact opts in at the beginning; of the later events one
    in eight is an opt-out, four in five of those are recorded as applied.
    """
    (home / "inbox").mkdir(parents=True, exist_ok=True)
    (home / "heed.toml").write_text(_CONFIGURATION, encoding="utf-8")
    contacts = max(1, messages // 20)
    events = int(messages * EVENTS_PER_MESSAGE)
    span = 34_000_000
    with DuckDBEngine() as engine:
        engine.execute(
            f"""
            copy (
                select
                    'm' || i as message_id,
                    case when who % 10 < 6 then 'sms' else 'email' end as channel,
                    case when who % 10 < 6 then {_PHONE} else 'user' || who || '@example.com' end
                        as contact,
                    'p' || hash(i * 3) % 4 as program,
                    'c' || i * 40 // {messages} as campaign_id,
                    case when hash(i * 11) % 10 < 8 then 'marketing' else 'transactional' end as message_class,
                    {_instant(f"i * {span} // {messages}")} as sent_at,
                    case when hash(i * 13) % 20 = 0 then 'failed' else 'delivered' end as status,
                    0.0079 as price,
                    'The autumn collection is here. Reply STOP to opt out.' as body
                from (select i, hash(i * 7) % {contacts} as who from range({messages}) as r (i))
            ) to {quoted(str(home / "inbox" / "messages.csv"))} (header)"""
        )
        engine.execute(
            f"""
            copy (
                select
                    'e' || i as event_id,
                    case when hash(i * 23) % 40 = 0 then '*' when who % 10 < 6 then 'sms' else 'email' end as channel,
                    case when who % 10 < 6 then {_PHONE} else 'user' || who || '@example.com' end
                        as contact,
                    case when i >= {contacts} and hash(i * 5) % 8 = 0 then 'opt_out' else 'opt_in' end as event_type,
                    {_instant(f"greatest(i - {contacts}, 0) * {span} // {events}")} as requested_at,
                    case when hash(i * 17) % 5 > 0
                        then {_instant(f"greatest(i - {contacts}, 0) * {span} // {events} + hash(i * 19) % 7200")} end
                        as processed_at,
                    'keyword' as method
                from (
                    select i, case when i < {contacts} then i else hash(i * 7) % {contacts} end as who
                    from range({events}) as r (i)
                )
            ) to {quoted(str(home / "inbox" / "consent_events.csv"))} (header)"""
        )
