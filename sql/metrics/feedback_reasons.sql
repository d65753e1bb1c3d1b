-- One row per grain (month, all), period, channel (`*` = all) and reason, every reason listed even where nobody gave it.
-- numerator = opt-out spans with the reason; denominator = opt-out spans begun in the period. `unspecified` is shown,
-- never dropped; a reason that is not on the list counts as `other`. Blocks carry no reason.
with reasons as (
    select reason from reference.reason_list
),

spans as (
    select
        opt_out_spans.channel,
        cast(date_trunc('month', opt_out_spans.begins_on) as date) as month_start,
        case
            when opt_out_spans.reason is null then 'unspecified'
            when reasons.reason is null then 'other'
            else opt_out_spans.reason
        end as reason
    from core.opt_out_spans
    left join reasons on opt_out_spans.reason = reasons.reason
    where opt_out_spans.kind = 'opt_out'
),

grains as (
    select grain
    from (values ('month'), ('all')) as listed (grain)
),

given as (
    select
        grains.grain,
        case grains.grain when 'month' then spans.month_start end as period_start,
        spans.channel,
        spans.reason
    from spans
    cross join grains
),

grouped as (
    select
        grain,
        period_start,
        channel,
        reason,
        count(*) as span_count
    from given
    group by grouping sets ((grain, period_start, reason), (grain, period_start, channel, reason))
),

-- Spans on every channel count in the rows of all channels only.
given_counts as (
    select
        grain,
        period_start,
        coalesce(channel, '*') as channel,
        reason,
        span_count
    from grouped
    where channel is null or channel <> '*'
),

totals as (
    select
        grain,
        period_start,
        channel,
        sum(span_count) as span_count
    from given_counts
    group by grain, period_start, channel
)

select
    totals.grain,
    totals.period_start,
    totals.channel,
    reasons.reason,
    cast(coalesce(given_counts.span_count, 0) as bigint) as numerator,
    cast(totals.span_count as bigint) as denominator
from totals
cross join reasons
left join given_counts
    on
        totals.grain = given_counts.grain
        and totals.period_start is not distinct from given_counts.period_start
        and totals.channel = given_counts.channel
        and reasons.reason = given_counts.reason
