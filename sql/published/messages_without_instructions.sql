-- One row per message that tells no way to opt out, to a contact with a finding of that rule.
with
found as (
    select distinct contact_key from audits.message_without_opt_out_instructions
)
select w.source, w.message_id, m.contact_key, w.told_by
from core.messages_without_instructions as w
join core.messages as m on m.source = w.source and m.message_id = w.message_id
semi join found as f on f.contact_key = m.contact_key
