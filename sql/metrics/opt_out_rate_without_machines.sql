-- One row per grain, period and channel (`*` = all) of metrics.opt_out_rate: the same, without opt-outs suspected of machines.
-- numerator: pairs reached in the period for which a span began in it that no machine is suspected of. denominator: pairs
-- reached, as in the headline.
with
suspected as (
    select distinct span_id
    from core.suspected_machines
),
coverage as (
    select
        c.contact_key,
        c.channel,
        c.begins_on,
        case when s.span_id is null then 1 else 0 end as is_meant
    from core.span_coverage as c
    left join suspected as s on s.span_id = c.span_id
    where c.contact_key in (
        select b.contact_key from core.span_coverage as b join suspected as d on d.span_id = b.span_id
    )
),
grains as (
    select grain
    from (values ('day'), ('week'), ('month'), ('all')) as listed (grain)
),
reach as (
    select distinct m.contact_key, m.channel, m.sent_on
    from core.messages as m
    where m.is_reached and m.contact_key in (select contact_key from coverage)
),
reached as (
    select distinct
        g.grain,
        period_start(g.grain, r.sent_on) as period_start,
        r.contact_key,
        r.channel
    from reach as r
    cross join grains as g
),
begun as (
    select
        g.grain,
        period_start(g.grain, c.begins_on) as period_start,
        c.contact_key,
        c.channel,
        c.is_meant
    from coverage as c
    cross join grains as g
),
pairs as (
    select r.grain, r.period_start, r.contact_key, r.channel, max(b.is_meant) as is_meant
    from reached as r
    join begun as b
        on b.contact_key = r.contact_key and b.grain = r.grain and b.period_start is not distinct from r.period_start
    where b.channel = '*' or b.channel = r.channel
    group by r.grain, r.period_start, r.contact_key, r.channel
),
removed as (
    select grain, period_start, '*' as channel, count(*) as pair_count
    from pairs
    where is_meant = 0
    group by grain, period_start
    union all
    select grain, period_start, channel, count(*) as pair_count
    from pairs
    where is_meant = 0
    group by grain, period_start, channel
)
select
    o.grain,
    o.period_start,
    o.channel,
    cast(o.numerator - coalesce(r.pair_count, 0) as bigint) as numerator,
    cast(o.denominator as bigint) as denominator
from metrics.opt_out_rate as o
left join removed as r
    on r.grain = o.grain and r.period_start is not distinct from o.period_start and r.channel = o.channel
where o.program = '*' and o.campaign_id = '*'
