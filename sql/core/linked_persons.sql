-- One row per person_id that shares a contact with another, directly or through others: the smallest of them all.
-- Engine: duckdb
-- Why: Spark's recursion does not end by itself in a circle of links. They are few, whatever the record holds.
with recursive
reached as (
    select person_id, linked_id from core.person_links
    union
    select r.person_id, l.linked_id from reached as r join core.person_links as l on l.person_id = r.linked_id
)
select person_id, least(person_id, min(linked_id)) as first_id
from reached
group by person_id
