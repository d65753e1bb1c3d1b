-- One row per (metric, definition, grain, period, dimensions) that more than one measurement carries.
select metric, definition, grain, period_start, channel, program, campaign_id, reason
from metrics.measurements
group by metric, definition, grain, period_start, channel, program, campaign_id, reason
having count(*) > 1
