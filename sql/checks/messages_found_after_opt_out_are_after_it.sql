-- One row per message_after_opt_out finding about a message not sent after its span began.
select source, message_id
from audits.findings
where
    rule = 'message_after_opt_out'
    and (occurred_at > begins_at) is distinct from true
