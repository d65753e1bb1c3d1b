-- One row per opt-in that came from a source the home forbids, or from a box that was ticked beforehand.
-- Rule: no consent from a forbidden source ([policy] forbidden_sources: purchased and scraped lists), none from a
--   prechecked box.
-- Why: consent is an act of the person: GDPR Art. 4(11) and 7, and CJEU C-673/17 Planet49 (a prechecked box is none);
--   47 CFR 64.1200(f)(9): a written agreement with the called person; CTIA Messaging Principles: no purchased lists.
-- Remedy: stop sending on this consent and ask for it properly, or remove the contact; find who else came the same way.
-- Severity: high.
select
    'consent_from_forbidden_source' as rule,
    case when f.source_type is not null then e.source_type else 'prechecked_box' end as finding_class,
    'high' as severity,
    e.source,
    e.event_id,
    e.contact_key,
    e.channel,
    e.program,
    e.campaign_id,
    e.requested_at as occurred_at,
    case
        when f.source_type is not null then concat('The opt-in comes from a source that is forbidden: ', e.source_type)
        else 'The box was ticked beforehand'
    end as details
from core.consent_events as e
left join run.forbidden_sources as f on f.source_type = e.source_type
where e.event_type in ('opt_in', 'opt_in_confirmed') and (f.source_type is not null or e.prechecked)
