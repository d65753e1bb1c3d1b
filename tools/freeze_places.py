"""Writes data/reference/area_codes.csv and country_timezones.csv: where a phone number suggests its owner is, frozen.

Run by a maintainer when `phonenumbers` or the time zone database learns of a change, never by heed itself:
`python tools/freeze_places.py`. Sources: the metadata of `phonenumbers` (area codes of calling code 1) and the table
zone.tab of the IANA time zone database (zones of a country). Of zones that have kept the same time since 2010 only
the one that zone.tab lists first is written.
"""

import csv
from pathlib import Path

import phonenumbers
import pytz
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.tzdata import TIMEZONE_DATA

from pipelines.zones import offset_periods

REFERENCE = Path(__file__).resolve().parent.parent / "data" / "reference"
_SINCE = 2010
#: Zones of so few people (the Chatham Islands have some 600) that a whole country would be without a local time.
_LEFT_OUT = {"Pacific/Chatham"}
# Names that the metadata gives to whole area codes.
_REGIONS = {
    "US": """Alabama AL|Alaska AK|Arizona AZ|Arkansas AR|California CA|Colorado CO|Connecticut CT|Delaware DE|
        Washington D.C. DC|Florida FL|Georgia GA|Hawaii HI|Idaho ID|Illinois IL|Indiana IN|Iowa IA|Kansas KS|
        Kentucky KY|Louisiana LA|Maine ME|Maryland MD|Massachusetts MA|Michigan MI|Minnesota MN|Mississippi MS|
        Missouri MO|
        Montana MT|Nebraska NE|Nevada NV|New Hampshire NH|New Jersey NJ|New Mexico NM|New York NY|North Carolina NC|
        North Dakota ND|Ohio OH|Oklahoma OK|Oregon OR|Pennsylvania PA|Rhode Island RI|South Carolina SC|
        South Dakota SD|Tennessee TN|Texas TX|Utah UT|Vermont VT|Virginia VA|Washington WA|Washington State WA|
        West Virginia WV|Wisconsin WI|Wyoming WY""",
    "CA": """Alberta AB|British Columbia BC|Manitoba MB|New Brunswick NB|Newfoundland and Labrador NL|Nova Scotia NS|
        Ontario ON|Prince Edward Island PE|Quebec QC|Saskatchewan SK""",
}


def _region(prefix: str, country: str) -> str:
    """The ISO 3166-2 code of the one region that an area code is in; empty where it is none or several."""
    inside = [place for key, place in GEOCODE_DATA.items() if key.startswith(prefix)]
    inside = [GEOCODE_DATA[prefix]] if prefix in GEOCODE_DATA else inside
    names = {place["en"] for place in inside if "en" in place}
    listed = [line.strip().rsplit(" ", 1) for line in _REGIONS.get(country, "").replace("\n", "").split("|") if line]
    codes = dict(map(tuple, listed))  # type: ignore[arg-type]
    found = set()
    for name in names:
        _, _, code = name.rpartition(", ")
        if known := codes.get(name) or (code if code in codes.values() else None):
            found.add(known)
    return f"{country}-{found.pop()}" if len(found) == 1 else ""


def _distinct(zones: list[str]) -> list[str]:
    """The zones without those that have kept another one's time since 2010."""
    kept: dict[tuple[object, ...], str] = {}
    for zone in zones:
        time = tuple((max(start.year, _SINCE), start if start.year >= _SINCE else None, seconds)
                     for start, end, seconds in offset_periods(zone) if end.year >= _SINCE)  # fmt: skip
        kept.setdefault(time, zone)
    return list(kept.values())


def _write(name: str, header: list[str], rows: list[list[str]]) -> None:
    with (REFERENCE / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def main() -> None:
    codes = []
    for prefix in sorted({key[:4] for key in TIMEZONE_DATA if len(key) >= 4 and key.startswith("1")}):
        country = phonenumbers.region_code_for_number(phonenumbers.parse(f"+{prefix}5552345"))
        if country is None:
            continue
        zones = {zone for key, inside in TIMEZONE_DATA.items() if key.startswith(prefix) for zone in inside}
        order = [*pytz.country_timezones.get(country, []), *sorted(zones)]
        for zone in _distinct(sorted(zones, key=order.index)):
            codes.append([f"+{prefix}", country, _region(prefix, country), zone])
    _write("area_codes.csv", ["prefix", "country", "region", "timezone"], codes)
    countries = [
        [country, zone]
        for country in sorted(pytz.country_timezones)
        for zone in _distinct([name for name in pytz.country_timezones[country] if name not in _LEFT_OUT])
    ]
    _write("country_timezones.csv", ["country", "timezone"], countries)


if __name__ == "__main__":
    main()
