"""Writes data/reference/holidays.csv: nationwide public holidays that are not business days, frozen.

Run by a maintainer when the `holidays` package learns of a change, never by heed itself, so that a rerun of an old
audit gives the same deadlines: `python tools/freeze_holidays.py`.
"""

import csv
from pathlib import Path

import holidays

CALENDARS = ("AT", "AU", "BE", "BR", "CA", "CH", "DE", "DK", "ES", "FI", "FR", "GB", "IE", "IN", "IT", "JP", "KR", "MX",
             "NL", "NO", "NZ", "PL", "PT", "SE", "SG", "US", "ZA")  # fmt: skip
YEARS = range(2010, 2041)


def main() -> None:
    target = Path(__file__).resolve().parent.parent / "data" / "reference" / "holidays.csv"
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["calendar", "on_date", "name", "source"])
        for calendar in CALENDARS:
            for day, name in sorted(holidays.country_holidays(calendar, years=YEARS, language="en_US").items()):
                writer.writerow([calendar, day.isoformat(), name, f"holidays {holidays.__version__}"])


if __name__ == "__main__":
    main()
