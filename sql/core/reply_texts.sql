-- One row per distinct text that contacts sent, as a body or as the text of a button.
with
said as (
    select body as text from core.inbound_messages where trim(body) <> ''
    union
    select button from core.inbound_messages where trim(button) <> ''
)
select
    row_number() over (order by text) as text_id,
    text
from said
