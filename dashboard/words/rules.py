"""English text of the page of the rule book."""

from __future__ import annotations

from datetime import date
from typing import Any

from dashboard.words import formats, rule_texts, texts

UNKNOWN_START = "9999-12-31"
WEAK = ("S1", "unverified")
OLDER = "rule book"

IN_FORCE = (
    "{rows:row|rows} of law and practice {rows:~is|are} in force; heed judges by {judging} of them, from "
    "{places:place|places}."
)
NONE_IN_FORCE = "No row of law is in force."
LOOKS_FOR = "**heed looks for {wrongs:wrong|wrongs}. {law}**"
OWN_DEADLINE = "Where no row gives a deadline, your own holds: {deadline}."
OWN_CAP = "Your own cap: {messages:message|messages} in {window} to a contact and channel."
CONFIRMATION = "A confirmation is late after {time}."

AUDITS = "What heed looks for"
AUDITS_ALT = "What heed looks for, with findings, violations and waived findings"
ONE = "Read one rule in full"
CHOOSE = "Choose a rule"

READ = "Read the {findings:finding|findings}"

LAW = "The law, row by row"
PLACE = "Place"
ALL_PLACES = "All places"
CHANNEL = "Channel"
ALL_CHANNELS = "All channels"
KIND = "Kind"
ALL_KINDS = "All kinds"
NOT_IN_FORCE_TOO = "Rows not in force too"
WITH_NOTES = "With notes"
NO_ROW = "No row in force matches these filters. Rows that are not in force are shown on request."
OF_KIND = "**{kind}** · {rows:row|rows}"
FOR_INFORMATION = "**For information** · {rows:row|rows} that heed does not judge by"

REACH = "Whom they reach"
YOUR_OWN = "your own: {deadline}"

BY = "{within} by {channels}"

NOT_KNOWN = "Not known"
REACH_ALT = "Contacts by country, the share whose jurisdiction is certain, and the deadline that holds there today"
MORE_COUNTRIES = "{more:more country|more countries}"
REACH_READ = (
    "Channels not named here: {own}. Of several deadlines for one channel the strictest counts; an opt-out is judged "
    "by what was in force when it was made. Rules of single states come on top; a state guessed from an area code is "
    "not certain."
)


def amount(number: int | None, row: dict[str, Any]) -> str:
    """A deadline in words: 10 business days."""
    unit = str(row.get("deadline_unit") or row.get("unit") or "")
    if unit == "immediate" or not number:
        return "at once"
    words = unit.replace("_", " ")
    return f"{number} {words.removesuffix('s') if number == 1 else words}"


def in_words(row: dict[str, Any], is_noted: bool) -> str:
    """A row as an item: where and by which channel, what it says, what it rests on, its note if asked for."""
    said = row["in_words"] or f"{row['regulation']}: {row['value']} {(row['unit'] or '').replace('_', ' ')}"
    where = f"**{texts.plain(rule_texts.place(row['jurisdiction']))}** · {rule_texts.channels(row['channel'])}"
    off = "" if row["is_in_force"] else f" :gray-badge[Not in force: {why_off(row)}]"
    found = f" · **{formats.plural(row['finding_count'], 'finding')}**" if row["finding_count"] else ""
    rests_on = " · ".join([*sources_of(row), *holds(row), texts.plain(row["rule_id"])])
    note = f"  \n  *{texts.plain(row['note'])}*" if is_noted and row["note"] else ""
    return f"- {where}{off}{found}  \n  {texts.plain(said)}  \n  :small[{rests_on}]{note}"


def sources_of(row: dict[str, Any]) -> list[str]:
    """What a row rests on: its citation, how good the source is, when it was read, and whose row it is."""
    words = [rule_texts.link(row["citation"] or row["regulation"] or row["rule_id"], row["source_url"])]
    words += [texts.plain(row["regulation"])] if row["regulation"] and row["citation"] else []
    checked = f"checked {day(row['checked_on'])}" if row["checked_on"] else "never checked"
    words.append(f"{texts.plain(rule_texts.grade(row['grade']))}, {checked}")
    return words + (["from your rules.csv"] if row["origin"] == "home" else [])


def holds(row: dict[str, Any]) -> list[str]:
    """Since when and until when a row holds, and what a finding under it weighs."""
    words = []
    if row["effective_from"] == UNKNOWN_START:
        words.append("start not known")
    elif row["effective_from"]:
        words.append(f"since {day(row['effective_from'])}")
    elif row["is_judged"] and row["judged_from"]:
        words.append(f"start not found, judges from {formats.day(row['judged_from']).replace(' ', formats.GAP)}")
    else:
        words.append("start not found")
    words += [f"until {day(row['effective_to'])}"] if row["effective_to"] else []
    return words + (
        [f"weighs {texts.severity(row['severity']).lower()}"] if row["severity"] and row["is_judged"] else []
    )


def why_off(row: dict[str, Any]) -> str:
    """Why a row is not in force."""
    if row["effective_from"] == UNKNOWN_START:
        return "adopted, not begun"
    if row["enabled"] == "strict":
        return "only in the strict preset"
    if row["enabled"] == "no":
        return "its source is too weak" if row["grade"] in WEAK else "switched off"
    return "not chosen by your policy"


def day(text: str) -> str:
    """An ISO date as people read it; what is none, as it is."""
    try:
        return formats.day(date.fromisoformat(text)).replace(" ", formats.GAP)
    except ValueError:
        return texts.plain(text)
