-- One row per stretch of time, contact, channel and program (`*` = all, as the scope has it) in which consent stands the same.
-- phase: opted_out (inside a span), opted_in (an opt-in on record and no span), requested (an opt-in was asked for and not
-- given yet), not_asked (before the first request or opt-in on record), never_asked (neither is on record). A message falls
-- into the one phase with from_at <= sent_at < until_at: phases of a key are disjoint and leave no gap, and spans leave the
-- instants at which they begin and end to the phases beside them. opening_span_id is the span that the phase follows,
-- closing_span_id the one that ends it; of opted_out both are its own. origin_id says where the opt-in of an opted_in
-- phase came from: the last one when it began.
with
acts as (
    select
        e.contact_key,
        case p.scope when 'person' then '*' else e.channel end as channel,
        case p.scope when 'program' then e.program else '*' end as program,
        e.requested_at,
        e.event_type <> 'opt_in_requested' as is_opt_in,
        o.origin_id
    from core.consent_events as e
    cross join run.parameters as p
    join core.consent_origins as o
        on o.source_type = coalesce(e.source_type, 'unknown') and o.method = coalesce(e.method, 'unknown')
    where e.event_type in ('opt_in', 'opt_in_confirmed', 'opt_in_requested')
),
-- An instant in microseconds and the origin after it, as one number: the least of them is the first opt-in's.
own as (
    select
        contact_key,
        channel,
        program,
        min(case when is_opt_in then requested_at end) as opted_in_at,
        min(case when is_opt_in then unix_micros(requested_at) * 1000 + origin_id end) as opt_in_code,
        min(case when not is_opt_in then requested_at end) as requested_at
    from acts
    group by contact_key, channel, program
),
of_persons as (
    select
        c.person_key,
        min(o.opted_in_at) as opted_in_at,
        min(o.opt_in_code) as opt_in_code,
        min(o.requested_at) as requested_at
    from own as o
    join core.contacts as c on c.contact_key = o.contact_key
    join run.parameters as p on p.scope = 'person'
    group by c.person_key
),
-- Acts on every channel or program have to be spread over the keys they are about; most people have none.
spread as (
    select o.contact_key
    from own as o
    join run.parameters as p on p.scope <> 'person'
    where o.channel = '*' or p.scope = 'program'
    group by o.contact_key
),
starts as (
    select o.contact_key, o.channel, o.program, o.opted_in_at, o.opt_in_code, o.requested_at
    from own as o
    join run.parameters as p on p.scope = 'channel'
    anti join spread as d on d.contact_key = o.contact_key
    union all
    select
        k.contact_key,
        k.channel,
        k.program,
        min(s.opted_in_at) as opted_in_at,
        min(s.opt_in_code) as opt_in_code,
        min(s.requested_at) as requested_at
    from core.consent_keys as k
    join spread as d on d.contact_key = k.contact_key
    join own as s on s.contact_key = k.contact_key
    where (s.channel = '*' or s.channel = k.channel) and (s.program = '*' or s.program = k.program)
    group by k.contact_key, k.channel, k.program
    union all
    select k.contact_key, k.channel, k.program, s.opted_in_at, s.opt_in_code, s.requested_at
    from core.consent_keys as k
    join core.contacts as c on c.contact_key = k.contact_key
    join of_persons as s on s.person_key = c.person_key
),
-- The phases as they were if nobody had ever opted out.
asked as (
    select
        contact_key, channel, program, 'opted_in' as phase, opted_in_at as from_at,
        timestamp '9999-01-01 00:00:00' as until_at, opt_in_code - unix_micros(opted_in_at) * 1000 as origin_id
    from starts
    where opted_in_at is not null
    union all
    select
        contact_key, channel, program, 'requested' as phase, requested_at as from_at,
        coalesce(opted_in_at, timestamp '9999-01-01 00:00:00') as until_at, cast(null as bigint) as origin_id
    from starts
    where requested_at is not null and (opted_in_at is null or requested_at < opted_in_at)
    union all
    select
        contact_key, channel, program, 'not_asked' as phase, timestamp '1900-01-01 00:00:00' as from_at,
        case
            when opted_in_at is null or requested_at < opted_in_at then requested_at
            else opted_in_at
        end as until_at,
        cast(null as bigint) as origin_id
    from starts
    union all
    select
        k.contact_key, k.channel, k.program, 'never_asked' as phase, timestamp '1900-01-01 00:00:00' as from_at,
        timestamp '9999-01-01 00:00:00' as until_at, cast(null as bigint) as origin_id
    from core.consent_keys as k
    anti join starts as s on s.contact_key = k.contact_key and s.channel = k.channel and s.program = k.program
),
ordered as (
    select
        contact_key,
        channel,
        program,
        span_id,
        after_at,
        until_at,
        lag(span_id) over (partition by contact_key, channel, program order by after_at) as previous_span_id,
        lag(until_at) over (partition by contact_key, channel, program order by after_at) as previous_until_at,
        lead(span_id) over (partition by contact_key, channel, program order by after_at) as next_span_id
    from core.citable_spans
),
gaps as (
    select
        contact_key, channel, program,
        coalesce(previous_until_at, timestamp '1900-01-01 00:00:00') as from_at,
        after_at + interval '1 microsecond' as until_at,
        previous_span_id as opening_span_id,
        span_id as closing_span_id
    from ordered
    union all
    select
        contact_key, channel, program,
        until_at as from_at,
        timestamp '9999-01-01 00:00:00' as until_at,
        span_id as opening_span_id,
        cast(null as bigint) as closing_span_id
    from ordered
    where next_span_id is null
),
cut as (
    select
        a.contact_key,
        a.channel,
        a.program,
        a.phase,
        case when g.from_at > a.from_at then g.from_at else a.from_at end as from_at,
        case when g.until_at < a.until_at then g.until_at else a.until_at end as until_at,
        g.opening_span_id,
        g.closing_span_id,
        a.origin_id
    from asked as a
    left join gaps as g on g.contact_key = a.contact_key and g.channel = a.channel and g.program = a.program
),
-- An opt-in that ended a span is later than the first one.
given_again as (
    select
        s.span_id,
        min(o.origin_id) as origin_id
    from core.spans as s
    join core.scoped_acts as a on a.scope_key = s.scope_key and a.requested_at = s.ends_at
    join core.consent_events as e on e.source = a.source and e.event_id = a.event_id
    join core.consent_origins as o
        on o.source_type = coalesce(e.source_type, 'unknown') and o.method = coalesce(e.method, 'unknown')
    where a.event_type in ('opt_in', 'opt_in_confirmed')
    group by s.span_id
)
select
    c.contact_key,
    c.channel,
    c.program,
    c.phase,
    c.from_at,
    c.until_at,
    c.opening_span_id,
    c.closing_span_id,
    case when c.phase = 'opted_in' then coalesce(g.origin_id, c.origin_id) end as origin_id
from cut as c
left join given_again as g on g.span_id = c.opening_span_id
where c.from_at < c.until_at
union all
select
    contact_key, channel, program, 'opted_out' as phase, after_at + interval '1 microsecond' as from_at, until_at,
    span_id as opening_span_id, span_id as closing_span_id, cast(null as bigint) as origin_id
from core.citable_spans
