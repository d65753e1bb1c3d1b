-- One row per message a contact sent to the sender, its delivered versions merged.
with
merged as (
    select
        source,
        inbound_id,
        min_by(channel, struct(received_at, channel)) as channel,
        min_by(contact_key, struct(received_at, contact_key)) as contact_key,
        min(received_at) as received_at,
        min_by(sender, struct(received_at, sender)) filter (where sender is not null) as sender,
        min_by(program, struct(received_at, program)) filter (where program is not null) as program,
        min_by(body, struct(received_at, body)) filter (where body is not null) as body,
        min_by(button, struct(received_at, button)) filter (where button is not null) as button,
        min_by(load_id, struct(load_id, row_number)) as load_id,
        min_by(row_number, struct(load_id, row_number)) as row_number
    from history.inbound_messages
    group by source, inbound_id
)
select
    m.source,
    m.inbound_id,
    m.channel,
    m.contact_key,
    m.received_at,
    m.sender,
    coalesce(m.program, 'default') as program,
    m.body,
    m.button,
    m.load_id,
    m.row_number
from merged as m
cross join run.parameters as p
where m.received_at <= p.as_of
