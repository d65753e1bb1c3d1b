-- One row per confirmation whose text holds marketing, with the contact it went to.
select m.source, m.message_id, c.contact_key, m.phrase
from core.marketing_confirmations as m
join core.confirmations as c on c.source = m.source and c.message_id = m.message_id
