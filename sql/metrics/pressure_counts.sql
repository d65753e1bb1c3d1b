-- One row per channel, day and pressure: delivered marketing messages by how many had reached the contact by then.
-- messages_7_days and messages_30_days count the marketing messages that reached the contact on any channel in the 7 and
-- 30 days up to and with this one; a message exactly 7 days older is out. The lengths are the columns' names: a window
-- frame takes no column, so they stand here in microseconds.
with
reached as (
    select
        m.contact_key,
        m.channel,
        m.sent_on,
        unix_micros(m.sent_at) as sent_micros,
        case when m.status in ('delivered', 'read') or d.reports_delivery = 0 then 1 else 0 end as is_delivered
    from core.messages as m
    join core.delivery_reports as d on d.source = m.source
    where m.is_reached
),
pressed as (
    select
        channel,
        sent_on,
        is_delivered,
        count(*) over last_7_days as messages_7_days,
        count(*) over last_30_days as messages_30_days
    from reached
    window
        last_7_days as (
            partition by contact_key order by sent_micros range between 604799999999 preceding and current row
        ),
        last_30_days as (
            partition by contact_key order by sent_micros range between 2591999999999 preceding and current row
        )
)
select
    channel,
    sent_on,
    messages_7_days,
    messages_30_days,
    count(*) as delivered_count
from pressed
where is_delivered = 1
group by channel, sent_on, messages_7_days, messages_30_days
