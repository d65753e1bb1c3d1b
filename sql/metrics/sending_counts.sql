-- One row per channel, day, local hour and weekday of sending, template and currency: marketing messages, and what they cost.
-- local_hour and local_weekday (1 Monday to 7) are those of the contact where its time zone is known (is_zone_known = 1), else of
-- the report time zone. delivered_count is as in metrics.message_counts; message_count counts every attempt, since an
-- attempt may cost. Providers write charges as negative prices too: cost is the sum without the sign.
with
bounds as (
    select min(sent_at) as first_at, max(sent_at) as last_at from core.messages
),
-- The offsets in force while messages were sent: the fewer, the faster.
offsets as (
    select z.timezone, z.from_at, z.until_at, z.offset_seconds * 1000000 as offset_micros
    from run.zone_offsets as z
    join bounds as b on z.from_at <= b.last_at and z.until_at > b.first_at
    union all
    select '*' as timezone, from_at, until_at, offset_seconds * 1000000 as offset_micros
    from run.report_offsets
),
zones as (
    select distinct timezone from offsets
),
zoned as (
    select c.contact_key, c.timezone
    from core.contacts as c
    join zones as z on z.timezone = c.timezone
),
timed as (
    select
        m.channel,
        m.sent_on,
        m.template_id,
        m.currency,
        m.price,
        case when m.is_reached and (m.status in ('delivered', 'read') or d.reports_delivery = 0) then 1 else 0 end
            as is_delivered,
        case when c.timezone is null then 0 else 1 end as is_zone_known,
        floor(cast(unix_micros(m.sent_at) + o.offset_micros as double) / 3600000000) as local_hours
    from core.messages as m
    join core.delivery_reports as d on d.source = m.source
    left join zoned as c on c.contact_key = m.contact_key
    join offsets as o
        on o.timezone = coalesce(c.timezone, '*') and m.sent_at >= o.from_at and m.sent_at < o.until_at
    where m.is_marketing
),
hourly as (
    select
        channel,
        sent_on,
        template_id,
        currency,
        is_zone_known,
        local_hours,
        count(*) as message_count,
        sum(is_delivered) as delivered_count,
        count(price) as priced_count,
        sum(abs(cast(price as decimal(18, 8)))) as cost
    from timed
    group by channel, sent_on, template_id, currency, is_zone_known, local_hours
)
select
    channel,
    sent_on,
    template_id,
    currency,
    is_zone_known,
    cast(local_hours - 24 * floor(local_hours / 24) as int) as local_hour,
    -- 1 January 1970 was a Thursday, day 4 of its week.
    cast(
        1 + floor(local_hours / 24) + 3
        - 7 * floor((floor(local_hours / 24) + 3) / 7) as int
    ) as local_weekday,
    cast(sum(message_count) as bigint) as message_count,
    cast(sum(delivered_count) as bigint) as delivered_count,
    cast(sum(priced_count) as bigint) as priced_count,
    cast(sum(cost) as double) as cost
from hourly
group by
    channel, sent_on, template_id, currency, is_zone_known,
    cast(local_hours - 24 * floor(local_hours / 24) as int),
    cast(
        1 + floor(local_hours / 24) + 3
        - 7 * floor((floor(local_hours / 24) + 3) / 7) as int
    )
