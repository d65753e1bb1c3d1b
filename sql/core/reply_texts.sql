-- One row per distinct text that contacts sent, as a body or as the text of a button, in lower case.
-- Long numbers are levelled, so that texts which differ in an order number alone are read once: DuckDB levels the first
-- of a text and Spark every one, which changes how many rows there are and never what is read.
with
said as (
    select regexp_replace(lower(trim(body)), '[0-9]{3,}', '000') as text from core.inbound_messages where trim(body) <> ''
    union
    select regexp_replace(lower(trim(button)), '[0-9]{3,}', '000') from core.inbound_messages where trim(button) <> ''
)
select
    row_number() over (order by text) as text_id,
    text
from said
