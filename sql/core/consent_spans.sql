-- One row per stretch of consent: from a contact's opt-in to the opt-out or block that ended it, per scope key.
-- The mirror of the opt-out spans: opt_in and opt_in_confirmed open it; opt_out, complaint and block end it.
with
acts as (
    select distinct scope_key, channel, program, source, event_id, contact_key, event_type, requested_at
    from core.scoped_acts
    where event_type <> 'unblock'
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
