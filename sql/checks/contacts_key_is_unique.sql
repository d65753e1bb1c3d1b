-- One row per contact_key that more than one row of core.contacts carries.
select contact_key
from core.contacts
group by contact_key
having count(*) > 1
