-- One row per source and contact of its list: whether the contact was on it when the list was last delivered.
with
newest as (
    select
        source,
        contact_key,
        listed,
        listed_at,
        row_number() over (
            partition by source, contact_key
            order by case when listed_at is null then 1 else 0 end, listed_at desc, listed
        ) as newest_rank
    from history.contacts
    where listed is not null
)
select n.source, n.contact_key, n.listed, n.listed_at
from newest as n
cross join run.parameters as p
where n.newest_rank = 1 and (n.listed_at is null or n.listed_at <= p.as_of)
