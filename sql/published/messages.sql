-- One row per message to a contact that has a finding, with what the rules read of it.
select
    m.source, m.message_id, m.channel, m.contact_key, m.program, m.campaign_id, m.message_class, m.sent_at, m.status,
    m.is_marketing, m.is_reached, m.load_id, m.row_number
from core.messages as m
semi join metrics.found_contacts as f on f.contact_key = m.contact_key
