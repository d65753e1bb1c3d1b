"""Response times by group, open and repeated requests, and how long people stay, of a made snapshot."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from tests.support.snapshot_numbers import AS_OF, CHANNELS, FIRST_DAY, periods, wilson

Row = dict[str, Any]
HOUR = 3_600.0
WITHIN = {"share_within_1_hour": HOUR, "share_within_24_hours": 24 * HOUR, "share_within_48_hours": 48 * HOUR}
AGES = {
    1: ("under 1 hour", 1 / 24), 2: ("1 to 24 hours", 1), 3: ("1 to 3 days", 3), 4: ("3 to 10 days", 10),
    5: ("10 to 30 days", 30), 6: ("over 30 days", 99_999),
}  # fmt: skip
#: Opt-ins of a made record, by dimension and group: how many, the share gone in a year, and whether it is named.
OPT_INS = {
    "channel": {"sms": (2_400, 0.34), "email": (5_100, 0.16), "whatsapp": (900, 0.22)},
    "source_type": {"own_web": (6_200, 0.2), "ad_campaign": (1_700, 0.31), "unknown": (488, 0.2), "scraped": (12, 0.4)},
    "consent_source": {
        "checkout": (5_900, 0.2),
        "autumn ad": (1_700, 0.31),
        "other": (312, 0.2),
        "unknown": (488, 0.2),
    },
    "method": {"web_form": (6_900, 0.21), "agent": (900, 0.24), "import": (600, 0.26)},
    "opt_in_kind": {"double": (2_100, 0.12), "single": (6_300, 0.25)},
    "incentive": {"yes": (1_500, 0.33), "no": (6_400, 0.19), "unknown": (500, 0.2)},
}
SURE = {"channel": 1e-12, "opt_in_kind": 4e-9, "source_type": 0.002, "consent_source": 0.21, "method": 0.4}
DAYS = (7, 30, 90, 365)


def tables(spans: list[Row]) -> dict[str, list[Row]]:
    """Rows of every relation of response times and of membership but the curve of all response times."""
    return {
        "metrics.response_groups": _groups(spans),
        "metrics.open_requests": _open(spans),
        "metrics.repeat_requests": _repeats(spans),
        **_membership(),
    }


def measurements(spans: list[Row]) -> list[Row]:
    """The shares applied within a time and the share asked for again, by month and channel."""
    rows = []
    for grain in ("month", "all"):
        for start, _ in periods(grain):
            for channel in ("*", *CHANNELS):
                chosen = [span for span in spans if channel in ("*", span["channel"]) and _is_in(span, start)]
                counts = {name: (_done(chosen, limit), len(chosen)) for name, limit in WITHIN.items()}
                counts["share_asked_again"] = (sum(1 for span in chosen if span["repeat_count"]), len(chosen))
                for definition, (count, of) in counts.items():
                    value, lower, upper = wilson(count, of)
                    rows.append({
                        "metric": "response_time", "definition": definition, "grain": grain, "period_start": start,
                        "channel": channel, "program": "*", "campaign_id": "*", "reason": "*", "numerator": count,
                        "denominator": of, "value": value, "lower": lower, "upper": upper, "unit": "share",
                    })  # fmt: skip
    return rows


def _is_in(span: Row, start: date | None) -> bool:
    return start is None or bool(f"{span['begins_on']:%Y-%m}" == f"{start:%Y-%m}")


def _seconds(span: Row) -> float:
    taken: float = ((span["processed_at"] or AS_OF) - span["begins_at"]).total_seconds()
    return taken


def _done(spans: list[Row], limit: float) -> int:
    return sum(1 for span in spans if span["processed_at"] and _seconds(span) <= limit)


def _groups(spans: list[Row]) -> list[Row]:
    rows = []
    for channel in ("*", *CHANNELS):
        chosen = [span for span in spans if channel in ("*", span["channel"])]
        rows.append(_group(channel, "channel", channel, chosen))
        for dimension in ("method", "source"):
            for value in sorted({span[dimension] for span in chosen}):
                members = [span for span in chosen if span[dimension] == value]
                rows.append(_group(channel, dimension, value, members))
        for start, _ in periods("month"):
            assert start
            members = [span for span in chosen if _is_in(span, start)]
            if members:
                rows.append(_group(channel, "month", str(start), members, start))
    return rows


def _group(channel: str, dimension: str, value: str, spans: list[Row], month: date | None = None) -> Row:
    done = sorted(_seconds(span) for span in spans if span["processed_at"])
    within = sum(1 for span in spans if span["processed_at"] and span["processed_at"] <= span["deadline_at"])
    again = sum(1 for span in spans if span["repeat_count"])
    row: Row = {
        "channel": channel, "dimension": dimension, "value": value, "month_start": month, "span_count": len(spans),
        "processed_count": len(done), "open_count": len(spans) - len(done), "due_count": len(spans),
        "within_deadline_count": within, "asked_again_count": again, "is_small": len(spans) < 20,
        "restricted_to_seconds": max(map(_seconds, spans)),
    }  # fmt: skip
    for name, share in (("median_seconds", 0.5), ("p90_seconds", 0.9), ("p95_seconds", 0.95)):
        place = int(share * len(spans))
        found = done[place] if place < len(done) else None
        row |= {name: found, f"{name}_lower": found and found * 0.8, f"{name}_upper": found and found * 1.3}
    mean = sum(done) / len(done) if done else None
    for name in ("restricted_mean_seconds", "mean_30_days_seconds", "mean_completed_seconds"):
        row |= {name: mean, f"{name}_lower": mean and mean * 0.8, f"{name}_upper": mean and mean * 1.2}
    counts = {name: (_done(spans, limit), len(spans)) for name, limit in WITHIN.items()}
    counts |= {"share_within_deadline": (within, len(spans)), "share_asked_again": (again, len(spans))}
    for name, (count, of) in counts.items():
        row[name], row[f"{name}_lower"], row[f"{name}_upper"] = wilson(count, of)
    return row


def _open(spans: list[Row]) -> list[Row]:
    rows = []
    waiting = [span for span in spans if not span["processed_at"]]
    for channel in ("*", *CHANNELS):
        youngest = 0.0
        for position, (age, oldest) in AGES.items():
            members = [
                span for span in waiting
                if channel in ("*", span["channel"]) and youngest <= _seconds(span) / 86_400 < oldest
            ]  # fmt: skip
            coming = [one["deadline_at"] for one in members if one["deadline_at"] >= AS_OF and not one["ends_at"]]
            rows.append({
                "channel": channel, "position": position, "age": age, "open_count": len(members),
                "withdrawn_count": sum(1 for one in members if one["ends_at"]),
                "past_deadline_count": sum(1 for one in members if one["deadline_at"] < AS_OF),
                "next_deadline_at": min(coming, default=None),
                "oldest_begins_at": min((one["begins_at"] for one in members), default=None),
            })  # fmt: skip
            youngest = oldest
    return rows


def _repeats(spans: list[Row]) -> list[Row]:
    counts: Counter[tuple[str, str, int]] = Counter()
    for span in spans:
        for channel in ("*", span["channel"]):
            for method in ("*", span["method"]):
                counts[channel, method, span["repeat_count"] + 1] += 1
    return [
        {"channel": channel, "method": method, "asked_count": asked, "span_count": count}
        for (channel, method, asked), count in sorted(counts.items())
    ]


def _membership() -> dict[str, list[Row]]:
    rows, steps = [], []
    for cohort, part in (("all", 1.0), ("watched", 0.4)):
        for channel in ("*", *CHANNELS):
            size = 1.0 if channel == "*" else OPT_INS["channel"][channel][0] / 8_400
            groups = [("channel", "*", (8_400, 0.22))] if channel == "*" else []
            groups += [
                (dimension, value, told)
                for dimension, values in OPT_INS.items()
                if channel == "*" or dimension != "channel"
                for value, told in values.items()
            ]
            for dimension, value, (count, gone) in groups:
                place = {"cohort": cohort, "channel": channel, "dimension": dimension, "value": value}
                row = _stay(round(count * size * part), gone * (1.0 if cohort == "all" else 1.6))
                rows.append(place | row)
                for month in range(1, 13):
                    share, lower, upper = wilson(row["left_count"] * month / 12, row["opt_in_count"])
                    steps.append(place | {"days": month * 30.4, "share_left": share, "lower": lower, "upper": upper,
                                          "at_risk": row["opt_in_count"] * (13 - month) // 13})  # fmt: skip
    tests = [
        {"channel": channel, "dimension": dimension, "stratified_by": "channel" if channel == "*" else None,
         "group_count": 3, "opt_in_count": 8_000, "chi_squared": 9.0, "degrees": 2, "p_value": p_value / 5,
         "p_adjusted": p_value}
        for channel in ("*", *CHANNELS)
        for dimension, p_value in SURE.items()
        if channel == "*" or dimension != "channel"
    ]  # fmt: skip
    return {"metrics.membership": rows, "metrics.membership_curve": steps, "metrics.membership_tests": tests}


def _stay(count: int, gone: float) -> Row:
    left = round(count * gone)
    row: Row = {
        "opt_in_count": count, "left_count": left, "expected_left_count": count * 0.22, "is_small": count < 20,
        "followed_days": float((AS_OF.date() - FIRST_DAY).days),
    }  # fmt: skip
    for days in DAYS:
        name = f"left_{days}_days"
        row[name], row[f"{name}_lower"], row[f"{name}_upper"] = wilson(left * days / 365, count)
    return row | {"median_days": None, "median_days_lower": None, "median_days_upper": None}
