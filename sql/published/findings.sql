-- One row per finding, with its id, the mask of its contact and where the contact is.
-- The id is made from what the finding is about, so that it stays the same from run to run, whatever else is found. What
-- is about no message is told apart by its words too: two lists may still hold one contact.
select
    substr(
        md5(
            concat_ws(
                '|',
                f.rule,
                coalesce(f.source, '-'),
                coalesce(f.message_id, '-'),
                coalesce(f.event_id, '-'),
                coalesce(cast(f.contact_key as string), '-'),
                coalesce(f.channel, '-'),
                coalesce(f.program, '-'),
                coalesce(f.campaign_id, '-'),
                case when f.message_id is null then f.details else '-' end
            )
        ),
        1,
        16
    ) as finding_id,
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
    c.jurisdiction_certainty,
    f.waiver_number
from audits.findings as f
left join core.contacts as c on c.contact_key = f.contact_key
