-- One row per two person_ids that share a contact, in either order.
with
shared as (
    select contact_key from core.person_ids group by contact_key having count(*) > 1
)
select distinct a.person_id, b.person_id as linked_id
from shared as s
join core.person_ids as a on a.contact_key = s.contact_key
join core.person_ids as b on b.contact_key = s.contact_key and b.person_id <> a.person_id
