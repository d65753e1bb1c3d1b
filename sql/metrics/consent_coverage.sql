-- One row per month, channel, source of messages and phase of consent: marketing messages that reached their contact.
-- phase: opted_in is covered by recorded consent; opted_out, requested, not_asked and never_asked are not.
with
sent as (
    select channel, source, sent_on, count(*) as message_count
    from core.messages
    where is_reached
    group by channel, source, sent_on
),
months as (
    select
        cast(date_trunc('month', sent_on) as date) as period_start,
        channel,
        source,
        sum(message_count) as message_count
    from sent
    group by cast(date_trunc('month', sent_on) as date), channel, source
),
uncovered as (
    select period_start, channel, source, phase, sum(message_count) as message_count
    from metrics.looked_up_messages
    where phase <> 'opted_in'
    group by period_start, channel, source, phase
),
covered as (
    select
        m.period_start,
        m.channel,
        m.source,
        'opted_in' as phase,
        max(m.message_count) - coalesce(sum(u.message_count), 0) as message_count
    from months as m
    left join uncovered as u on u.period_start = m.period_start and u.channel = m.channel and u.source = m.source
    group by m.period_start, m.channel, m.source
)
select period_start, channel, source, phase, cast(message_count as bigint) as message_count
from covered
where message_count > 0
union all
select period_start, channel, source, phase, cast(message_count as bigint) as message_count
from uncovered
