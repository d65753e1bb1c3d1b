-- One row per share below nothing or above everything.
select metric, definition, grain, period_start, channel, program, campaign_id, reason
from metrics.measurements
where unit = 'share' and (value < 0 or value > 1)
