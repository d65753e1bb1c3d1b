-- One row per opt-out span that was processed after its deadline, or of which nothing shows that it ever was.
-- Rule: every opt-out is processed by its deadline: the strictest legal rule in force for the contact when it asked, else
--   the home's own. Processed later is processed_late (high); past the deadline without any proof is not_processed
--   (warning): no proof is not proof of the contrary.
-- Why: 47 CFR 64.1200(a)(10): at most ten business days from receipt; 15 USC 7704(a)(4)(A)(i); CASL s.11(3); Spam Act
--   2003 (AU) Sch. 2 cl. 6; Unsolicited Electronic Messages Act 2007 (NZ) s.9(2). The cited legal rule is the one used.
-- Remedy: find out where the request waited and shorten that way; where nothing shows that it was applied, deliver the
--   time at which your sending system applied it (processed_at).
-- Severity: high where it was processed late, warning where nothing shows that it was processed.
select
    'opt_out_not_honoured_in_time' as rule,
    case when s.processed_at is null then 'not_processed' else 'processed_late' end as finding_class,
    case when s.processed_at is null then 'warning' else 'high' end as severity,
    s.source,
    s.event_id,
    s.contact_key,
    s.channel,
    s.program,
    s.campaign_id,
    s.deadline_at as occurred_at,
    s.begins_at,
    s.processed_at,
    s.deadline_at,
    s.legal_rule_id,
    case
        when s.processed_at is null then 'The deadline passed and nothing shows that the opt-out was processed'
        else 'The opt-out was processed after its deadline'
    end as details
from core.opt_out_spans as s
cross join run.parameters as p
where
    s.kind = 'opt_out'
    and (
        s.processed_at > s.deadline_at
        or (s.processed_at is null and p.as_of > s.deadline_at and (s.ends_at is null or s.ends_at > s.deadline_at))
    )
