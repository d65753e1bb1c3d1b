-- One row per schedule of places, channel, hour (counted in UTC since 1970) and stretch of quiet inside that hour.
-- Stretches of one schedule, channel and hour are disjoint. Of several rules, or time zones the contact may be in, the
-- surest goes first, then the graver, then the smaller rule id. A wall clock reads quiet from `from_at` until before
-- `until_at`; where the clock changes, each offset has its own stretch.
with
schedules as (
    select distinct schedule_id from core.quiet_places
),
in_use as (
    select distinct channel from core.messages where is_marketing
),
clocks as (
    select
        s.schedule_id, r.channel, r.rule_id, r.severity, r.from_at, r.until_at, p.country,
        case
            when r.certainty = 'possible' and p.timezone_certainty = 'certain' then 'possible'
            when q.clock is not null then r.certainty
            else p.timezone_certainty
        end as certainty,
        coalesce(q.clock, z.timezone) as timezone
    from schedules as s
    join core.places as p on p.place_id = s.schedule_id
    join core.place_rules as r on r.place_id = s.schedule_id and r.kind = 'quiet_hours'
    join in_use as i on i.channel = r.channel
    join (select distinct rule_id, clock from run.quiet_windows) as q on q.rule_id = r.rule_id
    left join core.place_zones as z on z.place_id = s.schedule_id and q.clock is null
),
calendars as (
    select distinct calendar from reference.business_days
),
dated as (
    select c.*, d.utc_midnight_at, d.weekday, d.is_holiday
    from clocks as c
    left join calendars as k on k.calendar = c.country
    join reference.business_days as d on d.calendar = coalesce(k.calendar, 'weekdays')
),
holiday_rules as (
    select distinct rule_id from run.quiet_windows where weekday = 8
),
stretched as (
    select
        d.schedule_id, d.channel, d.rule_id, d.severity, d.certainty,
        greatest(
            d.utc_midnight_at + (s.from_seconds - o.offset_seconds) * interval '1 second' + s.from_micros * interval '1 microsecond',
            o.from_at,
            coalesce(d.from_at, o.from_at)
        ) as from_at,
        least(
            d.utc_midnight_at + (s.until_seconds - o.offset_seconds) * interval '1 second',
            o.until_at,
            coalesce(d.until_at, o.until_at)
        ) as until_at
    from dated as d
    left join holiday_rules as h on h.rule_id = d.rule_id
    join run.quiet_stretches as s
        on s.rule_id = d.rule_id
        and s.weekday = case when d.is_holiday and h.rule_id is not null then 8 else d.weekday end
    join run.zone_offsets as o
        on o.timezone = d.timezone
        and o.from_at < d.utc_midnight_at + interval '2' day
        and o.until_at > d.utc_midnight_at - interval '1' day
),
real as (
    select distinct
        *,
        cast(floor(cast(unix_seconds(from_at) as double) / 3600) as bigint) as first_hour,
        cast(floor(cast(unix_seconds(until_at - interval '1 microsecond') as double) / 3600) as bigint) as last_hour
    from stretched
    where from_at < until_at
),
-- A stretch lies inside one local day, which has 25 hours at most and may begin and end inside an hour of UTC.
steps as (
    select step
    from (
        values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12),
            (13), (14), (15), (16), (17), (18), (19), (20), (21), (22), (23), (24), (25)
    ) as listed (step)
),
hourly as (
    select r.*, r.first_hour + s.step as utc_hour
    from real as r
    join steps as s on r.first_hour + s.step <= r.last_hour
),
pieces as (
    select
        r.schedule_id, r.channel, r.rule_id, r.severity, r.certainty,
        r.utc_hour,
        greatest(r.from_at, h.begins_at) as from_at,
        least(r.until_at, h.ends_at) as until_at
    from hourly as r
    join run.hours as h on h.utc_hour = r.utc_hour
),
bounds as (
    select schedule_id, channel, utc_hour, from_at as bound_at from pieces
    union
    select schedule_id, channel, utc_hour, until_at as bound_at from pieces
),
elements as (
    select
        schedule_id, channel, utc_hour, bound_at as from_at,
        lead(bound_at) over (partition by schedule_id, channel, utc_hour order by bound_at) as until_at
    from bounds
),
ranked as (
    select
        e.schedule_id, e.channel, e.utc_hour, e.from_at, e.until_at, p.rule_id, p.severity, p.certainty,
        row_number() over (
            partition by e.schedule_id, e.channel, e.utc_hour, e.from_at
            order by
                case p.certainty when 'certain' then 0 when 'possible' then 1 else 2 end,
                case p.severity when 'high' then 0 else 1 end,
                p.rule_id
        ) as strength
    from elements as e
    join pieces as p
        on p.schedule_id = e.schedule_id
        and p.channel = e.channel
        and p.utc_hour = e.utc_hour
        and p.from_at <= e.from_at
        and p.until_at >= e.until_at
)
select schedule_id, channel, utc_hour, from_at, until_at, rule_id as legal_rule_id, severity, certainty
from ranked
where strength = 1
