-- One row per consent act and scope key, of every person of whom an opt-in without an act was found.
with
found as (
    select distinct c.person_key
    from audits.opt_in_without_act as o
    join core.contacts as c on c.contact_key = o.contact_key
)
select a.scope_key, a.kind, a.role, a.source, a.event_id, a.contact_key, a.requested_at
from core.scoped_acts as a
semi join found as f on f.person_key = a.person_key
