-- One row per load that accepted another number of rows than history holds of it.
with

held_rows as (
    select load_id from history.messages
    union all
    select load_id from history.inbound_messages
    union all
    select load_id from history.consent_events
    union all
    select load_id from history.campaigns
    union all
    select load_id from history.contacts
),

held_counts as (
    select load_id, count(*) as held_count
    from held_rows
    group by load_id
),

accepted_counts as (
    select load_id, sum(accepted_count) as accepted_count
    from run.inputs
    group by load_id
)

select coalesce(accepted_counts.load_id, held_counts.load_id) as load_id
from accepted_counts
full join held_counts on accepted_counts.load_id = held_counts.load_id
where coalesce(accepted_counts.accepted_count, 0) <> coalesce(held_counts.held_count, 0)
