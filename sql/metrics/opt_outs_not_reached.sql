-- One row per grain, period and channel (`*` = all) in which a span began.
-- denominator = pairs (contact and channel of the span) that began a span in the period; numerator = those that no
-- marketing or unknown message reached in it, on any address or channel that the span covers. Spans that cover every
-- channel count in the rows of all channels only. The opt-out rate leaves these pairs out; this number shows them.
with reached as (
    select
        contact_key,
        channel,
        sent_on
    from core.messages
    where is_reached
),

spans as (
    select
        span_id,
        contact_key,
        channel,
        begins_on
    from core.opt_out_spans
),

coverage as (
    select
        span_id,
        contact_key,
        channel,
        begins_on
    from core.span_coverage
),

grains as (
    select grain
    from (values ('day'), ('week'), ('month'), ('all')) as listed (grain)
),

covered_reach as (
    select
        grains.grain,
        case grains.grain
            when 'day' then reached.sent_on
            when 'week' then cast(date_trunc('week', reached.sent_on) as date)
            when 'month' then cast(date_trunc('month', reached.sent_on) as date)
        end as period_start,
        reached.contact_key,
        reached.channel
    from reached
    cross join grains
    where reached.contact_key in (select contact_key from coverage)
),

covered_periods as (
    select
        grains.grain,
        case grains.grain
            when 'day' then coverage.begins_on
            when 'week' then cast(date_trunc('week', coverage.begins_on) as date)
            when 'month' then cast(date_trunc('month', coverage.begins_on) as date)
        end as period_start,
        coverage.span_id,
        coverage.contact_key,
        coverage.channel
    from coverage
    cross join grains
),

reached_spans as (
    select distinct
        covered_periods.grain,
        covered_periods.span_id
    from covered_periods
    inner join covered_reach
        on
            covered_periods.contact_key = covered_reach.contact_key
            and covered_periods.grain = covered_reach.grain
            and covered_periods.period_start is not distinct from covered_reach.period_start
            and (covered_periods.channel = covered_reach.channel or covered_periods.channel = '*')
),

begun_pairs as (
    select
        grains.grain,
        case grains.grain
            when 'day' then spans.begins_on
            when 'week' then cast(date_trunc('week', spans.begins_on) as date)
            when 'month' then cast(date_trunc('month', spans.begins_on) as date)
        end as period_start,
        spans.contact_key,
        spans.channel,
        max(case when reached_spans.span_id is not null then 1 else 0 end) as is_reached
    from spans
    cross join grains
    left join reached_spans
        on
            spans.span_id = reached_spans.span_id
            and grains.grain = reached_spans.grain
    group by all
),

counted as (
    select
        grain,
        period_start,
        channel,
        count(*) filter (where is_reached = 0) as not_reached_count,
        count(*) as begun_count
    from begun_pairs
    group by grouping sets ((grain, period_start), (grain, period_start, channel))
)

select
    grain,
    period_start,
    coalesce(channel, '*') as channel,
    cast(not_reached_count as bigint) as numerator,
    cast(begun_count as bigint) as denominator
from counted
where channel is null or channel <> '*'
