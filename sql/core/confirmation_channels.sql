-- One row per channel on which the record has confirmations.
select distinct channel
from core.messages
where message_class = 'confirmation'
