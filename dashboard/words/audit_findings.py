"""English text of the part that says what was found, and what it could cost."""

from __future__ import annotations

from typing import Any

from dashboard.words import formats, rule_texts, texts

EXPOSURE_CAVEAT = (
    "A range from the text of the law and the violations of the whole record, all channels. It is no forecast and no "
    "advice: a court decides whether the text binds you, what counts as one violation and what was wilful. **The lines "
    "overlap, because one message can fall under several: never add them up.** Waived findings are in no amount."
)
HEAD = "What was found"
NOTHING = "No finding in this selection. Whether the evidence is complete, the verdict above says."
OTHER_RULES = "{rules:more rule|more rules} with {findings:finding|findings} and no violation"
WAIVED = "{findings:finding is waived|findings are waived} and counted apart"

CONTACTS = "{contacts:contact|contacts}"
CAMPAIGNS = "{campaigns:campaign|campaigns}"
RULES_ALT = "Findings by rule, the worst first, with violations and waived findings apart"

NOT_FOUND = "Looked for and not found: {names}."
EXPOSURE = "If a court counted each violation"


def exposure_in_words(row: dict[str, Any]) -> str:
    """One penalty: the range, the law, what was counted, and what may come on top."""
    low, high = (formats.money(row[name], row["currency"]) for name in ("low_amount", "high_amount"))
    amounts = "up to " + high if not row["low_amount"] else low if low == high else f"between {low} and {high}"
    place = f" ({texts.plain(rule_texts.place_name(row['jurisdiction']))})" if row["jurisdiction"] else ""
    counted = f"{formats.plural(row['violation_count'], 'message')}, each counted once"
    possible = row["possible_count"]
    more = (
        f"; {formats.count(possible)} more may fall under it, by a guessed region, and "
        f"{'is' if possible == 1 else 'are'} in no amount"
        if possible
        else ""
    )
    law = rule_texts.link(row["citation"], row["source_url"])
    if not row["violation_count"]:
        return f"nothing for certain under {law}{place}{more}."
    return f"**{texts.plain(amounts)}** under {law}{place}: {counted}{more}."
