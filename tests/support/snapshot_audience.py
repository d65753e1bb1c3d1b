"""The audience of a made snapshot: growth, coverage, segments, inactive, suspected machines, from a fixed seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from tests.support.snapshot_numbers import CHANNELS, REACHED_A_DAY, periods, wilson

Row = dict[str, Any]
SIZES = {"sms": 2_400, "email": 5_100, "whatsapp": 900}
UNCOVERED = {"never_asked": 0.008, "not_asked": 0.002, "requested": 0.001, "opted_out": 0.003}
INACTIVE_DAYS = 180
SUSPECTED_SPANS = 3


def tables(spans: list[Row]) -> dict[str, list[Row]]:
    """Rows of every relation of the audience but the measurements."""
    chance = random.Random(20261119)
    pairs = list(_pairs(chance))
    coverage = list(_coverage(chance))
    machines = [
        {"span_id": span["span_id"], "rule": "faster_than_a_person", "seconds": 1.5 + number}
        for number, span in enumerate(sorted(spans, key=lambda one: int(one["span_id"]))[:SUSPECTED_SPANS])
    ]
    return {
        "metrics.audience": list(_growth(chance)),
        "metrics.consent_coverage": coverage,
        "metrics.consent_origins": [
            {"channel": channel, "source_type": source, "method": method, "message_count": count // 2}
            for channel, count in _covered(coverage).items()
            for source, method in (("own_web", "web_form"), ("ad_campaign", "button"))
        ],
        "metrics.segment_pairs": pairs,
        "metrics.segments": list(_segments(pairs)),
        "metrics.inactive_contacts": [
            _inactive("email", 4_900, 3_000, 0, 610, reads=True),
            _inactive("sms", 2_300, 1_700, 0, 1_200, reads=False),
            _inactive("whatsapp", 850, 400, 400, None, reads=False),
            _inactive("*", 8_050, 5_100, 400, 1_810, reads=False),
        ],
        "metrics.inactive_pairs": [
            {"contact_key": row["contact_key"], "channel": row["channel"], "inactive_since_on": row["since_on"]}
            for row in pairs[:20]
        ],
        "metrics.machine_rules": [
            {"rule": "faster_than_a_person", "channel": "email", "method": "link", "within_seconds": 10,
             "in_words": "An opt-out within 10 seconds of delivery.", "source": "RFC 8058",
             "span_count": len(machines)},
        ],
        "core.suspected_machines": machines,
    }  # fmt: skip


def measurements(rated: list[Row], spans: list[Row]) -> list[Row]:
    """consent_coverage, the opt-out rate without machines, suspected_machine_share and net_growth."""
    chance = random.Random(20261119)
    list(_pairs(chance))
    rows = []
    shared = {"definition": "heed", "program": "*", "campaign_id": "*", "reason": "*", "unit": "share"}
    counts: dict[tuple[Any, str], list[int]] = {}
    for row in _coverage(chance):
        for start in (row["period_start"], None):
            for channel in (row["channel"], "*"):
                cell = counts.setdefault((start, channel), [0, 0])
                cell[0] += row["message_count"] if row["phase"] == "opted_in" else 0
                cell[1] += row["message_count"]
    for (start, channel), (covered, total) in counts.items():
        value, lower, upper = wilson(covered, total)
        rows.append(shared | {"metric": "consent_coverage", "grain": "month" if start else "all",
                              "period_start": start, "channel": channel, "numerator": covered, "denominator": total,
                              "value": value, "lower": lower, "upper": upper})  # fmt: skip
    for row in rated:
        if row["metric"] == "opt_out_rate" and row["program"] == row["campaign_id"] == "*":
            fewer = max(0, row["numerator"] - (SUSPECTED_SPANS if row["grain"] == "all" else 0))
            value, lower, upper = wilson(fewer, row["denominator"])
            rows.append(row | {"metric": "opt_out_rate_without_machines", "numerator": fewer, "value": value,
                               "lower": lower, "upper": upper})  # fmt: skip
    value, lower, upper = wilson(SUSPECTED_SPANS, len(spans))
    rows.append(shared | {"metric": "suspected_machine_share", "grain": "all", "period_start": None, "channel": "*",
                          "numerator": SUSPECTED_SPANS, "denominator": len(spans), "value": value, "lower": lower,
                          "upper": upper})  # fmt: skip
    return rows


def _growth(chance: random.Random) -> Iterator[Row]:
    for grain in ("day", "week", "month"):
        now = dict.fromkeys((*CHANNELS, "*"), 0) | SIZES | {"*": sum(SIZES.values())}
        for start, days in periods(grain):
            every = dict.fromkeys(("opt_ins", "re_opt_ins", "unblocks", "opt_outs", "complaints", "blocks"), 0)
            for channel in CHANNELS:
                row = {"opt_ins": round(days * SIZES[channel] / 500 * chance.uniform(0.8, 1.2)),
                       "re_opt_ins": days // 9, "unblocks": days // 30, "opt_outs": round(days * SIZES[channel] / 700),
                       "complaints": days // 20, "blocks": days // 25}  # fmt: skip
                every = {name: every[name] + count for name, count in row.items()}
                yield _period(grain, start, channel, row, now)
            yield _period(grain, start, "*", every, now)


def _period(grain: str, start: Any, channel: str, row: dict[str, int], now: dict[str, int]) -> Row:
    net = row["opt_ins"] + row["re_opt_ins"] + row["unblocks"] - row["opt_outs"] - row["complaints"] - row["blocks"]
    before = now[channel]
    now[channel] = before + net
    acts = {"opt_in_acts": row["opt_ins"] + row["re_opt_ins"], "opt_out_acts": row["opt_outs"] + 2,
            "complaint_acts": row["complaints"], "block_acts": row["blocks"]}  # fmt: skip
    return {"grain": grain, "period_start": start, "channel": channel, "opted_in_at_start": before, **row,
            "net_growth": net, "opted_in_at_end": before + net, **acts}  # fmt: skip


def _coverage(chance: random.Random) -> Iterator[Row]:
    for start, days in periods("month"):
        for channel, source in CHANNELS.items():
            total = REACHED_A_DAY[channel] * days // 4
            parts = {phase: round(total * share * chance.uniform(0.5, 1.5)) for phase, share in UNCOVERED.items()}
            parts["opted_in"] = total - sum(parts.values())
            for phase, count in parts.items():
                yield {"period_start": start, "channel": channel, "source": source, "phase": phase,
                       "message_count": count}  # fmt: skip


def _covered(coverage: list[Row]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in coverage:
        if row["phase"] == "opted_in":
            found[row["channel"]] = found.get(row["channel"], 0) + row["message_count"]
    return found


def _pairs(chance: random.Random) -> Iterator[Row]:
    weights = {"opted_in": 80, "opted_out": 14, "pending_confirmation": 2, "never_asked": 4}
    dates = [start for start, _ in periods("month")]
    for number in range(240):
        segment = chance.choices(list(weights), list(weights.values()))[0]
        yield {"contact_key": chance.getrandbits(63) * chance.choice([1, -1]), "channel": chance.choice(list(CHANNELS)),
               "segment": segment, "is_blocked": segment == "opted_out" and number % 9 == 0,
               "since_on": None if segment == "never_asked" else chance.choice(dates)}  # fmt: skip


def _segments(pairs: list[Row]) -> Iterator[Row]:
    for channel in ("*", *CHANNELS):
        for segment in sorted({row["segment"] for row in pairs}):
            found = [row for row in pairs if row["segment"] == segment and channel in ("*", row["channel"])]
            if found:
                yield {"channel": channel, "segment": segment, "pair_count": len(found),
                       "blocked_count": sum(row["is_blocked"] for row in found)}  # fmt: skip


def _inactive(channel: str, reached: int, long: int, unknown: int, silent: int | None, *, reads: bool) -> Row:
    return {"channel": channel, "reached_count": reached, "long_reached_count": long, "unknown_count": unknown,
            "inactive_count": silent, "inactive_days": INACTIVE_DAYS, "reports_reads": reads}  # fmt: skip
