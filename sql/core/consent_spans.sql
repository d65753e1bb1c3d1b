-- One row per stretch of consent: from a contact's opt-in to the opt-out or block that ended it, per scope key.
-- The mirror of the opt-out spans: opt_in and opt_in_confirmed open it; opt_out, complaint and block end it.
with
-- An act that bears on both kinds of span is one act here.
kinds as (
    select event_type, min(kind) as kind
    from reference.span_acts
    where event_type <> 'unblock'
    group by event_type
),
acts as (
    select a.scope_key, a.channel, a.program, a.source, a.event_id, a.contact_key, a.event_type, a.requested_at
    from core.scoped_acts as a
    join kinds as k on k.event_type = a.event_type and k.kind = a.kind
),
roles as (
    select
        *,
        case when event_type in ('opt_in', 'opt_in_confirmed') then 'opens' else 'ends' end as role
    from acts
),
ordered as (
    select
        *,
        lag(role) over (
            partition by scope_key order by requested_at, case role when 'opens' then 0 else 1 end, source, event_id
        ) as previous_role
    from roles
),
numbered as (
    select
        *,
        role = 'opens' and previous_role is distinct from 'opens' as is_beginning,
        sum(case when role = 'opens' and previous_role is distinct from 'opens' then 1 else 0 end) over (
            partition by scope_key order by requested_at, case role when 'opens' then 0 else 1 end, source, event_id
            rows unbounded preceding
        ) as span_number
    from ordered
)
select
    scope_key,
    channel,
    program,
    max(contact_key) filter (where is_beginning) as contact_key,
    max(source) filter (where is_beginning) as source,
    max(event_id) filter (where is_beginning) as event_id,
    min(requested_at) filter (where role = 'opens') as begins_at,
    min(requested_at) filter (where role = 'ends') as ends_at
from numbered
where span_number > 0
group by scope_key, channel, program, span_number
