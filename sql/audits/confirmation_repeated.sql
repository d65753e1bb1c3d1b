-- One row per confirmation of an opt-out beyond the first.
-- Rule: an opt-out is confirmed once; after that nothing more is sent.
-- Why: 47 CFR 64.1200(a)(12): a one-time text; CTIA Messaging Principles 5.1.3: no further message after the confirmation.
-- Remedy: find the second system that confirms (provider and own application are the usual pair) and switch one off.
-- Severity: high.
select
    'confirmation_repeated' as rule,
    'repeated' as finding_class,
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
    'The opt-out had been confirmed before' as details
from core.confirmations as c
where c.event_type = 'opt_out' and c.confirmation_number > 1
