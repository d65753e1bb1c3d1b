"""Prints the tables of shipped rules in docs/rulebook.md: `python tools/rulebook_table.py`.

They are made of data/reference/rules.csv. A maintainer pastes them between the page's two marks after a change of
the file; a test keeps the two equal.
"""

import csv
from pathlib import Path

#: Kinds in the order of the page, each with its heading.
KINDS = {
    "optout_deadline": "Time to honour an opt-out",
    "quiet_hours": "Quiet hours",
    "frequency_cap": "Frequency caps",
    "consent_required": "Consent",
    "confirmation": "Confirmations",
    "penalty": "Penalties",
    "keyword": "Words that opt out",
    "revocation_means": "Ways to opt out",
    "revocation_scope": "What an opt-out covers",
    "retention": "Records to keep",
    "platform_signal": "Signals of platforms",
}
#: What stands in effective_from of a rule that was adopted and whose start nobody knows.
NOT_STARTED = "9999-12-31"
#: What stands around the tables in the page.
BEGINS, ENDS = "<!-- made by tools/rulebook_table.py -->", "<!-- end -->"


def shipped() -> list[dict[str, str]]:
    """The rows of data/reference/rules.csv in the file's order, by column name."""
    path = Path(__file__).resolve().parent.parent / "data" / "reference" / "rules.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _since(row: dict[str, str]) -> str:
    """When the rule holds, as a reader says it."""
    if row["effective_from"] == NOT_STARTED:
        return "not started"
    if row["effective_to"]:
        return f"{row['effective_from'] or 'not known'}, until {row['effective_to']}"
    return row["effective_from"] or "not known"


def _citation(row: dict[str, str]) -> str:
    named = _cell(", ".join(one for one in (row["regulation"], row["citation"]) if one))
    return f"[{named}]({row['source_url']})" if row["source_url"] else named


def tables() -> str:
    """One heading and one Markdown table per kind, ending in a line break."""
    rows, parts = shipped(), []
    for kind, heading in KINDS.items():
        lines = [f"### {heading}", "", f"Kind `{kind}`.", ""]
        lines += [
            "| rule_id | where | in words | citation | grade | since | enabled |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in rows:
            if row["kind"] == kind:
                cells = (row["jurisdiction"], _cell(row["in_words"]), _citation(row), row["grade"], _since(row))
                lines.append(f"| `{row['rule_id']}` | {' | '.join(cells)} | {row['enabled']} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(tables(), end="")
