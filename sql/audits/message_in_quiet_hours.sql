-- One row per marketing message (or message of unknown class) sent in the quiet hours of a legal rule in force.
-- Rule: no marketing message outside the hours that a rule for the contact's place and channel allows, by the contact's
--   local time; both ends of the hours are allowed. The class says how the local time, and the region a rule is about,
--   is known: certain, possible (an area code suggests it), unknown (only a country with several time zones is known).
-- Why: 47 CFR 64.1200(c)(1) and state laws (Fla. Stat. 501.616(6), Or. Laws 2025 ch. 580, Md. Com. Law 14-4502); TCCCPR
--   2018 (India). Whether they reach texts the contact has agreed to is disputed in the United States: the weight of
--   each rule is its own (severity in the rule book).
-- Remedy: schedule by the contact's own time zone; deliver contacts with region and time zone so that nothing is guessed.
-- Severity: that of the legal rule (high or warning) where certain, warning where possible, notice where unknown.
with
quiet as (
    select
        m.source, m.message_id, m.contact_key, m.channel, m.program, m.campaign_id, m.sent_at, m.status,
        q.legal_rule_id, q.severity, q.certainty,
        case p.scope when 'person' then '*' else m.channel end as scope_channel,
        case p.scope when 'program' then m.program else '*' end as scope_program
    from core.messages as m
    cross join run.parameters as p
    join core.contacts as c on c.contact_key = m.contact_key
    join core.quiet_places as s on s.place_id = c.place_id
    join core.quiet_hours as q
        on q.schedule_id = s.schedule_id
        and q.channel = m.channel
        and q.utc_hour = cast(floor(cast(unix_seconds(m.sent_at) as double) / 3600) as bigint)
        and m.sent_at >= q.from_at
        and m.sent_at < q.until_at
    where m.is_marketing
)
select
    'message_in_quiet_hours' as rule,
    q.certainty as finding_class,
    case q.certainty when 'certain' then q.severity when 'possible' then 'warning' else 'notice' end as severity,
    q.source,
    q.message_id,
    q.contact_key,
    q.channel,
    q.program,
    q.campaign_id,
    q.sent_at as occurred_at,
    q.status not in ('failed', 'undelivered', 'suppressed') as delivered,
    q.legal_rule_id,
    'Sent in quiet hours by the local time of the contact' as details
from quiet as q
anti join core.citable_spans as s
    on s.contact_key = q.contact_key
    and s.channel = q.scope_channel
    and s.program = q.scope_program
    and s.after_at < q.sent_at
    and s.until_at > q.sent_at
