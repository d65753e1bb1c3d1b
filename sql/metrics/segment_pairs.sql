-- One row per pair on record: where its consent stands when the record ends, and since when.
-- segment: opted_in, opted_out (inside a span of either kind), pending_confirmation (an opt-in was asked for and not given
-- yet), never_asked (nothing on record). Under scope program the first of these that holds for any program of the pair.
-- is_blocked: a block is open, alone or beside an opt-out. since_on is null for never_asked. Channel `*`: none is known.
with
now_standing as (
    select f.contact_key, f.channel, f.phase, f.from_at, p.scope
    from core.consent_phases as f
    cross join run.parameters as p
    where f.from_at <= p.as_of + interval '1 microsecond' and f.until_at > p.as_of + interval '1 microsecond'
),
of_pairs as (
    select contact_key, channel, phase, from_at
    from now_standing
    where scope <> 'person'
    union all
    select k.contact_key, k.channel, s.phase, s.from_at
    from now_standing as s
    join core.pairs as k on k.contact_key = s.contact_key
    where s.scope = 'person'
),
standing as (
    select
        contact_key,
        channel,
        min(case when phase = 'opted_in' then from_at end) as opted_in_at,
        min(case when phase = 'opted_out' then from_at end) as opted_out_at,
        min(case when phase = 'requested' then from_at end) as requested_at
    from of_pairs
    group by contact_key, channel
),
blocked as (
    select distinct b.contact_key, k.channel
    from core.span_coverage as b
    join core.pairs as k on k.contact_key = b.contact_key
    where b.kind = 'block' and b.ends_at is null and (b.channel = '*' or b.channel = k.channel)
),
named as (
    select
        s.contact_key,
        s.channel,
        case
            when s.opted_in_at is not null then 'opted_in'
            when s.opted_out_at is not null then 'opted_out'
            when s.requested_at is not null then 'pending_confirmation'
            else 'never_asked'
        end as segment,
        b.contact_key is not null as is_blocked,
        coalesce(s.opted_in_at, s.opted_out_at - interval '1 microsecond', s.requested_at) as since_at
    from standing as s
    left join blocked as b on b.contact_key = s.contact_key and b.channel = s.channel
)
select
    n.contact_key,
    n.channel,
    n.segment,
    n.is_blocked,
    local_date(n.since_at, o.offset_seconds) as since_on
from named as n
left join run.report_offsets as o on n.since_at >= o.from_at and n.since_at < o.until_at
