-- One row per confirmation of an opt-out whose text holds marketing.
-- Rule: the confirmation of an opt-out only confirms; it may ask what the opt-out is meant for, and it sells nothing.
-- Why: 47 CFR 64.1200(a)(12): the confirmation includes no marketing or promotional information; PECR reg. 22 (ICO, Flybe
--   and Honda, 2017): asking opted-out people to come back is marketing.
-- Remedy: take offers and appeals to stay out of the confirmation's text.
-- Severity: high.
select
    'confirmation_with_marketing' as rule,
    'marketing_text' as finding_class,
    'high' as severity,
    c.source,
    c.message_id,
    c.event_id,
    c.contact_key,
    c.channel,
    c.program,
    c.campaign_id,
    c.sent_at as occurred_at,
    true as delivered,
    concat('The confirmation says: ', m.phrase) as details
from core.confirmations as c
join core.marketing_confirmations as m on m.source = c.source and m.message_id = c.message_id
where c.event_type = 'opt_out'
