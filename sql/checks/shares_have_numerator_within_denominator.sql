-- One row per share that counts more than there is.
select metric, definition, grain, period_start, channel, program, campaign_id, reason
from metrics.measurements
where unit = 'share' and (numerator > denominator or numerator < 0)
