-- One row per channel, program, campaign and day: the marketing messages that opt-outs per message are counted against.
-- delivered_count: status delivered or read; of a source that never reports either, accepted or sent. reached_count:
-- accepted, sent, delivered or read. campaign_id is null for messages of no campaign.
select
    m.channel,
    m.program,
    m.campaign_id,
    m.sent_on,
    count(*) filter (where m.status in ('delivered', 'read') or d.reports_delivery = 0) as delivered_count,
    count(*) as reached_count
from core.messages as m
join core.delivery_reports as d on d.source = m.source
where m.is_reached
group by m.channel, m.program, m.campaign_id, m.sent_on
