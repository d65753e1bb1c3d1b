-- One row per channel (`*` = all), method (`*` = all) and number of times asked: opt-out spans whose contact asked so often.
-- Asked once: the act that began the span, and no further one before it ended.
with parameters as (
    select as_of
    from run.parameters
),

spans as (
    select
        opt_out_spans.channel,
        coalesce(opt_out_spans.method, 'unknown') as method,
        opt_out_spans.repeat_count + 1 as asked_count
    from core.opt_out_spans
    cross join parameters
    where opt_out_spans.kind = 'opt_out' and opt_out_spans.begins_at <= parameters.as_of
),

by_channel as (
    select channel, method, asked_count
    from spans
    where channel <> '*'
    union all
    select '*' as channel, method, asked_count
    from spans
),

by_method as (
    select channel, method, asked_count
    from by_channel
    union all
    select channel, '*' as method, asked_count
    from by_channel
)

select channel, method, asked_count, count(*) as span_count
from by_method
group by channel, method, asked_count
