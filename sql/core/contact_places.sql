-- One row per contact: where it is, and how that is known.
-- The contacts table goes first, then the phone number (its country, and in the North American plan its area), then
-- what the source says of its contacts. `zone_key` names the candidates for its time zone (core.place_zones).
-- An area code only suggests a region and a zone; a country with one zone is as good as being told.
with
addresses as (
    select
        contact_key,
        contact_masked,
        address_kind,
        country,
        case address_kind when 'phone' then substr(contact_masked, 1, 5) end as prefix
    from (
        select
            contact_key,
            min(contact_masked) as contact_masked,
            min(address_kind) as address_kind,
            min(country) as country
        from history.addresses
        group by contact_key
    ) as known
),
listed as (
    select
        contact_key,
        upper(min(country)) as country,
        upper(min(region)) as region,
        min(z.timezone) as timezone
    from history.contacts as c
    left join (select distinct timezone from run.zone_offsets) as z on z.timezone = c.timezone
    group by contact_key
),
heard_of as (
    select m.contact_key, p.country, p.region, p.timezone
    from core.messages as m
    join run.source_places as p on p.source = m.source
    union all
    select e.contact_key, p.country, p.region, p.timezone
    from core.consent_events as e
    join run.source_places as p on p.source = e.source
),
told_by_source as (
    select contact_key, min(country) as country, min(region) as region, min(timezone) as timezone
    from heard_of
    group by contact_key
),
areas as (
    select
        prefix,
        min(country) as country,
        min(region) as region,
        concat_ws('|', min(timezone), max(timezone), cast(count(*) as string)) as zones
    from reference.area_codes
    group by prefix
),
regions as (
    select distinct region from reference.area_codes where region is not null
),
countries as (
    select country, count(*) as zone_count from reference.country_timezones group by country
),
answers as (
    select
        a.contact_key,
        a.contact_masked,
        a.address_kind,
        coalesce(l.country, case when l.region like '__-%' then substr(l.region, 1, 2) end) as listed_country,
        case when l.region like '__-%' then l.region else l.country || '-' || l.region end as listed_region,
        l.timezone as listed_timezone,
        a.country as phone_country,
        n.country as area_country,
        n.region as area_region,
        n.zones as area_zones,
        s.country as source_country,
        s.region as source_region,
        s.timezone as source_timezone
    from addresses as a
    left join listed as l on l.contact_key = a.contact_key
    left join areas as n on n.prefix = a.prefix
    left join told_by_source as s on s.contact_key = a.contact_key
),
located as (
    select
        *,
        coalesce(listed_country, phone_country, source_country) as country,
        case
            when listed_country is not null then 'contacts table'
            when phone_country is not null then 'phone number'
            when source_country is not null then 'source'
        end as country_from
    from answers
),
regional as (
    select
        *,
        case
            when listed_region is not null then listed_region
            when area_country = country then area_region
            when source_country = country then source_region
        end as region,
        case
            when listed_region is not null then 'contacts table'
            when area_country = country and area_region is not null then 'phone number'
            when source_country = country and area_country is null and source_region is not null then 'source'
        end as region_from
    from located
),
timed as (
    select
        r.*,
        case
            when listed_timezone is not null then concat('zone:', listed_timezone)
            when listed_region is not null and g.region is not null then concat('region:', listed_region)
            when listed_region is null and area_country = r.country then concat('area:', area_zones)
            when source_timezone is not null then concat('zone:', source_timezone)
            when region_from = 'source' and g.region is not null then concat('region:', r.region)
            when n.country is not null then concat('country:', r.country)
        end as zone_key,
        case
            when listed_timezone is not null then 'contacts table'
            when listed_region is not null and g.region is not null then 'contacts table'
            when listed_region is null and area_country = r.country then 'phone number'
            when source_timezone is not null or region_from = 'source' and g.region is not null then 'source'
            when n.country is not null then country_from
        end as timezone_from,
        case
            when listed_timezone is not null then 'certain'
            when listed_region is not null and g.region is not null then 'possible'
            when listed_region is null and area_country = r.country then 'possible'
            when source_timezone is not null or region_from = 'source' and g.region is not null then 'possible'
            when n.zone_count = 1 then case country_from when 'source' then 'possible' else 'certain' end
            else 'unknown'
        end as timezone_certainty
    from regional as r
    left join regions as g on g.region = r.region
    left join countries as n on n.country = r.country
)
select
    contact_key,
    contact_masked,
    address_kind,
    country,
    region,
    country_from,
    region_from,
    timezone_from,
    case
        when region_from is not null then case region_from when 'contacts table' then 'certain' else 'possible' end
        when country_from is not null then case country_from when 'source' then 'possible' else 'certain' end
        else 'unknown'
    end as jurisdiction_certainty,
    case when region_from is null then 'unknown' when region_from = 'contacts table' then 'certain' else 'possible' end
        as region_certainty,
    zone_key,
    timezone_certainty,
    concat_ws(' ', coalesce(country, '-'), coalesce(region, '-'), coalesce(country_from, '-'),
        coalesce(region_from, '-'), coalesce(zone_key, '-'), timezone_certainty) as place
from timed
