-- One row per place, channel and legal rule that holds there: from when until when, and how sure the place is.
-- On channel * stands every rule of any channel. A date begins at local midnight, in the last of the place's zones.
with
channels as (
    select channel from reference.channels
    union all
    select '*' as channel
),
reaching as (
    select
        p.place_id,
        c.channel,
        r.kind,
        r.rule_id,
        r.from_on,
        r.until_on,
        r.severity,
        r.region,
        case
            when r.region <> '*' then p.region_certainty
            when r.country <> '*' then p.country_certainty
            else 'certain'
        end as certainty
    from core.places as p
    join run.rule_reach as r
        on (r.country = '*' or r.country = p.country) and (r.region = '*' or r.region = p.region)
    join channels as c on r.channel = '*' or c.channel = '*' or r.channel = c.channel
),
clocks as (
    select p.place_id, coalesce(z.timezone, t.report_timezone) as timezone
    from core.places as p
    cross join run.parameters as t
    left join core.place_zones as z on z.place_id = p.place_id and p.timezone_certainty <> 'unknown'
),
beginnings as (
    select c.place_id, d.on_date, max(d.begins_at) as begins_at
    from clocks as c
    join run.rule_dates as d on d.timezone = c.timezone
    group by c.place_id, d.on_date
)
select distinct
    r.place_id,
    r.channel,
    r.kind,
    r.rule_id,
    f.begins_at as from_at,
    u.begins_at as until_at,
    r.severity,
    r.region,
    r.certainty
from reaching as r
left join beginnings as f on f.place_id = r.place_id and f.on_date = r.from_on
left join beginnings as u on u.place_id = r.place_id and u.on_date = r.until_on + 1
where r.from_on is null or r.from_on <= date '2000-01-01' or f.begins_at is not null
