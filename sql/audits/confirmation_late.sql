-- One row per confirmation of an opt-out that was the first one and came later than the confirmation window.
-- Rule: the confirmation of an opt-out is sent within the confirmation window ([policy] confirmation_window, 5 minutes).
-- Why: 47 CFR 64.1200(a)(12): within five minutes it is presumed to be covered by the earlier consent; a later one needs
--   a reason the sender can show.
-- Remedy: let the provider confirm, or put the confirmation before other work in the queue.
-- Severity: warning.
select
    'confirmation_late' as rule,
    'late' as finding_class,
    'warning' as severity,
    c.source,
    c.message_id,
    c.event_id,
    c.contact_key,
    c.channel,
    c.program,
    c.campaign_id,
    c.sent_at as occurred_at,
    true as delivered,
    'The confirmation came after the confirmation window' as details
from core.confirmations as c
cross join run.parameters as p
where
    c.event_type = 'opt_out'
    and c.confirmation_number = 1
    and c.sent_at > c.requested_at + p.confirmation_window_seconds * interval '1 second'
