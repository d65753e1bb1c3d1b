-- One row per marketing message (or message of unknown class) to a contact with no opt-in on record before it.
-- Rule: no marketing message before an opt-in. Where a legal rule in force asks for consent the finding weighs what that
--   rule says (high, or warning where the law also knows consent that no log shows), elsewhere it is a notice. Where
--   the record holds no opt-in at all for the channel the log is missing: no_consent_log, never more than a warning.
-- Why: 47 CFR 64.1200(a)(2) and (f)(9): prior express written consent; Directive 2002/58/EC Art. 13; CASL s.6; PECR
--   reg. 22; UWG Par. 7; Spam Act 2003 (AU) s.16; WhatsApp Business Messaging Policy. CAN-SPAM asks for none.
-- Remedy: find the opt-in and deliver it with its time and proof, or stop sending to the contact.
-- Severity: high, warning or notice, by the legal rule in force.
with
uncovered as (
    select m.source, m.message_id, m.channel, m.contact_key, m.program, m.campaign_id, m.sent_at, m.status
    from core.messages as m
    where
        m.is_marketing
        and not exists (
            select 1
            from core.consent_starts as s
            where
                s.contact_key = m.contact_key
                and (s.channel = m.channel or s.channel = '*')
                and (s.program = m.program or s.program = '*')
                and s.opted_in_at <= m.sent_at
        )
),
consented_channels as (
    select distinct channel
    from core.consent_events
    where event_type in ('opt_in', 'opt_in_confirmed')
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
    select channel, channel in (select channel from consented_channels)
        or '*' in (select channel from consented_channels) as is_logged
    from reference.channels
) as k on k.channel = u.channel
join core.contacts as c on c.contact_key = u.contact_key
left join core.consent_duties as d
    on d.place_id = c.place_id
    and d.channel = u.channel
    and u.sent_at >= d.from_at
    and u.sent_at < d.until_at
where
    not exists (
        select 1 from core.citable_spans as s
        where
            s.contact_key = u.contact_key
            and (s.channel = u.channel or s.channel = '*')
            and (s.program = u.program or s.program = '*')
            and s.after_at < u.sent_at
            and (s.until_at is null or u.sent_at < s.until_at)
    )
    and not exists (
        select 1
        from core.consent_starts as s
        cross join run.parameters as p
        where
            p.double_opt_in
            and s.contact_key = u.contact_key
            and (s.channel = u.channel or s.channel = '*')
            and (s.program = u.program or s.program = '*')
            and s.requested_at <= u.sent_at
    )
