"""Who is on a list: addresses recognised, found in the record, and placed where the law finds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars

from pipelines import identity
from pipelines.canonical import PHONE_CHANNELS
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.identity import SCHEMES

#: What load trims off an address.
_SPACE = " \t\n\r\u00a0"
#: An e-mail address and nothing else: no name in front, no second address.
_EMAIL = r"""^[^\s@<>,;:"()]+@[^\s@<>,;:"()]+$"""
#: What a spreadsheet makes of a number that it takes for an amount.
_AMOUNT = r"^[+]?[0-9]{6,}[.]0{1,2}$"


@dataclass(frozen=True)
class Plan:
    """The message that is about to be sent, and the record it is judged by."""

    channel: str
    program: str
    at: datetime
    scope: str
    as_of: datetime
    double_opt_in: bool
    require_consent: bool
    strict_time: bool


def _usable(channel: str) -> str:
    """SQL: whether an address `i` is one that the channel can be sent to, or stands as it is in the record (`c`)."""
    known = "c.contact_key is not null"
    if channel in PHONE_CHANNELS:
        return f"(i.address_kind = 'phone' or i.address_kind = 'other' and {known})"
    if channel == "email":
        return f"(i.address_kind = 'email' and (regexp_full_match(i.address, '{_EMAIL}') or {known}))"
    return "true"


def write(engine: DuckDBEngine, listed: polars.DataFrame, plan: Plan, country: str | None, key: bytes) -> None:
    """Build temp tables `listed`, `people` and `owners` from a list's spelling and problem, one row per row.

    listed: row_number, problem (why the row cannot be judged, or null), contact_masked, contact_key (null where it
    cannot be judged). people, one row per contact: contact_key, first_row, contact_masked, address_kind,
    phone_country, is_known, place_id (null where the record does not know the contact), owner (of the acts that count
    for it). owners: every contact whose acts count for somebody on the list, and for whom.
    """
    spelling = polars.col("spelling").str.strip_chars(_SPACE)
    is_bare_scheme = spelling.str.contains(f"^(?i:{SCHEMES}):$")
    is_there = polars.col("problem").is_null() & (spelling != "") & ~is_bare_scheme
    cleaned = listed.with_row_index("row_number", offset=1).with_columns(spelling=polars.when(is_there).then(spelling))
    engine.create_from_frame("run.incoming_list", cleaned)
    del cleaned
    is_phone = str(plan.channel in PHONE_CHANNELS).lower()
    identity.identify(
        engine,
        f"select spelling, {is_phone} as is_phone_channel from run.incoming_list where spelling is not null",
        "identified",
        country,
        key,
    )
    engine.execute("drop table bare_addresses")
    amount = f"regexp_full_match(i.spelling, '{_AMOUNT}')" if plan.channel in PHONE_CHANNELS else "false"
    person = "coalesce(c.person_key, 'contact:' || i.contact_key)" if plan.scope == "person" else "null"
    engine.execute(
        f"""
        create or replace temp table recognised as
        select
            cast(l.row_number as bigint) as row_number, i.contact_key, i.contact_masked, i.address_kind,
            coalesce(i.country, '') as phone_country,
            c.contact_key is not null as is_known, c.place_id, {person} as person_key,
            case
                when l.problem is not null then l.problem
                when i.spelling is null then 'The row has no address.'
                when {amount} or not {_usable(plan.channel)} then {_unusable(plan.channel, country)}
            end as problem
        from run.incoming_list as l
        left join identified as i on i.spelling = l.spelling
        left join snapshot.core.contacts as c on c.contact_key = i.contact_key"""
    )
    engine.execute("drop table run.incoming_list; drop table identified")
    engine.execute(
        """
        create or replace temp table people as
        select r.* exclude (row_number, problem), f.first_row
        from recognised as r
        join (
            select min(row_number) as first_row from recognised where problem is null group by contact_key
        ) as f on f.first_row = r.row_number"""
    )
    engine.execute(
        """
        create or replace temp table listed as
        select row_number, problem, contact_masked, case when problem is null then contact_key end as contact_key
        from recognised"""
    )
    engine.execute("drop table recognised")
    _write_owners(engine, plan)


def _write_owners(engine: DuckDBEngine, plan: Plan) -> None:
    if plan.scope != "person":
        engine.execute("create or replace temp view owners as select contact_key, contact_key as owner from people")
        return
    engine.execute(
        """
        create or replace temp table owners as
        select contact_key, owner
        from (select person_key, min(contact_key) as owner from people group by person_key)
        join (
            select contact_key, person_key from snapshot.core.contacts union select contact_key, person_key from people
        ) using (person_key)"""
    )


def _unusable(channel: str, country: str | None) -> str:
    if channel not in PHONE_CHANNELS:
        return "'This is no e-mail address.'"
    whole = "'This is no phone number with its country"
    return whole + (".'" if country else "; write +, or set default_country in heed.toml.'")
