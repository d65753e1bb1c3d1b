-- One row per opt-in that ended an opt-out span and was no act of the contact.
-- Rule: only the contact undoes its own opt-out. Imports, operators and systems that do are found, unless the contact, or
--   an act of which no actor is named, opted in at the same instant.
-- Why: consent after a revocation is new consent: 47 CFR 64.1200(a)(10); 15 USC 7704(a)(4)(B): affirmative consent after
--   the request; GDPR Art. 7. PECR reg. 22: asking opted-out people for consent is marketing.
-- Remedy: restore the opt-out, find the import or the person, and look at every message sent since.
-- Severity: high.
with
endings as (
    select
        s.span_id, s.begins_at, s.processed_at, a.source, a.event_id, e.contact_key, e.channel, e.program, e.campaign_id,
        e.requested_at,
        case when e.actor is null and e.method = 'import' then 'import' else e.actor end as actor
    from core.opt_out_spans as s
    join core.scoped_acts as a
        on a.scope_key = s.scope_key and a.kind = 'opt_out' and a.role = 'ends' and a.requested_at = s.ends_at
    join core.consent_events as e on e.source = a.source and e.event_id = a.event_id
    where s.kind = 'opt_out'
),
by_contact as (
    select distinct span_id from endings where actor is null or actor = 'contact'
),
undone as (
    select
        e.*,
        row_number() over (partition by e.source, e.event_id order by e.begins_at, e.span_id) as repetition
    from endings as e
    where
        e.actor in ('operator', 'import', 'system', 'provider')
        and e.span_id not in (select span_id from by_contact)
)
select
    'opt_in_without_act' as rule,
    actor as finding_class,
    'high' as severity,
    source,
    event_id,
    contact_key,
    channel,
    program,
    campaign_id,
    requested_at as occurred_at,
    begins_at,
    processed_at,
    concat('The opt-out was undone without an act of the contact, by ', actor) as details
from undone
where repetition = 1
