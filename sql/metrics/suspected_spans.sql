-- One row per grain, period and channel (`*` = all) with opt-outs: how many began, and how many of them a machine is suspected of.
-- Opt-out spans, blocks not among them; spans on every channel count in the rows of all channels only.
with
spans as (
    select s.channel, s.begins_on, case when m.span_id is null then 0 else 1 end as is_suspected
    from core.opt_out_spans as s
    left join (select distinct span_id from core.suspected_machines) as m on m.span_id = s.span_id
    where s.kind = 'opt_out'
),
grains as (
    select grain
    from (values ('month'), ('all')) as listed (grain)
),
counted as (
    select
        g.grain,
        case g.grain when 'month' then cast(date_trunc('month', s.begins_on) as date) end as period_start,
        s.channel,
        sum(s.is_suspected) as suspected_count,
        count(*) as span_count
    from spans as s
    cross join grains as g
    group by g.grain, case g.grain when 'month' then cast(date_trunc('month', s.begins_on) as date) end, s.channel
)
select
    grain, period_start, '*' as channel,
    cast(sum(suspected_count) as bigint) as numerator, cast(sum(span_count) as bigint) as denominator
from counted
group by grain, period_start
union all
select
    grain, period_start, channel,
    cast(suspected_count as bigint) as numerator, cast(span_count as bigint) as denominator
from counted
where channel <> '*'
