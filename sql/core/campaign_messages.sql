-- One row per campaign of core.campaigns and source and channel of its messages: how many, and how many are marketing.
-- A source that delivers its own campaigns means those; another source's messages mean any campaign of that id.
with
own as (
    select distinct source from core.campaigns
),
sent as (
    select
        source,
        campaign_id,
        channel,
        count(*) as message_count,
        count(*) filter (where is_marketing) as marketing_count,
        min(sent_at) as first_sent_at
    from core.messages
    where campaign_id is not null and campaign_id in (select campaign_id from core.campaigns)
    group by source, campaign_id, channel
)
select
    c.source as campaign_source,
    c.campaign_id,
    c.channel as campaign_channel,
    s.source as message_source,
    s.channel as message_channel,
    s.message_count,
    s.marketing_count,
    s.first_sent_at
from core.campaigns as c
join sent as s on s.campaign_id = c.campaign_id and (c.channel = '*' or c.channel = s.channel)
left join own as o on o.source = s.source
where c.source = s.source or o.source is null
