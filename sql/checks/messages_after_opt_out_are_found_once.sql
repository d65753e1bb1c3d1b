-- One row per message that has more than one message_after_opt_out finding.
select source, message_id
from audits.findings
where rule = 'message_after_opt_out'
group by source, message_id
having count(*) > 1
