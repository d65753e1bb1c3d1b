"""English text of the page of waivers."""

from __future__ import annotations

from dashboard.words import formats

WHAT_IT_DOES = (
    "A waiver excuses findings of one rule about one message, event, contact, campaign or period, until a day. A "
    "waived finding stays listed and is counted apart; it is no violation and makes no verdict fail. When the waiver "
    "expires, the finding counts again."
)
HOW_TO = "To excuse a finding, write a row in `waivers.csv` in the home (rule, subject, reason, who, until), then run:"
NOT_IN_FORCE = {
    "expired": "Its day has passed: what it excused counts again. Renew it, or repair the cause.",
    "unknown_subject": "Nothing on record has this name, so it excuses nothing. Correct the subject or take it out.",
    "unknown_rule": "No rule has this name, so it excuses nothing. Correct the rule or take it out.",
}
EXCUSES_NOTHING = "It excuses nothing."
OLDER = "waivers"
NOTHING = "Nothing is waived"
READ = "Read the waived findings"
IN_FORCE = "In force"
NONE_IN_FORCE = "No waiver is in force."
NO_REASON = "No reason is given"
NOBODY = "nobody named"
EVERY_RULE = "Every rule"


def answer(in_force: int, broken: int, waived: int, excused: int) -> str:
    """How many waivers excuse how much."""
    findings = formats.plural(waived, "finding is waived", "findings are waived")
    told = f"**{formats.plural(in_force, 'waiver')} in force; {findings}"
    if waived:
        told += f", of which {formats.plural(excused, 'would be a violation', 'would be violations')}"
    others = formats.plural(broken, "other does not hold", "others do not hold")
    return f"{told}.**" + (f" {others}." if broken else "")


def broken(count: int, state: str, advice: str, items: str) -> str:
    """Waivers that excuse nothing, for one reason why."""
    return f"**{formats.plural(count, 'waiver')}: {state}.** {advice}\n\n{items}"


def broken_item(number: int, rule: str, subject: str, until: str, counting_again: int) -> str:
    """A waiver that does not hold, in one line."""
    told = f"Waiver {number}: {rule}, {subject}" + (f", until {until}" if until else "") + "."
    if not counting_again:
        return told
    return f"{told} {formats.plural(counting_again, 'finding counts again', 'findings count again')}."


def item(*, rule: str, subject: str, findings: int, why: str, decided: str, who: str, until: str) -> str:
    """A waiver in force: the rule, what about, how much it excuses; why; who and until when."""
    excuses = formats.plural(findings, "finding") if findings else "no finding"
    ends = f"until {until}" if until else "with no end"
    return (
        f"- **{rule}** · {subject} · excuses **{excuses}**  \n  {why or NO_REASON}{f' ({decided})' if decided else ''}"
        f"  \n  By {who or NOBODY}, {ends}"
    )


def more(count: int) -> str:
    """The waivers that are folded away."""
    return formats.plural(count, "more waiver")


def ending(count: int) -> str:
    """How many end soon."""
    return f"{formats.plural(count, 'waiver ends', 'waivers end')} within 30 days of the data's end."


def idle(count: int) -> str:
    """How many excuse nothing today."""
    return f"{formats.plural(count, 'waiver excuses', 'waivers excuse')} no finding today and could go."
