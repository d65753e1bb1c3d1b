-- One row per span without its deadline: from a contact's opt-out (or block) to the act that ended it, per scope key.
-- At equal times an opening act counts as the later one. A further opening act inside an open span is a repeat.
with
-- Most contacts never opt out: only the acts of a key that somebody opened are put in order.
opened as (
    select distinct kind, scope_key from core.scoped_acts where role = 'opens'
),
ordered as (
    select
        a.*,
        lag(a.role) over (
            partition by a.kind, a.scope_key
            order by a.requested_at, case a.role when 'ends' then 0 else 1 end, a.source, a.event_id
        ) as previous_role
    from core.scoped_acts as a
    join opened as o on o.kind = a.kind and o.scope_key = a.scope_key
),
numbered as (
    select
        *,
        role = 'opens' and previous_role is distinct from 'opens' as is_beginning,
        sum(case when role = 'opens' and previous_role is distinct from 'opens' then 1 else 0 end) over (
            partition by kind, scope_key order by requested_at, case role when 'ends' then 0 else 1 end, source, event_id
            rows unbounded preceding
        ) as span_number
    from ordered
),
grouped as (
    select
        kind,
        scope_key,
        channel,
        program,
        span_number,
        max(contact_key) filter (where is_beginning) as contact_key,
        max(person_key) filter (where is_beginning) as person_key,
        max(source) filter (where is_beginning) as source,
        max(event_id) filter (where is_beginning) as event_id,
        min(requested_at) filter (where role = 'opens') as begins_at,
        min(greatest(processed_at, requested_at)) filter (where role = 'opens' and processed_at is not null) as processed_at,
        min(requested_at) filter (where role = 'ends') as ends_at,
        count(*) filter (where role = 'opens') - 1 as repeat_count,
        count(*) filter (where role = 'opens' and processed_at < requested_at) > 0 as has_clock_skew
    from numbered
    where span_number > 0
    group by kind, scope_key, channel, program, span_number
),
reasons as (
    select n.kind, n.scope_key, n.span_number, min_by(e.reason, struct(n.requested_at, e.reason)) as reason
    from numbered as n
    join core.consent_events as e on e.source = n.source and e.event_id = n.event_id
    where n.role = 'opens' and n.span_number > 0 and e.reason is not null
    group by n.kind, n.scope_key, n.span_number
)
select
    row_number() over (order by g.kind, g.scope_key, g.begins_at) as span_id,
    g.kind,
    g.scope_key,
    g.channel,
    g.program,
    g.contact_key,
    g.person_key,
    g.source,
    g.event_id,
    g.begins_at,
    g.processed_at,
    g.ends_at,
    g.repeat_count,
    g.has_clock_skew,
    coalesce(t.reason, 'unspecified') as reason
from grouped as g
left join reasons as t on t.kind = g.kind and t.scope_key = g.scope_key and t.span_number = g.span_number
