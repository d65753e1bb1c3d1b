-- One row per contact: its mask, what kind of address it is, where it is, and the person it belongs to.
-- Contacts that share a person_id, directly or through other contacts, are one person; the smallest id names it.
with recursive
addresses as (
    select contact_key, min(contact_masked) as contact_masked, min(address_kind) as address_kind, min(country) as country
    from history.addresses
    group by contact_key
),
listed as (
    select
        contact_key,
        min(country) as country,
        min(region) as region,
        min(timezone) as timezone,
        max(listed) as listed,
        max(listed_at) as listed_at
    from history.contacts
    group by contact_key
),
person_ids as (
    select contact_key, person_id from core.messages where person_id is not null
    union
    select contact_key, person_id from core.consent_events where person_id is not null
    union
    select contact_key, person_id from history.contacts where person_id is not null
),
shared as (
    select contact_key from person_ids group by contact_key having count(*) > 1
),
links as (
    select distinct a.person_id, b.person_id as linked_id
    from shared as s
    join person_ids as a on a.contact_key = s.contact_key
    join person_ids as b on b.contact_key = s.contact_key and b.person_id <> a.person_id
),
reached as (
    select person_id, linked_id from links
    union
    select r.person_id, l.linked_id from reached as r join links as l on l.person_id = r.linked_id
),
persons as (
    select person_id, least(person_id, min(linked_id)) as first_id from reached group by person_id
),
belongs as (
    select i.contact_key, min(coalesce(p.first_id, i.person_id)) as person_id
    from person_ids as i
    left join persons as p on p.person_id = i.person_id
    group by i.contact_key
)
select
    a.contact_key,
    a.contact_masked,
    a.address_kind,
    case when b.person_id is not null then concat('person:', b.person_id) else concat('contact:', cast(a.contact_key as string)) end as person_key,
    upper(coalesce(l.country, a.country)) as country,
    upper(l.region) as region,
    z.timezone,
    upper(coalesce(l.country, a.country)) as jurisdiction,
    case when l.country is not null then 'contacts table' when a.country is not null then 'phone number' end
        as country_from,
    l.listed,
    l.listed_at
from addresses as a
left join listed as l on l.contact_key = a.contact_key
left join (select distinct timezone from run.zone_offsets) as z on z.timezone = l.timezone
left join belongs as b on b.contact_key = a.contact_key
