-- One row per place and time zone its contacts may be in; a place without one has none.
with
zones as (
    select distinct concat('zone:', timezone) as zone_key, timezone from run.zone_offsets
    union
    select concat('region:', region) as zone_key, timezone from reference.area_codes where region is not null
    union
    select concat('area:', a.zones) as zone_key, c.timezone
    from (
        select prefix, concat_ws('|', min(timezone), max(timezone), cast(count(*) as string)) as zones
        from reference.area_codes
        group by prefix
    ) as a
    join reference.area_codes as c on c.prefix = a.prefix
    union
    select concat('country:', country) as zone_key, timezone from reference.country_timezones
)
select distinct p.place_id, z.timezone
from core.places as p
join zones as z on z.zone_key = p.zone_key
