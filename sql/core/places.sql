-- One row per place that contacts are in: country, region and candidate time zones, each with how it is known.
with
distinct_places as (
    select distinct
        place, country, region, country_from, region_from, region_certainty, zone_key, timezone_certainty
    from core.contact_places
)
select
    row_number() over (order by place) as place_id,
    place,
    country,
    region,
    case country_from when 'source' then 'possible' else 'certain' end as country_certainty,
    region_certainty,
    zone_key,
    timezone_certainty
from distinct_places
