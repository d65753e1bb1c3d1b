-- One row per opt-out attributed to a message that reached its contact: what kind of message it was.
-- The columns mean what they mean in metrics.sending_counts, metrics.pressure_counts and metrics.sequences. Of messages
-- that reached one contact on one channel at the same instant, nobody knows the order: each counts as the first of them.
with
languages as (
    select campaign_id, channel, min(language) as language
    from core.campaigns
    where language is not null
    group by campaign_id, channel
),
attributed as (
    select
        a.contact_key, a.channel, a.sent_at, a.template_id,
        coalesce(own.language, any_channel.language) as language
    from core.attributions as a
    left join languages as own on own.campaign_id = a.campaign_id and own.channel = a.channel
    left join languages as any_channel on any_channel.campaign_id = a.campaign_id and any_channel.channel = '*'
    where a.message_id is not null
),
concerned as (
    select distinct contact_key from attributed
),
reached as (
    select m.contact_key, m.channel, m.sent_at, unix_micros(m.sent_at) as sent_micros
    from core.messages as m
    join concerned as c on c.contact_key = m.contact_key
    where m.is_reached
),
opt_ins as (
    select distinct p.contact_key, p.channel, c.begins_at
    from core.consent_spans as c
    join (select distinct contact_key, channel from reached) as p
        on p.contact_key = c.contact_key and (c.channel = p.channel or c.channel = '*')
),
stretches as (
    select
        o.contact_key,
        o.channel,
        o.begins_at,
        coalesce(
            lead(o.begins_at) over (partition by o.contact_key, o.channel order by o.begins_at),
            p.as_of + interval '1' day
        ) as ends_at
    from opt_ins as o
    cross join run.parameters as p
),
sequenced as (
    select r.contact_key, r.channel, r.sent_at, r.sent_micros, s.begins_at
    from reached as r
    left join stretches as s
        on s.contact_key = r.contact_key
        and s.channel = r.channel
        and s.begins_at <= r.sent_at
        and s.ends_at > r.sent_at
),
pressed as (
    select
        contact_key,
        channel,
        sent_at,
        sent_micros,
        count(*) over last_7_days as messages_7_days,
        count(*) over last_30_days as messages_30_days,
        row_number() over (partition by contact_key, channel, begins_at order by sent_micros) as sequence_position,
        min(sent_at) over (partition by contact_key, channel, begins_at) as sequence_first_at
    from sequenced
    window
        last_7_days as (
            partition by contact_key order by sent_micros range between 604799999999 preceding and current row
        ),
        last_30_days as (
            partition by contact_key order by sent_micros range between 2591999999999 preceding and current row
        )
),
instants as (
    select
        contact_key,
        channel,
        sent_at,
        min(sent_micros) as sent_micros,
        min(messages_7_days) as messages_7_days,
        min(messages_30_days) as messages_30_days,
        min(sequence_position) as sequence_position,
        min(sequence_first_at) as sequence_first_at
    from pressed
    group by contact_key, channel, sent_at
),
own as (
    select i.*, a.language, a.template_id, c.timezone
    from attributed as a
    join instants as i on i.contact_key = a.contact_key and i.channel = a.channel and i.sent_at = a.sent_at
    join core.contacts as c on c.contact_key = i.contact_key
),
timed as (
    select
        m.*,
        coalesce(z.offset_seconds, o.offset_seconds) as offset_seconds,
        o.offset_seconds as report_offset_seconds,
        f.offset_seconds as first_offset_seconds,
        case when z.offset_seconds is null then 0 else 1 end as is_zone_known
    from own as m
    left join run.zone_offsets as z
        on z.timezone = m.timezone and m.sent_at >= z.from_at and m.sent_at < z.until_at
    join run.report_offsets as o on m.sent_at >= o.from_at and m.sent_at < o.until_at
    join run.report_offsets as f on m.sequence_first_at >= f.from_at and m.sequence_first_at < f.until_at
),
dated as (
    select
        *,
        floor(cast(sent_micros as double) / 3600000000 + cast(offset_seconds as double) / 3600) as local_hours,
        local_date(sent_at, report_offset_seconds) as sent_on,
        local_date(sequence_first_at, first_offset_seconds) as first_on
    from timed
)
select
    channel,
    sent_on,
    template_id,
    language,
    is_zone_known,
    cast(local_hours - 24 * floor(local_hours / 24) as int) as local_hour,
    -- 1 January 1970 was a Thursday, day 4 of its week.
    cast(1 + floor(local_hours / 24) + 3 - 7 * floor((floor(local_hours / 24) + 3) / 7) as int) as local_weekday,
    messages_7_days,
    messages_30_days,
    sequence_position,
    cast(date_trunc('month', first_on) as date) as first_month
from dated
