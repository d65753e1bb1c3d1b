-- One row per message whose flags contradict its class and status.
-- Every number counts by these flags; the class and the status are what the sources said.
with

expected as (
    select
        messages.source,
        messages.message_id,
        messages.is_marketing,
        messages.is_reached,
        messages.message_class in ('marketing', 'unknown') as is_marketing_by_class,
        messages.status in ('accepted', 'sent', 'delivered', 'read') as is_reached_by_status
    from core.messages as messages
)

select source, message_id
from expected
where
    is_marketing is distinct from is_marketing_by_class
    or is_reached is distinct from (is_marketing_by_class and is_reached_by_status)
