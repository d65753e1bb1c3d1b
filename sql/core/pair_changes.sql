-- One row per pair and instant at which it became opted in (change 1) or ceased to be (change -1).
-- A pair is opted in while an opt-in of it is on record and no span holds; under scope program while any program of it is.
-- What begins and ends at one instant changes nothing. act says what made the change: opt_in (the pair's first), re_opt_in,
-- unblock (a block ended and the opt-in before it holds again), opt_out, complaint or block.
with
held as (
    select f.contact_key, f.channel, f.program, f.from_at, f.until_at, f.opening_span_id, f.closing_span_id
    from core.consent_phases as f
    where f.phase = 'opted_in' and f.from_at + interval '1 microsecond' < f.until_at
),
of_pairs as (
    select
        h.contact_key, h.channel, h.from_at, h.until_at, h.opening_span_id, h.closing_span_id,
        p.scope <> 'program' as is_alone
    from held as h
    join run.parameters as p on p.scope <> 'person'
    union all
    select
        h.contact_key, k.channel, h.from_at, h.until_at, h.opening_span_id, h.closing_span_id, true as is_alone
    from held as h
    join run.parameters as p on p.scope = 'person'
    join core.pairs as k on k.contact_key = h.contact_key
),
-- A span that an unblock ended, and no opt-in at the same instant.
unblocked as (
    select s.span_id, s.ends_at
    from core.spans as s
    where s.kind = 'block' and s.ends_at is not null and not exists (
        select 1
        from core.scoped_acts as a
        where a.scope_key = s.scope_key and a.requested_at = s.ends_at
            and a.event_type in ('opt_in', 'opt_in_confirmed')
    )
),
-- Most pairs opted in once and never left; only the others need their changes put in order.
staying as (
    select contact_key, channel, from_at as changed_at
    from of_pairs
    where opening_span_id is null and closing_span_id is null and is_alone
),
moving as (
    select *
    from of_pairs
    where opening_span_id is not null or closing_span_id is not null or not is_alone
),
deltas as (
    select
        h.contact_key, h.channel, h.from_at as changed_at, 1 as delta,
        case when u.span_id is null then 're_opt_in' else 'unblock' end as act
    from moving as h
    left join unblocked as u on u.span_id = h.opening_span_id and u.ends_at = h.from_at
    union all
    select
        h.contact_key, h.channel, h.until_at - interval '1 microsecond' as changed_at, -1 as delta,
        case s.kind when 'block' then 'block' else s.event_type end as act
    from moving as h
    join core.opt_out_spans as s on s.span_id = h.closing_span_id
),
instants as (
    select
        contact_key,
        channel,
        changed_at,
        sum(delta) as delta,
        min(act) filter (where delta > 0) as gain,
        max(act) filter (where delta < 0) as loss
    from deltas
    group by contact_key, channel, changed_at
),
running as (
    select
        *,
        sum(delta) over (
            partition by contact_key, channel order by changed_at rows unbounded preceding
        ) as held_count
    from instants
),
changes as (
    select
        *,
        row_number() over (partition by contact_key, channel order by changed_at) as place
    from running
    where (held_count > 0) <> (held_count - delta > 0)
),
named as (
    select
        contact_key,
        channel,
        changed_at,
        case when held_count > 0 then 1 else -1 end as change,
        case
            when held_count <= 0 then loss
            when place = 1 and gain = 're_opt_in' then 'opt_in'
            else gain
        end as act
    from changes
    union all
    select contact_key, channel, changed_at, 1 as change, 'opt_in' as act
    from staying
)
select
    c.contact_key,
    c.channel,
    c.changed_at,
    local_date(c.changed_at, o.offset_seconds)
        as changed_on,
    c.change,
    c.act
from named as c
join run.report_offsets as o on c.changed_at >= o.from_at and c.changed_at < o.until_at
