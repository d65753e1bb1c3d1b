-- One row per channel (`*` = all) and age: the opt-outs not processed by as_of that have waited so long.
-- Of those that an opt-in has ended since, none is left to apply: they are counted, and have no deadline to miss.
-- past_deadline_count counts what rule opt_out_not_honoured_in_time finds not processed.
with parameters as (
    select as_of
    from run.parameters
),

spans as (
    select
        opt_out_spans.channel,
        opt_out_spans.begins_at,
        opt_out_spans.deadline_at,
        opt_out_spans.ends_at is not null as is_withdrawn,
        opt_out_spans.processed_at is null or opt_out_spans.processed_at > parameters.as_of as is_open,
        opt_out_spans.deadline_at < parameters.as_of
        and (opt_out_spans.ends_at is null or opt_out_spans.ends_at > opt_out_spans.deadline_at) as is_past_deadline,
        cast(unix_micros(parameters.as_of) - unix_micros(opt_out_spans.begins_at) as double)
        / cast(1000000 as double) as age_seconds
    from core.opt_out_spans
    cross join parameters
    where opt_out_spans.kind = 'opt_out' and opt_out_spans.begins_at <= parameters.as_of
),

shown as (
    select distinct channel
    from spans
    where channel <> '*'
    union all
    select distinct '*' as channel
    from spans
),

counted as (
    select '*' as channel, begins_at, deadline_at, is_withdrawn, is_past_deadline, age_seconds
    from spans
    where is_open
    union all
    select channel, begins_at, deadline_at, is_withdrawn, is_past_deadline, age_seconds
    from spans
    where is_open and channel <> '*'
)

select
    shown.channel,
    request_ages.position,
    request_ages.age,
    count(counted.begins_at) as open_count,
    count(counted.begins_at) filter (where counted.is_withdrawn) as withdrawn_count,
    count(counted.begins_at) filter (where counted.is_past_deadline) as past_deadline_count,
    min(counted.deadline_at) filter (where not counted.is_past_deadline and not counted.is_withdrawn)
        as next_deadline_at,
    min(counted.begins_at) as oldest_begins_at
from shown
cross join reference.request_ages
left join counted
    on counted.channel = shown.channel
    and counted.age_seconds >= request_ages.from_seconds
    and (request_ages.until_seconds is null or counted.age_seconds < request_ages.until_seconds)
group by shown.channel, request_ages.position, request_ages.age
