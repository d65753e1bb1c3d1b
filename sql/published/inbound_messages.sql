-- One row per message that a contact with a finding sent, without its text.
select i.source, i.inbound_id, i.channel, i.contact_key, i.program, i.received_at, i.load_id, i.row_number
from core.inbound_messages as i
semi join metrics.found_contacts as f on f.contact_key = i.contact_key
