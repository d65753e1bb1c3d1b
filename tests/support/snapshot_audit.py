"""The audit of a made snapshot: findings by rule and by day, and what changed since the run before."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from tests.support.snapshot_coverage import MESSENGER, SILENT
from tests.support.snapshot_numbers import AS_OF, CHANNELS, FIRST_DAY, REACHED_A_DAY

Row = dict[str, Any]

RUN_BEFORE = "20261018T060001Z-1c77d0"
SEVERITIES = ("critical", "high", "warning", "notice")


def is_violation(finding: Row) -> bool:
    """Whether a finding is one."""
    return finding["severity"] in ("critical", "high") and not finding.get("waived_by")


def tables(findings: list[Row], open_requests: list[Row], kind: str) -> dict[str, list[Row]]:
    """The rows of the three relations."""
    return {
        "metrics.finding_counts": finding_counts(findings),
        "metrics.violation_days": violation_days(findings),
        "run.changes": changes(findings, open_requests),
    }


def finding_counts(findings: list[Row]) -> list[Row]:
    """Findings by month, channel, rule and class."""
    cells: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for finding in findings:
        for month in (None, finding["occurred_at"].date().replace(day=1)):
            for channel in ("*", finding["channel"]):
                for finding_class in ("*", finding["finding_class"]):
                    cells[month, channel, finding["rule"], finding_class].append(finding)
    return [
        {
            "period_start": month, "channel": channel, "rule": rule, "finding_class": finding_class,
            "severity": min((one["severity"] for one in rows), key=SEVERITIES.index), "finding_count": len(rows),
            "violation_count": sum(map(is_violation, rows)),
            "waived_count": sum(1 for one in rows if one.get("waived_by")),
            "contact_count": len({one.get("contact_key") for one in rows} - {None}) if finding_class == "*" else None,
        }
        for (month, channel, rule, finding_class), rows in cells.items()
    ]  # fmt: skip


def violation_days(findings: list[Row]) -> list[Row]:
    """Messages and findings by day and channel."""
    cells: dict[tuple[date, str], Row] = {}

    def add(day: date, channel: str, **counts: int) -> None:
        for one in ("*", channel):
            names = ("message_count", "finding_count", "violation_count", "waived_count")
            cell = cells.setdefault((day, one), {"on_date": day, "channel": one} | dict.fromkeys(names, 0))
            for name, count in counts.items():
                cell[name] += count

    before, after = SILENT[MESSENGER]
    for place in range((AS_OF.date() - FIRST_DAY).days + 1):
        day = FIRST_DAY + timedelta(days=place)
        for channel in CHANNELS:
            if not (channel == "whatsapp" and (before < day < after or day.weekday() == 6)):
                add(day, channel, message_count=REACHED_A_DAY[channel] // 4)
    for finding in findings:
        waived = int(bool(finding.get("waived_by")))
        day = finding["occurred_at"].date()
        add(day, finding["channel"], finding_count=1, violation_count=int(is_violation(finding)), waived_count=waived)
    return list(cells.values())


def changes(findings: list[Row], open_requests: list[Row]) -> list[Row]:
    """What changed since the run before: of message_after_opt_out 2 are new and 14 gone, so that 12 fewer are left."""
    rules: dict[str, int] = defaultdict(int)
    for finding in findings:
        rules[finding["rule"]] += is_violation(finding)
    moved = {"message_after_opt_out": (2, 14)}
    rows = []
    for rule, count in sorted(rules.items()):
        new, gone = moved.get(rule, (0, 0))
        rows.append(("violations", rule, count + gone - new, count, new, gone))
    every = [row for row in open_requests if row["channel"] == "*"]
    waiting, late = (sum(row[name] for row in every) for name in ("open_count", "past_deadline_count"))
    rows += [
        ("open_requests", "*", waiting + 1, waiting, None, None),
        ("late_requests", "*", late, late, None, None),
        ("quarantined_rows", "*", 41, 41, None, None),
        ("restated_numbers", "*", 9_120, None, None, 214),
    ]
    names = ("since_run_id", "what", "name", "then_count", "now_count", "new_count", "gone_count")
    return [dict(zip(names, (RUN_BEFORE, *row), strict=True)) for row in rows]
