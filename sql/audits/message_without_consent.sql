-- One row per marketing message (or message of unknown class) to a contact with no opt-in on record before it.
-- Rule: no marketing message before an opt-in. Where a legal rule in force asks for consent the finding weighs what that
--   rule says (high, or warning where the law also knows consent that no log shows), elsewhere it is a notice. Where
--   the record holds no opt-in at all for the channel the log is missing: no_consent_log, never more than a warning.
-- Why: 47 CFR 64.1200(a)(2) and (f)(9): prior express written consent; Directive 2002/58/EC Art. 13; CASL s.6; PECR
--   reg. 22; UWG Par. 7; Spam Act 2003 (AU) s.16; WhatsApp Business Messaging Policy. CAN-SPAM asks for none.
-- Remedy: find the opt-in and deliver it with its time and proof, or stop sending to the contact.
-- Severity: high, warning or notice, by the legal rule in force.
with
judged as (
    select
        m.source, m.message_id, m.channel, m.contact_key, m.program, m.campaign_id, m.sent_at, m.status,
        case p.scope when 'person' then '*' else m.channel end as scope_channel,
        case p.scope when 'program' then m.program else '*' end as scope_program
    from core.messages as m
    cross join run.parameters as p
    where m.is_marketing
),
-- Each opt-in under every channel it covers, so that the many messages find theirs by equality.
starts as (
    select s.contact_key, c.channel, s.program, min(s.opted_in_at) as opted_in_at, min(s.requested_at) as requested_at
    from core.consent_starts as s
    join reference.channels as c on s.channel = c.channel or s.channel = '*'
    group by s.contact_key, c.channel, s.program
),
known as (
    select contact_key, channel, program, opted_in_at as since_at from starts where opted_in_at is not null
),
-- Under double opt-in a message after a request is the other rule's: message_before_confirmation.
requested as (
    select s.contact_key, s.channel, s.program, s.requested_at as since_at
    from starts as s
    cross join run.parameters as p
    where p.double_opt_in and s.requested_at is not null
),
excused as (
    select contact_key, channel, program, min(since_at) as since_at
    from (select * from known union all select * from requested) as every
    group by contact_key, channel, program
),
of_every_program as (
    select contact_key, channel, since_at from excused where program = '*'
),
of_one_program as (
    select contact_key, channel, program, since_at from excused where program <> '*'
),
uncovered as (
    select m.*
    from judged as m
    anti join of_every_program as e
        on e.contact_key = m.contact_key and e.channel = m.channel and e.since_at <= m.sent_at
    anti join of_one_program as o
        on o.contact_key = m.contact_key and o.channel = m.channel and o.program = m.program
        and o.since_at <= m.sent_at
    anti join core.citable_spans as s
        on s.contact_key = m.contact_key
        and s.channel = m.scope_channel
        and s.program = m.scope_program
        and s.after_at < m.sent_at
        and s.until_at > m.sent_at
)
select
    'message_without_consent' as rule,
    case when k.is_logged then 'no_consent_on_record' else 'no_consent_log' end as finding_class,
    case
        when d.severity is null then 'notice'
        when k.is_logged then d.severity
        else 'warning'
    end as severity,
    u.source,
    u.message_id,
    u.contact_key,
    u.channel,
    u.program,
    u.campaign_id,
    u.sent_at as occurred_at,
    u.status not in ('failed', 'undelivered', 'suppressed') as delivered,
    d.rule_id as legal_rule_id,
    'No opt-in of this contact is on record before the message' as details
from uncovered as u
join (
    select channel, channel in (select channel from core.consented_channels)
        or '*' in (select channel from core.consented_channels) as is_logged
    from reference.channels
) as k on k.channel = u.channel
join core.contacts as c on c.contact_key = u.contact_key
left join core.consent_duties as d
    on d.place_id = c.place_id
    and d.channel = u.channel
    and u.sent_at >= d.from_at
    and u.sent_at < d.until_at
