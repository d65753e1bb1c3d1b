-- One row per place where quiet hours hold: the schedule its contacts have in common with those of other places.
-- A region counts only where a rule is about it, so that a country's regions of one time zone share one schedule.
with
ruled as (
    select distinct place_id
    from core.place_rules
    where kind = 'quiet_hours'
),
regional as (
    select distinct region from run.rule_reach where kind = 'quiet_hours' and region <> '*'
),
keyed as (
    select
        p.place_id,
        concat_ws(
            ' ',
            p.country,
            p.country_certainty,
            coalesce(r.region, '-'),
            case when r.region is null then '-' else p.region_certainty end,
            coalesce(p.zone_key, '-'),
            p.timezone_certainty
        ) as schedule
    from core.places as p
    join ruled as u on u.place_id = p.place_id
    left join regional as r on r.region = p.region
)
select
    place_id,
    min(place_id) over (partition by schedule) as schedule_id
from keyed
