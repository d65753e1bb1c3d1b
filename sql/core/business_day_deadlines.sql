-- One row per calendar, time zone and date of a request: when the default number of business days has passed.
-- Day 1 is the first business day after the date of the request; the deadline is the end of the last day, local time.
with
asked as (
    select b.calendar, b.on_date, b.ordinal + p.deadline_amount as last_ordinal
    from reference.business_days as b
    cross join run.parameters as p
    where p.deadline_unit = 'business_days'
),
last_days as (
    select calendar, ordinal, on_date
    from reference.business_days
    where is_business_day
)
select
    a.calendar,
    d.timezone,
    a.on_date as requested_on,
    d.ends_at as deadline_at
from asked as a
join last_days as l on l.calendar = a.calendar and l.ordinal = a.last_ordinal
join run.local_days as d on d.on_date = l.on_date
