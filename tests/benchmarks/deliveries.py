"""Deliveries of any size, seeded, made by DuckDB: `python -m tests.benchmarks.deliveries FOLDER --messages 1000000`.

N messages and 0.15 N consent events of N / 20 contacts, over 13 months, as canonical CSV and the same rows as Parquet.
The same N and the same DuckDB give the same bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines.engines.duckdb import DuckDBEngine, path_text, quoted

EVENTS_PER_MESSAGE = 0.15
MESSAGES_PER_CONTACT = 20
TABLES = ("messages", "consent_events")
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
_SECONDS = 34_000_000  # a little more than thirteen months
_TYPES = "types={'contact': 'VARCHAR', 'sent_at': 'TIMESTAMPTZ'}"
_EVENT_TYPES = "types={'contact': 'VARCHAR', 'requested_at': 'TIMESTAMPTZ', 'processed_at': 'TIMESTAMPTZ'}"


def csv_file(home: Path, table: str) -> Path:
    """Where a table's CSV is delivered."""
    return home / "inbox" / f"{table}.csv"


def parquet_file(home: Path, table: str) -> Path:
    """Where the same rows are as Parquet, in the order of delivery."""
    return home / "parquet" / f"{table}.parquet"


def _instant(expression: str) -> str:
    return f"strftime(timestamp '2025-10-01' + to_seconds(cast({expression} as bigint)), '%Y-%m-%dT%H:%M:%SZ')"


#: A number per contact: area codes of eight states and four time zones, in turn.
_PHONE = "'+1' || [202, 212, 305, 312, 503, 602, 808, 904][cast(who % 8 as int) + 1] || (2000000 + who)"
#: Six contacts in ten have a number, four an e-mail address; the addresses are written as heed compares them, so that a
#: peer can join on the text as it stands.
_CONTACT = f"case when who % 10 < 6 then {_PHONE} else 'user' || who || '@example.com' end"
#: A quarter of those with a number are on WhatsApp.
_CHANNEL = "case when who % 10 >= 6 then 'email' when who % 10 = 0 or who % 20 = 3 then 'whatsapp' else 'sms' end"


def _chance(number: str, salt: int, contacts: int) -> str:
    """A contact drawn so that the busiest tenth gets a third of the messages."""
    return f"cast(floor({contacts} * power((hash({number} * {salt}) % 1048576) / 1048576, 2)) as bigint)"


def _messages(messages: int) -> str:
    contacts = max(1, messages // MESSAGES_PER_CONTACT)
    return f"""
        select
            'm' || i as message_id,
            {_CHANNEL} as channel,
            {_CONTACT} as contact,
            'p' || hash(i * 3) % 4 as program,
            'c' || i * 40 // {messages} as campaign_id,
            case when hash(i * 11) % 10 < 8 then 'marketing' else 'transactional' end as message_class,
            {_instant(f"i * {_SECONDS} // {messages}")} as sent_at,
            case when hash(i * 13) % 20 = 0 then 'failed' else 'delivered' end as status,
            0.0079 as price,
            'The autumn collection is here. Reply STOP to opt out.' as body
        from (select i, {_chance("i", 7, contacts)} as who from range({messages}) as r (i))
        order by i"""


def _consent_events(messages: int) -> str:
    """Every contact asks for its messages and confirms, in the month before the first one; then come the later acts.

    One contact in twelve may leave, and one late act in twenty leaves; nearly all others renew an opt-in, one in ten
    of them for somebody who may have left. Two in a hundred late acts fall on the very second of a message to that
    contact, one of them on the same second as the other: ends are strict, and the opt-out counts as the later act.
    """
    contacts = max(1, messages // MESSAGES_PER_CONTACT)
    events = int(messages * EVENTS_PER_MESSAGE)
    late = events - 2 * contacts
    return f"""
        with
        drawn as (
            select
                i,
                case when i < 2 * {contacts} then i % {contacts} else {_chance("i", 31, contacts)} end as drawn,
                hash(i * 5) % 100 as die,
                i >= 2 * {contacts} as is_late,
                i >= 2 * {contacts} and i % 100 < 2 as is_tied,
                hash((i - i % 100) * 29) % {messages} as message
            from range({events}) as r (i)
        ),
        acts as (
            select
                *,
                case
                    when i < {contacts} then 'opt_in_requested'
                    when not is_late then 'opt_in_confirmed'
                    when is_tied then case when i % 100 = 0 or i % 200 = 1 then 'opt_out' else 'opt_in' end
                    when die < 4 then 'opt_out'
                    when die = 4 then 'complaint'
                    when die = 5 then 'block'
                    when die = 6 then 'unblock'
                    else 'opt_in'
                end as event_type
            from drawn
        ),
        people as (
            select
                *,
                case
                    when not is_late then drawn
                    when is_tied then {_chance("message", 7, contacts)}
                    when event_type <> 'opt_in' or hash(i * 37) % 10 = 0 then drawn - drawn % 12
                    else least(drawn - drawn % 12 + 1 + hash(i * 41) % 11, {contacts} - 1)
                end as who,
                case
                    when i < {contacts} then -1 - (hash(i * 43) % 2592000)
                    when not is_late then -1 - (hash((i - {contacts}) * 43) % 2592000) + hash(i * 47) % 600
                    when is_tied then message * {_SECONDS} // {messages}
                    else (i - 2 * {contacts}) * {_SECONDS} // {late}
                end as second
            from acts
        )
        select
            'e' || i as event_id,
            case when is_late and hash(i * 23) % 40 = 0 then '*' else {_CHANNEL} end as channel,
            {_CONTACT} as contact,
            event_type,
            {_instant("second")} as requested_at,
            case when hash(i * 17) % 5 > 0 then {_instant("second + hash(i * 19) % 7200")} end as processed_at,
            case when not is_late then 'web_form' else 'keyword' end as method,
            case when event_type in ('opt_out', 'complaint') and hash(i * 53) % 5 < 2
                then ['too_frequent', 'not_relevant', 'never_signed_up', 'privacy'][cast(hash(i * 59) % 4 as int) + 1]
                end as reason_code
        from people
        order by i"""


def deliver(home: Path, messages: int, *, parquet: bool = False) -> None:
    """Write heed.toml, inbox/messages.csv and inbox/consent_events.csv below `home`, and parquet/ if it is wanted."""
    (home / "inbox").mkdir(parents=True, exist_ok=True)
    (home / "heed.toml").write_text(_CONFIGURATION, encoding="utf-8")
    rows = {"messages": _messages(messages), "consent_events": _consent_events(messages)}
    types = {"messages": _TYPES, "consent_events": _EVENT_TYPES}
    if parquet:
        (home / "parquet").mkdir(exist_ok=True)
    with DuckDBEngine() as engine:
        for table in TABLES:
            source = csv_file(home, table)
            engine.execute(f"copy ({rows[table]}) to {quoted(str(source))} (header)")
            if parquet:
                engine.execute(
                    f"copy (from read_csv({path_text(source)}, {types[table]}))"
                    f" to {quoted(str(parquet_file(home, table)))} (format parquet)"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes a delivery of any size.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--messages", type=int, default=1_000_000)
    options = parser.parse_args()
    deliver(options.folder, options.messages, parquet=True)


if __name__ == "__main__":
    main()
