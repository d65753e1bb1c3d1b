-- One row per marketing campaign that is set up to ignore opt-outs.
-- Rule: a marketing campaign respects opt-outs: the suppression box is ticked. A campaign all of whose messages are
--   transactional or confirmations may ignore them.
-- Why: the setting decides what happens before anybody is harmed: 47 CFR 64.1200(d); 15 USC 7704(a)(4); GDPR Art. 25.
-- Remedy: tick the box, and look at every message of the campaign to a contact that had opted out.
-- Severity: high.
with
counted as (
    select
        campaign_source, campaign_id, campaign_channel,
        sum(message_count) as message_count,
        sum(marketing_count) as marketing_count,
        min(first_sent_at) as first_sent_at
    from core.campaign_messages
    group by campaign_source, campaign_id, campaign_channel
)
select
    'campaign_ignores_opt_outs' as rule,
    'suppression_off' as finding_class,
    'high' as severity,
    c.source,
    cast(null as bigint) as contact_key,
    c.channel,
    c.program,
    c.campaign_id,
    coalesce(c.started_at, n.first_sent_at, p.as_of) as occurred_at,
    'The campaign is set up to ignore opt-outs' as details
from core.campaigns as c
cross join run.parameters as p
left join counted as n
    on n.campaign_source = c.source and n.campaign_id = c.campaign_id and n.campaign_channel = c.channel
where c.respects_opt_outs = 0 and (n.message_count is null or n.marketing_count > 0)
