-- One row per inactive pair: messages still reach it, have done so for longer than the days of the rule, and it shows no sign of life.
-- inactive_since_on is the day of its last sign of life, or of the first message that reached it. Pairs of which nothing
-- can be known (metrics.signs_of_life) are not among them.
with
silent as (
    select s.contact_key, s.channel, coalesce(s.last_sign_at, s.first_reached_at) as inactive_since_at
    from metrics.signs_of_life as s
    cross join run.parameters as p
    join reference.audience_rules as r on r.rule = 'inactive'
    where
        s.is_known
        and unix_micros(p.as_of) - unix_micros(s.last_reached_at) <= r.days * 86400000000
        and unix_micros(p.as_of) - unix_micros(s.first_reached_at) > r.days * 86400000000
        and (
            s.last_sign_at is null
            or unix_micros(p.as_of) - unix_micros(s.last_sign_at) > r.days * 86400000000
        )
)
select
    s.contact_key,
    s.channel,
    local_date(s.inactive_since_at, o.offset_seconds) as inactive_since_on
from silent as s
join run.report_offsets as o on s.inactive_since_at >= o.from_at and s.inactive_since_at < o.until_at
