-- One row per calendar, time zone, date of a request and way of counting: when so many business days have passed.
-- day_after: day 1 is the first business day after the date of the request; same_day: that date itself counts if it
-- is one. The deadline is the end of the last day, local time.
with
counts as (
    select distinct amount, counting from run.deadlines where unit = 'business_days'
    union
    select deadline_amount as amount, 'day_after' as counting from run.parameters where deadline_unit = 'business_days'
),
calendars as (
    select distinct calendar from reference.business_days
),
places as (
    select distinct coalesce(k.calendar, 'weekdays') as calendar, coalesce(z.timezone, t.report_timezone) as timezone
    from core.places as p
    cross join run.parameters as t
    left join core.place_zones as z on z.place_id = p.place_id and p.timezone_certainty <> 'unknown'
    left join calendars as k on k.calendar = p.country
),
asked as (
    select
        p.calendar,
        p.timezone,
        c.amount,
        c.counting,
        b.on_date,
        b.ordinal + c.amount
        - case when c.counting = 'same_day' and b.is_business_day then 1 else 0 end as last_ordinal
    from places as p
    join reference.business_days as b on b.calendar = p.calendar
    cross join counts as c
),
last_days as (
    select calendar, ordinal, on_date
    from reference.business_days
    where is_business_day
)
select
    a.calendar,
    a.timezone,
    a.amount,
    a.counting,
    a.on_date as requested_on,
    d.ends_at as deadline_at
from asked as a
join last_days as l on l.calendar = a.calendar and l.ordinal = a.last_ordinal
join run.local_days as d on d.timezone = a.timezone and d.on_date = l.on_date
