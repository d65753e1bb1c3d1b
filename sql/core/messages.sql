-- One row per message sent, its delivered versions merged.
-- Of several versions of a key: the furthest status, the earliest sent_at, and of every other column the non-empty
-- value of the version with the earliest sent_at, then the smallest text. Records later than as_of are left out.
with
delivered as (
    select * from history.messages
),
statuses as (
    select status, rank, is_sent from reference.message_statuses
),
several as (
    select source, message_id from delivered group by source, message_id having count(*) > 1
),
merged as (
    select
        d.source,
        d.message_id,
        min_by(d.channel, struct(d.sent_at, d.channel)) as channel,
        min_by(d.contact_key, struct(d.sent_at, d.contact_key)) as contact_key,
        min_by(d.person_id, struct(d.sent_at, d.person_id)) filter (where d.person_id is not null) as person_id,
        min_by(d.sender, struct(d.sent_at, d.sender)) filter (where d.sender is not null) as sender,
        min_by(d.program, struct(d.sent_at, d.program)) filter (where d.program is not null) as program,
        min_by(d.campaign_id, struct(d.sent_at, d.campaign_id)) filter (where d.campaign_id is not null) as campaign_id,
        min_by(d.message_class, struct(d.sent_at, d.message_class)) filter (where d.message_class is not null)
            as message_class,
        min(d.sent_at) as sent_at,
        max_by(d.status, s.rank) filter (where d.status is not null) as status,
        min_by(d.status_at, struct(d.sent_at, d.status_at)) filter (where d.status_at is not null) as status_at,
        min_by(d.error_code, struct(d.sent_at, d.error_code)) filter (where d.error_code is not null) as error_code,
        min_by(d.price, struct(d.sent_at, d.price)) filter (where d.price is not null) as price,
        min_by(d.currency, struct(d.sent_at, d.currency)) filter (where d.currency is not null) as currency,
        min_by(d.template_id, struct(d.sent_at, d.template_id)) filter (where d.template_id is not null) as template_id,
        min_by(d.load_id, struct(d.load_id, d.row_number)) as load_id,
        min_by(d.row_number, struct(d.load_id, d.row_number)) as row_number
    from delivered as d
    join several as v on v.source = d.source and v.message_id = d.message_id
    left join statuses as s on s.status = d.status
    group by d.source, d.message_id
),
single as (
    select
        d.source, d.message_id, d.channel, d.contact_key, d.person_id, d.sender, d.program, d.campaign_id,
        d.message_class, d.sent_at, d.status, d.status_at, d.error_code, d.price, d.currency, d.template_id,
        d.load_id, d.row_number
    from delivered as d
    where not exists (select 1 from several as v where v.source = d.source and v.message_id = d.message_id)
),
complete as (
    select
        source, message_id, channel, contact_key, person_id, sender,
        coalesce(program, 'default') as program,
        campaign_id,
        coalesce(message_class, 'unknown') as message_class,
        sent_at,
        coalesce(status, 'sent') as status,
        status_at, error_code, price, currency, template_id, load_id, row_number
    from (select * from single union all select * from merged)
)
select
    m.source,
    m.message_id,
    m.channel,
    m.contact_key,
    m.person_id,
    m.sender,
    m.program,
    m.campaign_id,
    m.message_class,
    m.sent_at,
    local_date(m.sent_at, o.offset_seconds) as sent_on,
    m.status,
    m.status_at,
    m.error_code,
    m.price,
    m.currency,
    m.template_id,
    m.message_class in ('marketing', 'unknown') as is_marketing,
    m.message_class in ('marketing', 'unknown') and s.is_sent as is_reached,
    m.load_id,
    m.row_number
from complete as m
cross join run.parameters as p
join statuses as s on s.status = m.status
join run.report_offsets as o on m.sent_at >= o.from_at and m.sent_at < o.until_at
where m.sent_at <= p.as_of
