-- One row per log and ISO week with records: on how many of its days there are some, and how many.
select
    log,
    channel,
    source,
    cast(date_trunc('week', on_date) as date) as week_start,
    count(*) as day_count,
    cast(sum(record_count) as bigint) as record_count
from metrics.log_days
group by log, channel, source, cast(date_trunc('week', on_date) as date)
