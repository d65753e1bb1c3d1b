-- One row per opt-out span: the message it is attributed to, and the marketing message that reached the contact last before it.
-- attributed_by says how: message (the opt-out names one on record), campaign (it names one), last_touch (the last
-- marketing message that reached the same contact and channel, within the attribution window before the request), none.
-- One act on every channel begins a span on each: each is attributed on its own channel.
-- touch_* is that last message however long ago it was sent, for other windows than heed's. Blocks are attributed to nothing.
with
opt_outs as (
    select
        s.span_id, s.begins_at, s.begins_on, s.channel, s.program, s.reason, e.source, e.contact_key, e.message_id,
        e.campaign_id, e.method
    from core.opt_out_spans as s
    join core.consent_events as e on e.source = s.source and e.event_id = s.event_id
    where s.kind = 'opt_out'
),
named as (
    select
        o.span_id, m.source, m.message_id, m.channel, m.program, m.campaign_id, m.template_id, m.sent_at,
        row_number() over (
            partition by o.span_id order by case when m.source = o.source then 0 else 1 end, m.sent_at, m.source
        ) as place
    from opt_outs as o
    join core.messages as m on m.contact_key = o.contact_key and m.message_id = o.message_id
    where m.channel = o.channel or o.channel = '*'
),
-- Two steps, since only the last message's columns are wanted: its time first.
last_touches as (
    select o.span_id, o.contact_key, o.channel, max(m.sent_at) as sent_at
    from opt_outs as o
    join core.messages as m on m.contact_key = o.contact_key and m.sent_at < o.begins_at
    where m.is_reached and (m.channel = o.channel or o.channel = '*')
    group by o.span_id, o.contact_key, o.channel
),
touches as (
    select
        l.span_id, m.source, m.message_id, m.channel, m.program, m.campaign_id, m.template_id, m.sent_at,
        row_number() over (partition by l.span_id order by m.source, m.message_id) as place
    from last_touches as l
    join core.messages as m on m.contact_key = l.contact_key and m.sent_at = l.sent_at
    where m.is_reached and (m.channel = l.channel or l.channel = '*')
),
judged as (
    select
        o.*,
        n.source as named_source, n.message_id as named_message_id, n.channel as named_channel, n.program as named_program,
        n.campaign_id as named_campaign_id, n.template_id as named_template_id, n.sent_at as named_sent_at,
        t.source as touch_source, t.message_id as touch_message_id, t.channel as touch_channel, t.program as touch_program,
        t.campaign_id as touch_campaign_id, t.template_id as touch_template_id, t.sent_at as touch_sent_at,
        cast(unix_micros(o.begins_at) - unix_micros(t.sent_at) as double) / cast(1000000 as double) as touch_seconds,
        case
            when n.message_id is not null then 'message'
            when o.campaign_id is not null then 'campaign'
            when unix_micros(o.begins_at) - unix_micros(t.sent_at) <= p.attribution_window_seconds * 1000000
                then 'last_touch'
            else 'none'
        end as attributed_by
    from opt_outs as o
    cross join run.parameters as p
    left join named as n on n.span_id = o.span_id and n.place = 1
    left join touches as t on t.span_id = o.span_id and t.place = 1
)
select
    span_id,
    contact_key,
    begins_at,
    begins_on,
    method,
    reason,
    attributed_by,
    case attributed_by when 'message' then named_source when 'last_touch' then touch_source end as source,
    case attributed_by when 'message' then named_message_id when 'last_touch' then touch_message_id end as message_id,
    case attributed_by when 'message' then named_channel when 'last_touch' then touch_channel else channel end as channel,
    case attributed_by when 'message' then named_program when 'last_touch' then touch_program else program end as program,
    case attributed_by
        when 'message' then coalesce(campaign_id, named_campaign_id)
        when 'campaign' then campaign_id
        when 'last_touch' then touch_campaign_id
    end as campaign_id,
    case attributed_by when 'message' then named_template_id when 'last_touch' then touch_template_id end as template_id,
    case attributed_by when 'message' then named_sent_at when 'last_touch' then touch_sent_at end as sent_at,
    channel as opt_out_channel,
    program as opt_out_program,
    touch_source,
    touch_message_id,
    touch_channel,
    touch_program,
    touch_campaign_id,
    touch_template_id,
    touch_sent_at,
    touch_seconds
from judged
