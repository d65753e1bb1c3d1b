"""The rules as a reader sees them: what heed looks for, and what law, practice or choice of the home it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from pipelines.rulebook.book import BookRow
from pipelines.settings import Policy
from pipelines.sqlfiles import SqlFile

#: The columns of `heed rules`: an audit's law stands in `citation`, a legal rule's own words in `says`.
COLUMNS = (
    "rule_id",
    "kind",
    "says",
    "jurisdiction",
    "regulation",
    "citation",
    "channel",
    "message_class",
    "value",
    "unit",
    "counting",
    "effective_from",
    "effective_to",
    "judged_from",
    "severity",
    "grade",
    "checked_on",
    "source_url",
    "enabled",
    "in_force",
    "origin",
    "remedy",
    "parameters",
)
GRADES = {
    "P": "official text",
    "Q": "quoted by a third party",
    "S": "a secondary summary",
    "S1": "one weak source",
    "unverified": "not verified",
    "preset": "heed's preset, not a law",
    "home": "the home's own",
}
_WIDTH = 110


def rows(audits: list[SqlFile], book: list[BookRow], policy: Policy, *, every: bool) -> list[dict[str, str]]:
    """One row per audit, then one per legal rule in force (`every`: also those that are not)."""
    cap = policy.frequency_cap
    parameters = "; ".join(
        (
            f"rules {policy.rules if isinstance(policy.rules, str) else ', '.join(policy.rules)}",
            f"scope {policy.scope}",
            f"default deadline {policy.default_deadline.text}",
            f"confirmation window {policy.confirmation_window_seconds} s",
            f"double opt-in {'required' if policy.double_opt_in else 'not required'}",
            f"frequency cap {f'{cap[0]} in {cap[1]} s' if cap else 'none of the home'}",
            f"forbidden sources {', '.join(policy.forbidden_sources) or 'none'}",
        )
    )
    listed = [
        {
            "rule_id": audit.name,
            "kind": "audit",
            "says": audit.fields["Rule"],
            "citation": audit.fields["Why"],
            "severity": audit.fields["Severity"],
            "in_force": "yes",
            "origin": "heed",
            "remedy": audit.fields["Remedy"],
            "parameters": parameters,
        }
        for audit in audits
    ]
    for row in book:
        if not row.is_in_force and not every:
            continue
        rule = row.rule
        names = (
            "rule_id", "kind", "jurisdiction", "regulation", "citation", "channel", "message_class", "value", "unit",
            "counting", "effective_from", "effective_to", "severity", "grade", "checked_on", "source_url", "enabled",
            "origin",
        )  # fmt: skip
        judged_from = rule.judged_from.isoformat() if rule.starts and rule.judged_from else ""
        listed.append(
            {name: getattr(rule, name) for name in names}
            | {"says": rule.in_words, "judged_from": judged_from, "in_force": "yes" if row.is_in_force else "no"}
        )
    return [{name: row.get(name, "") for name in COLUMNS} for row in listed]


def in_words(listed: list[dict[str, str]], preset: str) -> Iterator[str]:
    """The same rows as text, audits first, then what holds where."""
    yield "What heed looks for\n"
    for row in (one for one in listed if one["kind"] == "audit"):
        yield row["rule_id"]
        for name, label in (("says", "Rule"), ("citation", "Why"), ("remedy", "Remedy"), ("severity", "Severity")):
            yield from _paragraph(f"{label}: {row[name]}")
    parameters = next(row["parameters"] for row in listed if row["kind"] == "audit")
    yield f"\nThe home's policy: {parameters}."
    yield "\nWhat holds where (facts and citations, not legal advice)"
    if preset == "strict":
        yield 'The preset "strict" is heed\'s own and no law: it adds the strictest of several practices.'
    kind = ""
    for row in sorted((one for one in listed if one["kind"] != "audit"), key=lambda one: one["kind"]):
        if row["kind"] != kind:
            kind = row["kind"]
            yield f"\n{kind.replace('_', ' ')}"
        dates = f"since {row['effective_from']}" if row["effective_from"] else "its start was not found"
        dates += f", until {row['effective_to']}" if row["effective_to"] else ""
        if not row["effective_from"] and row["judged_from"]:
            dates += f", used from {row['judged_from']} on"
        off = "" if row["in_force"] == "yes" else "  [not in force]"
        yield f"  {row['rule_id']}  {row['jurisdiction']}, {row['channel']}{off}"
        yield from _paragraph(row["says"] or f"{row['value']} {row['unit']}")
        grade = GRADES.get(row["grade"], row["grade"])
        yield from _paragraph(
            f"{row['regulation']}, {row['citation']}. Grade: {grade}, checked {row['checked_on']}; {dates}."
        )
        if row["source_url"]:
            yield f"    {row['source_url']}"


def _paragraph(text: str) -> list[str]:
    return wrap(text, _WIDTH, initial_indent="    ", subsequent_indent="      ", break_long_words=False)
