"""A run's result in words, for a manager at a terminal."""

from __future__ import annotations

from typing import Any

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
    lines += [f"  {reason}" for reason in verdict["reasons"][:5]]
    lines.append("")
    for row in summary["headline"]:
        before = f"(before: {row['previous_display']})" if row["previous_display"] else ""
        lines.append(f"  {row['label']:<16} {row['display']:<18} {row['period_label'] or '':<28} {before}".rstrip())
    lines.append("")
    if summary["findings"]:
        for rule, classes in summary["findings"].items():
            lines.append(f"  {rule}")
            for finding_class, count in sorted(classes.items(), key=lambda item: -item[1]):
                lines.append(f"    {count:>9,}  {_CLASSES.get(finding_class, finding_class)} ({finding_class})")
    else:
        lines.append("  No findings.")
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
