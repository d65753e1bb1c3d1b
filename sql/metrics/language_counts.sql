-- One row per channel, day and language of the campaign (null: not known): delivered marketing messages.
-- A campaign's language is the one that the list of campaigns gives, for its channel or for all.
with
languages as (
    select campaign_id, channel, min(language) as language
    from core.campaigns
    where language is not null
    group by campaign_id, channel
)
select
    m.channel,
    m.sent_on,
    coalesce(own.language, any_channel.language) as language,
    cast(sum(m.delivered_count) as bigint) as delivered_count
from metrics.message_counts as m
left join languages as own on own.campaign_id = m.campaign_id and own.channel = m.channel
left join languages as any_channel on any_channel.campaign_id = m.campaign_id and any_channel.channel = '*'
group by m.channel, m.sent_on, coalesce(own.language, any_channel.language)
