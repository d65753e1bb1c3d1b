-- One row per measurement outside its own 95 % interval.
-- A billionth of slack: an interval's end can miss its exact value by a rounding in the last binary digit.
with

measurements as (
    select
        metric,
        definition,
        grain,
        period_start,
        channel,
        program,
        campaign_id,
        reason,
        value,
        lower,
        upper,
        1e-9 * greatest(1e0, abs(value)) as slack
    from metrics.measurements
)

select metric, definition, grain, period_start, channel, program, campaign_id, reason
from measurements
where lower > value + slack or upper < value - slack
