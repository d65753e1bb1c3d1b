-- One row per message whose text, or else whose campaign's, is known and tells no way to opt out.
-- A message's text is that of its earliest version with one.
with
silent as (
    select source, message_id, sent_at, load_id, row_number
    from (
        select source, message_id, sent_at, load_id, row_number, body as said
        from history.messages
        where body is not null and channel in ('sms', 'rcs', 'email')
    ) as texts
    where not tells_opt_out(said)
),
earliest as (
    select source, message_id, min(sent_at) as sent_at from silent group by source, message_id
),
contradicted as (
    select distinct e.source, e.message_id
    from earliest as e
    join history.messages as m on m.source = e.source and m.message_id = e.message_id
    where m.body is not null and m.sent_at < e.sent_at
),
silent_campaigns as (
    select distinct m.message_source as source, m.campaign_id, m.message_channel as channel
    from core.campaigns as c
    join core.campaign_messages as m
        on m.campaign_source = c.source and m.campaign_id = c.campaign_id and m.campaign_channel = c.channel
    where c.template_text is not null and not tells_opt_out(c.template_text)
),
untold as (
    select m.source, m.message_id
    from core.messages as m
    join silent_campaigns as c on c.source = m.source and c.campaign_id = m.campaign_id and c.channel = m.channel
    where m.is_marketing and m.channel in ('sms', 'rcs', 'email')
),
templated as (
    select u.source, u.message_id
    from untold as u
    where not exists (
        select 1 from history.messages as h
        where h.source = u.source and h.message_id = u.message_id and h.body is not null
    )
)
select e.source, e.message_id, 'text' as told_by
from earliest as e
where not exists (select 1 from contradicted as c where c.source = e.source and c.message_id = e.message_id)
union all
select source, message_id, 'template' as told_by
from templated
