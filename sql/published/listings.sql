-- One row per source and contact of its list, of the contacts that are found to be still on one.
with
found as (
    select distinct contact_key from audits.contact_still_listed
)
select l.*
from core.listings as l
semi join found as f on f.contact_key = l.contact_key
