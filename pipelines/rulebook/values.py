"""The little grammars of a legal rule's cells: channels, deadlines, quiet hours, caps and penalties.

Every function raises ValueError with what to write instead; `book` says in which file and row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.canonical import CHANNELS
from pipelines.settings import fixed_offset_seconds

EVERYWHERE = ("ALL", "*", "PLATFORM", "PROVIDER")
#: Countries in which the law of the European Union holds: its members.
EUROPEAN_UNION = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip
_INSTANT_MESSAGING = ("whatsapp", "messenger", "instagram", "telegram", "line", "viber")
_ALIASES = {
    "mms": ("sms",),
    "im": _INSTANT_MESSAGING,
    "ott": _INSTANT_MESSAGING,
    "social_dm": ("messenger", "instagram"),
    "voice_auto": ("voice",),
    "all": ("*",),
    "*": ("*",),
    "data": (),
}
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
#: The weekday that stands for a public holiday in `quiet_windows`.
PUBLIC_HOLIDAY = 8
_DEADLINE_UNITS = {
    "hours": "hours",
    "calendar_days": "calendar_days",
    "business_days": "business_days",
    "working_days": "business_days",
    "immediate": "hours",
}
_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_CAP = re.compile(r"(\d+)\s*/\s*(\d*)\s*(min|m|hours?|h|days?|d|week)")
_AMOUNTS = re.compile(r"(\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class Window:
    """When messages are allowed: minutes of a local day, both ends allowed; None and None: at no time of that day."""

    weekday: int  # 1 Monday to 7 Sunday, 8 a public holiday
    from_minute: int | None
    until_minute: int | None


def channels(text: str) -> tuple[str, ...]:
    """heed's channels for a cell such as `sms|mms|im`; `("*",)` for all of them."""
    found: list[str] = []
    for word in (part.strip().lower() for part in text.split("|")):
        if word not in CHANNELS and word not in _ALIASES:
            raise ValueError(f"channel {word!r} is none; write {', '.join(CHANNELS)} or all")
        found += _ALIASES.get(word, (word,))
    return ("*",) if "*" in found else tuple(dict.fromkeys(found))


def places(jurisdiction: str) -> tuple[tuple[str, str], ...]:
    """(country, region) pairs a jurisdiction is made of; `*` is every one of them."""
    name = jurisdiction.strip().upper()
    if name in EVERYWHERE:
        return (("*", "*"),)
    if name == "EU":
        return tuple((country, "*") for country in EUROPEAN_UNION)
    if re.fullmatch(r"[A-Z]{2}", name):
        return ((name, "*"),)
    if re.fullmatch(r"[A-Z]{2}-[A-Z0-9]{1,3}", name):
        return ((name[:2], name),)
    raise ValueError(f'jurisdiction {jurisdiction!r} is none; write "US", "US-FL", "EU" or "ALL"')


def deadline(value: str, unit: str, counting: str) -> tuple[int, str, str]:
    """(amount, unit, counting) of an opt-out deadline; unit hours, calendar_days or business_days."""
    if unit not in _DEADLINE_UNITS:
        raise ValueError(f"unit {unit!r} cannot be counted; write {', '.join(_DEADLINE_UNITS)}")
    if not re.fullmatch(r"\d{1,4}", value.strip()):
        raise ValueError(f"value {value!r} is no whole number")
    amount = 0 if unit == "immediate" else int(value)
    known = _DEADLINE_UNITS[unit]
    way = counting or ("day_after" if known == "business_days" else "instant")
    if way not in ("day_after", "same_day", "instant") or (known == "business_days") == (way == "instant"):
        raise ValueError(f"counting {counting!r} does not fit {unit}; business days count day_after or same_day")
    if known == "business_days" and not 1 <= amount <= 260:
        raise ValueError(f"value {value!r} is no number of business days from 1 to 260")
    if amount > 24 * 366:
        raise ValueError(f"value {value!r} is more than a year")
    return amount, known, way


def cap(value: str) -> tuple[int, int]:
    """(messages, seconds) of a frequency cap such as `3/24h`; more than that many are too many."""
    match = _CAP.fullmatch(value.strip().lower())
    if not match:
        raise ValueError(f'value {value!r} is no cap; write messages per time, as "3/24h" or "5/7d"')
    return int(match[1]), int(match[2] or 1) * _SECONDS[match[3][0]]


def penalty(value: str) -> tuple[float, float]:
    """(least, most) of a penalty's amount such as `500-1500`."""
    match = _AMOUNTS.fullmatch(value.strip())
    if not match or float(match[1]) > float(match[2]):
        raise ValueError(f'value {value!r} is no range of amounts; write least and most, as "500-1500"')
    return float(match[1]), float(match[2])


def _weekdays(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        if part == "PUBLIC_HOLIDAY":
            found.append(PUBLIC_HOLIDAY)
            continue
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS or _DAYS.index(last or first) < _DAYS.index(first):
            raise ValueError(f"{part!r} names no days; write MO-FR, SA, SU or PUBLIC_HOLIDAY")
        found += range(_DAYS.index(first) + 1, _DAYS.index(last or first) + 2)
    return found


def _minutes(text: str) -> list[tuple[int, int]]:
    found = []
    for part in text.split(","):
        match = _CLOCK.fullmatch(part.strip())
        if not match:
            raise ValueError(f"{part!r} is no time of day; write 08:00-21:00")
        start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        if not start < end <= _DAY_MINUTES or int(match[2]) > 59 or int(match[4]) > 59:
            raise ValueError(f"{part!r} does not begin before it ends; write 08:00-21:00, at most 24:00")
        found.append((start, end))
    return found


def quiet_hours(value: str) -> tuple[Window, ...]:
    """The allowed windows of every weekday, from `allow:MO-SA 09:00-20:00;SU 12:00-20:00;deny:PUBLIC_HOLIDAY`.

    A weekday that nothing allows has one window without times. A public holiday has windows of its own only where the
    text names it.
    """
    allowed: dict[int, list[tuple[int, int]]] = {}
    denied: set[int] = set()
    for part in value.strip().split(";"):
        text = part.strip()
        if text.startswith("deny:"):
            denied |= set(_weekdays(text.removeprefix("deny:").strip()))
            continue
        days, _, times = text.removeprefix("allow:").strip().partition(" ")
        for weekday in _weekdays(days):
            allowed.setdefault(weekday, []).extend(_minutes(times))
    if not allowed:
        raise ValueError(f'{value!r} allows nothing; write "allow:MO-SU 08:00-21:00"')
    listed = [*range(1, 8), *({PUBLIC_HOLIDAY} & (allowed.keys() | denied))]
    windows: list[Window] = []
    for weekday in listed:
        times_of_day = [] if weekday in denied else sorted(allowed.get(weekday, []))
        windows += [Window(weekday, start, end) for start, end in times_of_day] or [Window(weekday, None, None)]
    return tuple(windows)


def stretches(windows: tuple[Window, ...]) -> list[tuple[int, int, int, int]]:
    """(weekday, from_seconds, from_micros, until_seconds) of the quiet stretches between the allowed windows of a day.

    `from_seconds` and `from_micros` together are the first instant of the stretch, `until_seconds` the first after it:
    both ends of an allowed window are allowed.
    """
    found = []
    for weekday in sorted({window.weekday for window in windows}):
        begun, after = 0, 0
        for window in (one for one in windows if one.weekday == weekday and one.from_minute is not None):
            assert window.from_minute is not None
            assert window.until_minute is not None
            if window.from_minute * 60 > begun:
                found.append((weekday, begun, after, window.from_minute * 60))
            if window.until_minute * 60 >= begun:
                begun, after = window.until_minute * 60, 1
        if begun < _DAY_MINUTES * 60:
            found.append((weekday, begun, after, _DAY_MINUTES * 60))
    return found


def clock(unit: str) -> str | None:
    """The time zone a quiet-hours rule names as its clock; None where it means the recipient's own."""
    text = unit.strip()
    if not text or text.startswith("local_time"):
        return None
    from zoneinfo import available_timezones

    if text not in available_timezones() and fixed_offset_seconds(text) is None:
        raise ValueError(f"unit {unit!r} is no clock; write local_time_recipient or an IANA time zone")
    return text
