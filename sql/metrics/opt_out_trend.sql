-- One row per ISO week (it begins on a Monday) and channel (`*` = all) in which a pair was reached.
-- numerator / denominator is the opt-out rate of that week: the values whose trend is tested. Which weeks are the last
-- complete ones depends on as_of, so the test picks them.
with weekly_rates as (
    select
        period_start,
        channel,
        numerator,
        denominator
    from metrics.opt_out_rate
    where grain = 'week' and program = '*' and campaign_id = '*'
)

select
    period_start as week_start,
    channel,
    numerator,
    denominator
from weekly_rates
