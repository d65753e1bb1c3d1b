-- One row per confirmation sent after an act of its contact on its channel: the act it follows, and its place there.
-- Of acts at one instant an opt-out counts as the last. Only what was sent counts: an attempt that failed or was
-- refused confirms nothing.
with
sent as (
    select m.source, m.message_id, m.contact_key, m.channel, m.program, m.campaign_id, m.sent_at, m.status
    from core.messages as m
    join reference.message_statuses as s on s.status = m.status
    where m.message_class = 'confirmation' and s.is_sent
),
followed as (
    select
        s.*,
        e.source as act_source,
        e.event_id,
        e.event_type,
        e.requested_at,
        row_number() over (
            partition by s.source, s.message_id
            order by e.requested_at desc,
                case when e.event_type = 'opt_out' then 0 when e.event_type in ('complaint', 'block') then 1 else 2 end,
                e.source desc, e.event_id desc
        ) as nearness
    from sent as s
    join core.consent_events as e
        on e.contact_key = s.contact_key
        and (e.channel = s.channel or e.channel = '*')
        and e.requested_at <= s.sent_at
)
select
    source,
    message_id,
    contact_key,
    channel,
    program,
    campaign_id,
    sent_at,
    status,
    act_source,
    event_id,
    event_type,
    requested_at,
    row_number() over (
        partition by act_source, event_id, contact_key, channel order by sent_at, source, message_id
    ) as confirmation_number
from followed
where nearness = 1
