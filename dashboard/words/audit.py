"""English text of the page of the audit."""

from __future__ import annotations

from dashboard.words import texts

# What a reader of the verdict must know of the rules that made it.
RULES_IN_FORCE = {
    "strict": " Judged by the strict preset, which is heed's own and stricter than most laws.",
    "none": " Judged without any row of law: your policy chose none.",
}
NOTHING = f"No message and no opt-out was recorded here. {texts.WIDEN}"

READ = "Read the {violations:violation|violations}, worst first"
LOOKED_AT = "{messages:message|messages} looked at.{judged_by}"
OF_SOURCES = "The verdict of each of {sources} sources"
SOURCES_ALT = "Verdict by source of messages, with its reasons"
