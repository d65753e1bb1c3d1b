-- One row per ISO week in which an opt-out span began, channel (`*` = all) and reason: every reason, given or not.
with
spans as (
    select
        s.channel,
        cast(date_trunc('week', s.begins_on) as date) as week_start,
        case when s.reason is null then 'unspecified' else coalesce(l.reason, 'other') end as reason
    from core.opt_out_spans as s
    left join reference.reason_list as l on l.reason = s.reason
    where s.kind = 'opt_out'
),
counts as (
    select week_start, '*' as channel, reason, count(*) as span_count from spans group by week_start, reason
    union all
    -- Spans on every channel count in the rows of all channels only.
    select week_start, channel, reason, count(*) as span_count
    from spans
    where channel <> '*'
    group by week_start, channel, reason
),
totals as (
    select week_start, channel, sum(span_count) as span_count from counts group by week_start, channel
)
select
    t.week_start,
    t.channel,
    l.reason,
    cast(coalesce(c.span_count, 0) as bigint) as numerator,
    cast(t.span_count as bigint) as denominator
from totals as t
cross join reference.reason_list as l
left join counts as c on c.week_start = t.week_start and c.channel = t.channel and c.reason = l.reason
