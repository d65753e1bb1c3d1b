-- One row per inbound message of a contact with a finding that some regime reads as a request to stop.
select r.*
from core.inbound_requests as r
semi join metrics.found_contacts as f on f.contact_key = r.contact_key
