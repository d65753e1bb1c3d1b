-- One row per measurement that has a value and nothing it is a value of.
-- A plain count is its own measure and needs none.
select metric, definition, grain, period_start, channel, program, campaign_id, reason
from metrics.measurements
where unit <> 'count' and value is not null and coalesce(denominator, 0) = 0
