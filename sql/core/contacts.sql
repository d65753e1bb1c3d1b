-- One row per contact: its mask, what kind of address it is, where it is, and the person it belongs to.
-- Contacts that share a person_id, directly or through other contacts, are one person. The smallest of their keys names
-- it: a person_id may be an address, and what is published holds none.
with
belongs as (
    select i.contact_key, min(coalesce(p.first_id, i.person_id)) as person_id
    from core.person_ids as i
    left join core.linked_persons as p on p.person_id = i.person_id
    group by i.contact_key
),
persons as (
    select person_id, min(contact_key) as first_key from belongs group by person_id
),
single_zones as (
    select place_id, min(timezone) as timezone from core.place_zones group by place_id having count(*) = 1
)
select
    a.contact_key,
    a.contact_masked,
    a.address_kind,
    case
        when n.first_key is not null then concat('person:', cast(n.first_key as string))
        else concat('contact:', cast(a.contact_key as string))
    end as person_key,
    a.country,
    a.region,
    z.timezone,
    coalesce(a.region, a.country) as jurisdiction,
    a.jurisdiction_certainty,
    p.place_id,
    a.country_from,
    a.region_from,
    a.timezone_from,
    a.region_certainty,
    a.timezone_certainty
from core.contact_places as a
join core.places as p on p.place = a.place
left join single_zones as z on z.place_id = p.place_id
left join belongs as b on b.contact_key = a.contact_key
left join persons as n on n.person_id = b.person_id
