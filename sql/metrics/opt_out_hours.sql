-- One row per channel, day and quarter of an hour of a message and quarter of an hour of the opt-out it was the last before.
-- In the report time zone. sent_day is the day's number since 1970-01-01; quarters are counted from midnight, 0 to 95.
-- channel is the message's. Opt-outs of contacts that no marketing message had reached are in no row.
with
touched as (
    select
        a.touch_channel as channel,
        unix_seconds(a.touch_sent_at) + sent.offset_seconds as sent_seconds,
        unix_seconds(a.begins_at) + asked.offset_seconds as asked_seconds
    from core.attributions as a
    join run.report_offsets as sent on a.touch_sent_at >= sent.from_at and a.touch_sent_at < sent.until_at
    join run.report_offsets as asked on a.begins_at >= asked.from_at and a.begins_at < asked.until_at
),
dated as (
    select
        channel, sent_seconds, asked_seconds,
        cast(floor(cast(sent_seconds as double) / 86400) as bigint) as sent_day,
        cast(floor(cast(asked_seconds as double) / 86400) as bigint) as asked_day
    from touched
),
quartered as (
    select
        channel, sent_day,
        cast(floor(cast(sent_seconds - 86400 * sent_day as double) / 900) as bigint) as sent_quarter,
        cast(floor(cast(asked_seconds - 86400 * asked_day as double) / 900) as bigint) as asked_quarter
    from dated
)
select channel, sent_day, sent_quarter, asked_quarter, count(*) as opt_out_count
from quartered
group by channel, sent_day, sent_quarter, asked_quarter
