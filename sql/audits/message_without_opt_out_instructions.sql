-- One row per marketing message (or message of unknown class) whose known text tells no way to opt out.
-- Rule: a marketing message on sms, rcs or email says how to opt out. Its own text is read, else its campaign's template;
--   where neither is on record nothing is said.
-- Why: 15 USC 7704(a)(3) and (5): every commercial e-mail; PECR reg. 22(3)(c) and Directive 2002/58/EC Art. 13: in each
--   message; 47 CFR 64.1200(a)(10): one-way texts say how else to opt out; CTIA Messaging Principles 5.1.
-- Remedy: add the instruction to the template; the list of what heed recognises is data/reference/opt_out_instructions.csv.
-- Severity: warning.
with
silent as (
    select
        m.source, m.message_id, m.channel, m.contact_key, m.program, m.campaign_id, m.sent_at, m.status, w.told_by,
        case p.scope when 'person' then '*' else m.channel end as scope_channel,
        case p.scope when 'program' then m.program else '*' end as scope_program
    from core.messages_without_instructions as w
    join core.messages as m on m.source = w.source and m.message_id = w.message_id
    cross join run.parameters as p
    where m.is_marketing
)
select
    'message_without_opt_out_instructions' as rule,
    'no_instructions' as finding_class,
    'warning' as severity,
    m.source,
    m.message_id,
    m.contact_key,
    m.channel,
    m.program,
    m.campaign_id,
    m.sent_at as occurred_at,
    m.status not in ('failed', 'undelivered', 'suppressed') as delivered,
    case m.told_by
        when 'text' then 'The text tells no way to opt out'
        else 'The template of the campaign tells no way to opt out'
    end as details
from silent as m
anti join core.citable_spans as s
    on s.contact_key = m.contact_key
    and s.channel = m.scope_channel
    and s.program = m.scope_program
    and s.after_at < m.sent_at
    and s.until_at > m.sent_at
