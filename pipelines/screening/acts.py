"""What people asked for up to one instant: whose opt-out or block stands, and who has opted in.

From the acts in history and not from the snapshot's spans: an opt-out of every channel, or of every program, covers
also a channel and a program on which the contact never got anything, and spans are kept for those that were used.
"""

from __future__ import annotations

from pipelines.engines.duckdb import DuckDBEngine, quoted
from pipelines.resources import reference_folder
from pipelines.screening.people import Plan

#: The acts on this list's channel and program, by scope. A row in `acts` is one act and the owner of what it changes.
_SCOPES = {
    "channel": "channel in ($channel, '*')",
    "program": "channel in ($channel, '*') and program in ($program, '*')",
    "person": "true",
}
_TIED = "struct_pack(requested_at := requested_at, text := {0})"


def _merged(name: str) -> str:
    """A column of an event with several versions: as sql/core/consent_events.sql has it."""
    order = _TIED.format(name)
    return f"min_by({name}, {order}) filter (where {name} is not null) as {name}"


def write(engine: DuckDBEngine, plan: Plan) -> None:
    """Build temp tables `standing` and `consents` over `people` and history.consent_events.

    standing: owner, kind (opt_out, block), begins_at, event_type, method, source, event_id, acted_key: of the span
    that covers `plan.at` and began first. consents: owner, opted_in_at, asked_at (either may be null), not after it.
    """
    columns = ("channel", "contact_key", "program", "event_type", "method")
    engine.execute(
        f"""
        create or replace temp table acts as
        with
        named as (
            select distinct source, event_id from history.consent_events
            where contact_key in (select contact_key from owners)
        ),
        versions as (
            select e.source, e.event_id, {", ".join(f"e.{name}" for name in columns)}, e.requested_at
            from history.consent_events as e
            join named as n on n.source = e.source and n.event_id = e.event_id
        ),
        counted as (
            select source, event_id from versions group by all having count(*) > 1
        ),
        merged as (
            select source, event_id, {", ".join(_merged(name) for name in columns)}, min(requested_at) as requested_at
            from versions
            where (source, event_id) in (select (source, event_id) from counted)
            group by all
            union all
            select * from versions
            where (source, event_id) not in (select (source, event_id) from counted)
        ),
        whole as (
            select * replace (coalesce(program, '*') as program) from merged where requested_at <= $as_of
        )
        select o.owner, w.*
        from whole as w
        join owners as o on o.contact_key = w.contact_key
        where {_SCOPES[plan.scope]}
        """,
        {"as_of": plan.as_of}
        | ({} if plan.scope == "person" else {"channel": plan.channel})
        | ({"program": plan.program} if plan.scope == "program" else {}),
        relation="acts",
    )
    span_acts = f"read_csv({quoted(str(reference_folder() / 'span_acts.csv'))}, header=true, all_varchar=true)"
    # At equal times an opening act is the later one; a message at the instant of an act has the benefit of the doubt.
    engine.execute(
        f"""
        create or replace temp table standing as
        with
        roles as (
            select a.*, r.kind, r.role from acts as a join {span_acts} as r on r.event_type = a.event_type
        ),
        ended as (
            select owner, kind, max(requested_at) as ended_at from roles
            where role = 'ends' and requested_at <= $instant group by all
        ),
        opened as (
            select r.*
            from roles as r
            left join ended as e on e.owner = r.owner and e.kind = r.kind
            where r.role = 'opens' and r.requested_at < $instant
                and (e.ended_at is null or r.requested_at >= e.ended_at)
        ),
        ranked as (
            select *, row_number() over (
                partition by owner
                order by requested_at, case kind when 'opt_out' then 0 else 1 end, source, event_id
            ) as rank
            from opened
        )
        select owner, kind, requested_at as begins_at, event_type, method, source, event_id, contact_key as acted_key
        from ranked where rank = 1
        """,
        {"instant": plan.at},
        relation="standing",
    )
    engine.execute(
        """
        create or replace temp table consents as
        select
            owner,
            min(requested_at) filter (where event_type in ('opt_in', 'opt_in_confirmed')) as opted_in_at,
            min(requested_at) filter (where event_type = 'opt_in_requested') as asked_at
        from acts
        where event_type in ('opt_in', 'opt_in_confirmed', 'opt_in_requested') and requested_at <= $instant
        group by owner
        """,
        {"instant": plan.at},
        relation="consents",
    )


def has_consent_log(engine: DuckDBEngine, plan: Plan) -> bool:
    """Whether the record has any opt-in for the list's channel: without one, none of a contact says nothing."""
    return bool(
        engine.value(
            "select count(*) > 0 from history.consent_events where event_type in ('opt_in', 'opt_in_confirmed')"
            " and channel in ($channel, '*') and requested_at <= $as_of",
            {"channel": plan.channel, "as_of": plan.as_of},
        )
    )
