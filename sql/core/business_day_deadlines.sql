-- One row per calendar, time zone and date of a request: when the default number of business days has passed.
-- Day 1 is the first business day after the date of the request; the deadline is the end of the last day, local time.
with
calendars as (
    select distinct calendar from reference.business_days
),
places as (
    select distinct
        coalesce(k.calendar, 'weekdays') as calendar,
        coalesce(c.timezone, p.report_timezone) as timezone
    from core.contacts as c
    cross join run.parameters as p
    left join calendars as k on k.calendar = c.jurisdiction
    where p.deadline_unit = 'business_days'
),
asked as (
    select l.calendar, l.timezone, b.on_date, b.ordinal + p.deadline_amount as last_ordinal
    from places as l
    join reference.business_days as b on b.calendar = l.calendar
    cross join run.parameters as p
),
last_days as (
    select calendar, ordinal, on_date
    from reference.business_days
    where is_business_day
)
select
    a.calendar,
    a.timezone,
    a.on_date as requested_on,
    d.ends_at as deadline_at
from asked as a
join last_days as l on l.calendar = a.calendar and l.ordinal = a.last_ordinal
join run.local_days as d on d.timezone = a.timezone and d.on_date = l.on_date
