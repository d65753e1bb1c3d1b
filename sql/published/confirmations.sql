-- One row per confirmation sent to a contact that has a finding, with the act it follows.
select c.*
from core.confirmations as c
semi join metrics.found_contacts as f on f.contact_key = c.contact_key
