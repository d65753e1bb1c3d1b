"""Trends, differences and texts of reasons for snapshots made by tests; counts agree with the measurements beside."""

from __future__ import annotations

import random
from datetime import date, timedelta

from tests.support.snapshot_numbers import CAMPAIGNS, CHANNELS, REASONS, Row, wilson

LAST_WEEK = date(2026, 11, 9)
WEEKS = 20
#: Where too_frequent grows by so many points a week in the rows of all channels.
GROWTH = 1.2
TENURES = (
    ("first_day", 1, 0, 1, "on the first day"),
    ("first_month", 3, 7, 30, "in the first month"),
    ("later", 6, 365, None, "after more than a year"),
    ("unknown", 7, None, None, "no opt-in is on record"),
)
#: Campaigns by channel, and the one whose opt-outs have other reasons than the rest.
MEMBERS = [(channel, campaign) for (channel, _), campaigns in CAMPAIGNS.items() for campaign in campaigns]
ODD_CAMPAIGN = ("email", "product-updates")


def tables(measured: list[Row]) -> dict[str, list[Row]]:
    """The rows of every relation of reasons; `measured` are the measurements of feedback_reasons."""
    chance = random.Random(7)
    return {
        "metrics.reason_shares_by_week": _weeks(chance),
        "metrics.reason_trends": _trends(),
        "metrics.reason_changes": _changes(measured),
        "metrics.reason_tenure": _tenure(),
        "metrics.reason_differences": _differences(measured),
        "metrics.reason_texts": _texts(),
    }


def _weeks(chance: random.Random) -> list[Row]:
    rows = []
    for channel in ("*", *CHANNELS):
        for position in range(WEEKS):
            week = LAST_WEEK - timedelta(weeks=WEEKS - 1 - position)
            for reason, share in REASONS.items():
                grown = share + (GROWTH * (position - WEEKS) / 100 if reason == "too_frequent" else 0)
                total = 60 if channel == "*" else 20
                count = max(0, round(total * grown * chance.uniform(0.9, 1.1)))
                value, lower, upper = wilson(count, total)
                rows.append({"week_start": week, "channel": channel, "reason": reason, "opt_out_count": count,
                             "total_count": total, "value": value, "lower": lower, "upper": upper,
                             "is_used": position >= WEEKS - 12})  # fmt: skip
    return rows


def _trends() -> list[Row]:
    return [
        {"channel": channel, "reason": reason, "direction": 1 if grows else 0, "slope": GROWTH if grows else 0.1,
         "lower": 0.6 if grows else -0.4, "upper": 1.9 if grows else 0.5, "p_value": 0.001 if grows else 0.6,
         "q_value": 0.011 if grows else 0.8, "weeks_used": 12, "last_week": LAST_WEEK}
        for channel in ("*", *CHANNELS)
        for reason in REASONS
        for grows in (reason == "too_frequent" and channel == "*",)
    ]  # fmt: skip


def _months(measured: list[Row]) -> dict[tuple[str, date], dict[str, Row]]:
    months: dict[tuple[str, date], dict[str, Row]] = {}
    for row in measured:
        if row["grain"] == "month":
            months.setdefault((row["channel"], row["period_start"]), {})[row["reason"]] = row
    return months


def _before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def _changes(measured: list[Row]) -> list[Row]:
    months = _months(measured)
    rows = []
    for (channel, month), shares in months.items():
        earlier = months.get((channel, _before(month)), {})
        for reason, share in shares.items():
            if reason in earlier:
                moved = share["value"] - earlier[reason]["value"]
                rows.append({"channel": channel, "month_start": month, "reason": reason, "value": share["value"],
                             "before_value": earlier[reason]["value"], "difference": moved, "lower": moved - 0.1,
                             "upper": moved + 0.1, "p_value": 0.4, "q_value": 0.7, "has_changed": False})  # fmt: skip
    return rows


def _tenure() -> list[Row]:
    rows = []
    for channel in ("*", *CHANNELS):
        for tenure, position, start, end, words in TENURES:
            for reason, share in REASONS.items():
                count, total = round(200 * share), 200
                value, lower, upper = wilson(count, total)
                rows.append({"channel": channel, "tenure": tenure, "position": position, "from_days": start,
                             "until_days": end, "in_words": words, "reason": reason, "opt_out_count": count,
                             "total_count": total, "value": value, "lower": lower, "upper": upper})  # fmt: skip
    return rows


def _difference(dimension: str, channel: str, member: str, month: date | None, *, differs: bool = False) -> Row:
    return {
        "dimension": dimension, "channel": channel, "member": member, "month_start": month, "opt_out_count": 60,
        "given_count": 40, "rest_count": 500, "method": "chi_square", "categories": 4,
        "statistic": 30.0 if differs else 2.0, "degrees": 3, "p_value": 0.0001 if differs else 0.6,
        "q_value": 0.0006 if differs else 0.7, "is_different": differs, "reason": "too_frequent",
        "value": 0.8 if differs else 0.4, "rest_value": 0.38,
    }  # fmt: skip


def _differences(measured: list[Row]) -> list[Row]:
    rows = [_difference("campaign", *one, None, differs=one == ODD_CAMPAIGN) for one in MEMBERS]
    rows += [_difference("tenure", channel, one[0], None) for channel in ("*", *CHANNELS) for one in TENURES[:-1]]
    months = _months(measured)
    rows += [_difference("month", *key, None) | {"member": "before", "month_start": key[1]} for key in months]
    return rows


def _texts() -> list[Row]:
    said = [
        ("too_frequent", "Too many messages", "en", 41),
        ("too_frequent", "Zu viele Mails, [name]", "de", 12),
        ("not_relevant", "no longer interested", "en", 18),
        ("never_signed_up", "How did you get [number]?", "en", 5),
    ]
    return [
        {"reason": reason, "position": position, "text": text, "language": language, "chosen_as": "frequent",
         "contact_count": count, "first_month": date(2026, 1, 1), "last_month": date(2026, 10, 1)}
        for position, (reason, text, language, count) in enumerate(said, start=1)
    ]  # fmt: skip
