-- One row per stretch of time inside a span in which a message to a contact with a finding is cited with that span.
select s.*
from core.citable_spans as s
semi join metrics.found_contacts as f on f.contact_key = s.contact_key
