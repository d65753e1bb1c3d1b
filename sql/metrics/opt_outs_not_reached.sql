-- One row per grain, period and channel (`*` = all) in which a span began.
-- denominator = pairs (contact and channel of the span) that began a span in the period; numerator = those that no
-- marketing or unknown message reached in it, on any address or channel that the span covers. Spans that cover every
-- channel count in the rows of all channels only. The opt-out rate leaves these pairs out; this number shows them.
with spans as (
    select
        span_id,
        contact_key,
        channel,
        begins_on
    from core.opt_out_spans
),

-- The days nearest to a span's first on which a message reached an address and channel that it covers.
nearest_reach as (
    select
        span_coverage.span_id,
        max(span_reach.reached_before_on) as reached_before_on,
        min(span_reach.reached_after_on) as reached_after_on
    from core.span_coverage
    inner join metrics.span_reach
        on
            span_coverage.contact_key = span_reach.contact_key
            and span_coverage.begins_on = span_reach.begins_on
            and (span_coverage.channel = span_reach.channel or span_coverage.channel = '*')
    where span_reach.program = '*'
    group by span_coverage.span_id
),

grains as (
    select grain
    from (values ('day'), ('week'), ('month'), ('all')) as listed (grain)
),

span_periods as (
    select
        spans.span_id,
        grains.grain,
        period_start(grains.grain, spans.begins_on) as period_start,
        period_start(grains.grain, nearest_reach.reached_before_on) as before_start,
        period_start(grains.grain, nearest_reach.reached_after_on) as after_start,
        spans.contact_key,
        spans.channel,
        nearest_reach.span_id is not null as is_ever_reached
    from spans
    cross join grains
    left join nearest_reach on spans.span_id = nearest_reach.span_id
),

begun_pairs as (
    select
        grain,
        period_start,
        contact_key,
        channel,
        max(
            case
                when before_start = period_start or after_start = period_start or (grain = 'all' and is_ever_reached)
                    then 1
                else 0
            end
        ) as is_reached
    from span_periods
    group by grain, period_start, contact_key, channel
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
