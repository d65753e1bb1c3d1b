-- One row per finding, with the mask of its contact and where the contact is.
select
    f.rule,
    f.finding_class,
    f.severity,
    f.source,
    f.message_id,
    f.event_id,
    f.contact_key,
    c.contact_masked,
    f.channel,
    f.program,
    f.campaign_id,
    f.occurred_at,
    f.begins_at,
    f.processed_at,
    f.deadline_at,
    f.delivered,
    f.details,
    f.waived_by,
    f.legal_rule_id,
    c.jurisdiction,
    c.jurisdiction_certainty
from audits.findings as f
left join core.contacts as c on c.contact_key = f.contact_key
