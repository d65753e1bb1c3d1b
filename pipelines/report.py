"""A run's result in words, for a manager at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.output import terminal_safe

#: What must stand beside every amount of `exposure`.
EXPOSURE_CAVEAT = (
    "An estimate from what is on record, and no legal advice: whether a penalty is due, and how much, a court or an"
    " authority decides. The lines are alternatives; they must not be added."
)

_CLASSES = {
    "sent_after_processing": "sent after the opt-out was applied",
    "sent_past_deadline": "sent after the deadline",
    "sent_in_flight": "sent before the opt-out was applied, within the deadline",
    "suppressed_by_provider": "stopped by the provider, not by you",
}


_ANSWERS = {
    "Pass": "Yes. Verdict: Pass.",
    "Fail": "No. Verdict: Fail.",
    "Cannot attest": "Nobody can say yet. Verdict: Cannot attest.",
}


def _day(instant: str | None) -> str:
    return f"As of {instant[:10]}." if instant else "There are no records yet."


def in_words(summary: dict[str, Any], snapshot: str) -> str:
    """The verdict, the three headline numbers, the findings and what was read, as a few lines of text."""
    verdict = summary["verdict"]
    lines = [f"Did every opt-out get heeded?  {_ANSWERS[verdict['overall']]}  {_day(summary['as_of'])}"]
    lines += [f"  {reason}" for reason in verdict["reasons"]]
    lines.append("")
    for row in summary["headline"]:
        before = f"(before: {row['previous_display']})" if row["previous_display"] else ""
        lines.append(f"  {row['label']:<16} {row['display']:<18} {row['period_label'] or '':<28} {before}".rstrip())
    lines.append("")
    if summary["findings"]:
        for rule, classes in summary["findings"].items():
            lines.append(f"  {rule}")
            for finding_class, count in sorted(classes.items(), key=lambda item: -item[1]):
                words = f"{_CLASSES[finding_class]} ({finding_class})" if finding_class in _CLASSES else finding_class
                lines.append(f"    {count:>9,}  {words}")
    else:
        lines.append("  No findings.")
    lines += _waivers(summary)
    lines += _exposure(summary["exposure"])
    lines.append("")
    inputs = summary["inputs"]
    totals = {name: sum(row[name] for row in inputs) for name in ("read", "accepted", "duplicate", "quarantined")}
    lines.append(
        f"  {len(inputs):,} files: {totals['read']:,} rows read = {totals['accepted']:,} accepted"
        f" + {totals['duplicate']:,} duplicate + {totals['quarantined']:,} quarantined"
    )
    checks = summary["validation"]["expectations"]
    lines.append(f"  {sum(check['success'] for check in checks)} of {len(checks)} validation checks passed")
    lines.append(f"  Snapshot: {snapshot}")
    return "\n".join(lines) + "\n"


def _waivers(summary: dict[str, Any]) -> Iterator[str]:
    """How many findings are waived, and every waiver that does not hold, with why."""
    if summary["waived"]:
        yield f"  {_counted(summary['waived'], 'finding')} waived"
    for row in summary["waivers"]:
        name = terminal_safe(f"Waiver {row['waiver_number']} by {row['who']} ({row['rule']}, {row['subject']})")
        match row["status"]:
            case "expired":
                again = f"; findings that count again: {row['finding_count']:,}" if row["finding_count"] else ""
                yield f"  {name} held until {row['until']} and is expired{again}."
            case "unknown_rule":
                yield f"  {name} waives nothing: no rule is so called."
            case "unknown_subject":
                yield f"  {name} waives nothing: its subject is not on record."


def _exposure(rows: list[dict[str, Any]]) -> Iterator[str]:
    """What violations would cost, a line per penalty, and the caveat that belongs to it."""
    rows = [row for row in rows if row["violation_count"]]
    if not rows:
        return
    yield ""
    yield "  Exposure, whole record"
    for row in rows:
        amounts = f"{row['low_amount']:,.0f} to {row['high_amount']:,.0f} {row['currency']}"
        possible = f", {row['possible_count']:,} more possible" if row["possible_count"] else ""
        messages = _counted(row["violation_count"], "message")
        yield f"    {terminal_safe(row['legal_rule_id'])}: {amounts} ({messages}{possible})"
    yield f"    {EXPOSURE_CAVEAT}"


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
