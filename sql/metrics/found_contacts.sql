-- One row per contact that has a finding; under scope person, of every contact of a person that has one.
-- What the findings rest on is published for these contacts, so that each rule can be run again over it.
with
found as (
    select distinct contact_key from audits.findings where contact_key is not null
),
persons as (
    select distinct c.person_key
    from found as f
    join core.contacts as c on c.contact_key = f.contact_key
    cross join run.parameters as p
    where p.scope = 'person'
)
select contact_key from found
union
select c.contact_key
from core.contacts as c
join persons as p on p.person_key = c.person_key
