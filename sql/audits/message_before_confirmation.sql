-- One row per marketing message (or message of unknown class) to a contact that had asked to opt in and not confirmed.
-- Rule: where the home requires double opt-in, no marketing message between the request and its confirmation.
-- Why: confirmation is how consent is proved: GDPR Art. 7(1); BGH I ZR 164/09 (Germany, e-mail) takes it as proof. The
--   home's own policy (double_opt_in) makes it a rule.
-- Remedy: send to confirmed contacts only; look for the way by which an unconfirmed one came onto the list.
-- Severity: high.
with
asked as (
    select
        m.source, m.message_id, m.channel, m.contact_key, m.program, m.campaign_id, m.sent_at, m.status,
        case p.scope when 'person' then '*' else m.channel end as scope_channel,
        case p.scope when 'program' then m.program else '*' end as scope_program,
        min(s.requested_at) as requested_at,
        min(s.opted_in_at) as opted_in_at
    from core.messages as m
    cross join run.parameters as p
    join core.consent_starts as s
        on s.contact_key = m.contact_key
        and (s.channel = m.channel or s.channel = '*')
        and (s.program = m.program or s.program = '*')
    where p.double_opt_in and m.is_marketing
    group by
        m.source, m.message_id, m.channel, m.contact_key, m.program, m.campaign_id, m.sent_at, m.status, p.scope
)
select
    'message_before_confirmation' as rule,
    'only_requested' as finding_class,
    'high' as severity,
    a.source,
    a.message_id,
    a.contact_key,
    a.channel,
    a.program,
    a.campaign_id,
    a.sent_at as occurred_at,
    a.status not in ('failed', 'undelivered', 'suppressed') as delivered,
    'The contact had asked to opt in and not confirmed' as details
from asked as a
anti join core.citable_spans as s
    on s.contact_key = a.contact_key
    and s.channel = a.scope_channel
    and s.program = a.scope_program
    and s.after_at < a.sent_at
    and s.until_at > a.sent_at
where
    a.requested_at <= a.sent_at
    and (a.opted_in_at is null or a.opted_in_at > a.sent_at)
