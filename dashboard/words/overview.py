"""The sentences of the overview: plain functions from published numbers to text; None where there is nothing to say.

Every claim of a change beyond chance rests on a published test; where none speaks, none is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from dashboard.words import formats, rule_texts, texts

Row = Mapping[str, Any]

#: A change of level is news for so many days.
NEWS_DAYS = 62
NAMED = 3
FIRST_RUN = "This is the first run, so there is no other to compare it with. The next one will say what changed."
NOT_KEPT = "The snapshot of the run before is not kept any more, so new violations cannot be told from old ones."

NO_MESSAGE = "No message is on record"
VERDICT_BY = "The verdict by channel and month"

CHANGED = "What changed?"
SINCE_RUN = "**Since the run before**, with data up to {as_of}"
SINCE_MONTH = "**Against the month before**"

NEXT = "What to do next"

NUMBERS = "Three numbers"
NUMBER_NOTE = "**{period}, all channels.** {sentence}"


def answer(verdict: Row) -> str:
    """Are we all right? In a word, and the one thing that makes it so."""
    if verdict["verdict"] == "Pass":
        return "Yes. Every opt-out was heeded."
    if verdict["verdict"] == "Fail":
        count = verdict["violation_count"]
        return f":red[No.] {formats.plural(count, 'violation')} {'is' if count == 1 else 'are'} on record."
    return f"Nobody can tell. The record has {_holes(len(holes(verdict)))}."


def reason(verdict: Row) -> str:
    """What the answer rests on."""
    messages = formats.plural(verdict["message_count"], "message")
    if verdict["verdict"] == "Pass":
        return f"There is no violation in {messages}, and the evidence is complete."
    if verdict["verdict"] == "Fail":
        them = "it" if verdict["violation_count"] == 1 else "them"
        return f"No waiver covers {them}; {messages} looked at."
    first = "".join(f" {texts.plain(hole)}" for hole in holes(verdict)[:1])
    return f"No violation was found in {messages}, but something is missing.{first}"


def holes(verdict: Row) -> list[str]:
    """The reasons of a verdict that are holes in the evidence, a sentence each."""
    lines = (verdict["reasons"] or "").split("\n")
    return [line for line in lines if line and not line.startswith(("Violations: ", "Waived: "))]


def _holes(count: int) -> str:
    return "a hole" if count == 1 else f"{count} holes" if count else "holes"


def worst_rules(found: Sequence[Row]) -> str | None:
    """The rules with the most violations: Most of all message without consent (243) and message after opt-out (101)."""
    wrong = sorted((row for row in found if row["violation_count"]), key=lambda row: -row["violation_count"])
    if not wrong:
        return None
    named = [f"{rule_name(row['rule'])} ({formats.count(row['violation_count'])})" for row in wrong[:2]]
    return f"Most of all: {' and '.join(named)}."


def rule_name(rule: str) -> str:
    """A rule's name inside a sentence."""
    name = rule_texts.audit_name(rule)
    return texts.plain(name[:1].lower() + name[1:])


def month_against(now: Row | None, before: Row | None) -> str | None:
    """The verdict of the last whole month beside that of the month before."""
    if now is None:
        return None
    said = f"**{formats.month(now['period_start'])}: {_verdict(now)}**"
    return f"{said}, {_short_month(now, before)}: {_verdict(before)}." if before else f"{said}."


def _verdict(row: Row) -> str:
    count = row["violation_count"]
    return str(row["verdict"]) + (f" with {formats.plural(count, 'violation')}" if count else "")


def _short_month(now: Row, before: Row) -> str:
    month = before["period_start"]
    return f"{month:%B}" if month.year == now["period_start"].year else formats.month(month)


def verdict_change(then: str | None, now: str | None) -> str | None:
    """The verdict of the whole record, if it is another one than in the run before."""
    if not then or not now or then == now:
        return None
    return f"**The verdict was {then} and is {now}.**"


def new_violations(changes: Sequence[Row]) -> str | None:
    """How many violations are new, of which rules, and how many are gone; None if none came and none went."""
    rows = [row for row in changes if row["what"] == "violations"]
    new, gone = (sum(row[name] or 0 for row in rows) for name in ("new_count", "gone_count"))
    if not new and not gone:
        return None
    said = "No new violation" if not new else f"**{formats.plural(new, 'new violation')}**"
    fresh = sorted((row for row in rows if row["new_count"]), key=lambda row: (-row["new_count"], row["name"]))
    if fresh:
        named = [f"{rule_name(row['name'])} ({formats.count(row['new_count'])})" for row in fresh[:NAMED]]
        rest = sum(row["new_count"] for row in fresh[NAMED:])
        said += f": {', '.join(named)}" + (f", {formats.count(rest)} of other rules" if rest else "")
    if gone:
        verb = "is a violation" if gone == 1 else "are violations"
        said += f". {formats.count(gone)} of before {verb} no more: waived, or the record now says otherwise"
    return f"{said}."


def total_violations(then: int | None, now: int | None) -> str | None:
    """The number of violations beside that of a run whose snapshot is gone; None if they are the same."""
    if then is None or now is None or then == now:
        return None
    return f"**{formats.plural(now, 'violation')}** on record, {formats.count(then)} then."


def count_change(changes: Sequence[Row], what: str, one: str, many: str) -> str | None:
    """A count beside that of the run before, None if it is the same: 3 rows are in quarantine, 1 fewer than then."""
    row = next((row for row in changes if row["what"] == what), None)
    if row is None or row["now_count"] == row["then_count"]:
        return None
    difference = row["now_count"] - row["then_count"]
    more = f"{formats.count(abs(difference))} {'more' if difference > 0 else 'fewer'} than then"
    if not row["now_count"]:
        return f"No {one} any more, {more}."
    return f"{formats.plural(row['now_count'], one, many)}, {more}."


def restated(changes: Sequence[Row]) -> str | None:
    """How many numbers of finished periods are other ones now than the run before reported."""
    row = next((row for row in changes if row["what"] == "restated_numbers"), None)
    if row is None or not row["gone_count"]:
        return None
    count = row["gone_count"]
    return (
        f"{formats.plural(count, 'number')} of finished periods {'is' if count == 1 else 'are'} restated "
        f"({formats.count(row['then_count'])} had been reported)."
    )


def since_last_run(history: Sequence[Row], changes: Sequence[Row]) -> list[str]:
    """What is otherwise than in the run before, a sentence each; `history` is oldest first and ends with this run.

    One sentence that says so where this is the first run or nothing differs.
    """
    if len(history) < 2:
        return [FIRST_RUN]
    now, then = history[-1], before(history, changes)
    said = [verdict_change(then["verdict"], now["verdict"])]
    if changes:
        said += [
            new_violations(changes),
            count_change(changes, "open_requests", "opt-out waits to be applied", "opt-outs wait to be applied"),
            count_change(changes, "late_requests", "opt-out is past its deadline", "opt-outs are past their deadline"),
            count_change(changes, "quarantined_rows", "row is in quarantine", "rows are in quarantine"),
            restated(changes),
        ]
    else:
        said += [total_violations(then["violation_count"], now["violation_count"]), NOT_KEPT]
    news = [sentence for sentence in said if sentence]
    return news or ["Nothing changed: the same verdict, no new violation, and no number of a finished period restated."]


def before(history: Sequence[Row], changes: Sequence[Row]) -> Row:
    """The run that this one is compared with: the one that run.changes names, else the last but one."""
    since = changes[0]["since_run_id"] if changes else None
    return next((row for row in history if row["run_id"] == since), history[-2])


def rate(number: Row | None) -> str | None:
    """The opt-out rate beside that of the month before, without a word on whether that is a change."""
    if number is None or number["value"] is None:
        return None
    said = f"**Opt-out rate {texts.plain(number['display'])}** in {_period(number['period_label'])}"
    return said + _then(number) + "."


def response(number: Row | None) -> str | None:
    """The response time beside that of the month before."""
    if number is None or (number["value"] is None and number["display"] == "No data"):
        return None
    period = _period(number["period_label"])
    if number["value"] is None:
        said = f"**Fewer than half** of the opt-outs of {period} are known to be applied"
    else:
        said = f"**Half of the opt-outs applied within {texts.plain(number['display'])}** in {period}"
    return said + _then(number) + "."


def _period(label: str) -> str:
    return "the whole record" if label == texts.ALL_PERIODS else texts.plain(label)


def _then(number: Row) -> str:
    shown = number["previous_display"]
    if number["previous_value"] is None and shown != "Not reached":
        return ""
    return f", {texts.plain(shown.lower() if shown == 'Not reached' else shown)} the month before"


def beyond_chance(trend: Row | None, changes: Sequence[Row], year: Row | None, as_of: date) -> str | None:
    """Whether the published tests find a change of the opt-out rate: the last change of level, the trend, the year.

    None where an earlier version published no test.
    """
    said = []
    recent = [row for row in changes if (as_of - row["starts_on"]).days <= NEWS_DAYS]
    if recent:
        last = recent[-1]
        way = "rose" if last["value_after"] > last["value_before"] else "fell"
        said.append(
            f"its level {way} around the week of {formats.day(last['starts_on'])}, from "
            f"{_percent(last['value_before'])} to {_percent(last['value_after'])} a week"
        )
    if trend is not None and trend["direction"]:
        way = "rising" if trend["direction"] > 0 else "falling"
        said.append(f"it has been {way} for {formats.plural(trend['weeks_used'], 'week')}")
    if year is not None and year["label"] in ("Higher", "Lower"):
        said.append(f"it is {year['label'].lower()} than in {formats.month(_year_before(year['month']))}")
    if said:
        return f"More than chance explains: {'; '.join(said)}."
    if trend is None:
        return None
    if trend["direction"] is None:
        return "There are too few weeks to tell a change of it from chance."
    return "No test tells a change of it from chance: no new level, no trend over twelve weeks."


def _percent(share: float) -> str:
    return f"{100 * share:.2f}{formats.GAP}%"


def _year_before(month: date) -> date:
    return month.replace(year=month.year - 1)


def slow(stretch: Row | None, as_of: date) -> str | None:
    """A stretch of days whose opt-outs took longer than usual, while it is news."""
    if stretch is None or (as_of - stretch["last_on"]).days > NEWS_DAYS:
        return None
    days = f"{formats.day(stretch['first_on'])} to {formats.day(stretch['last_on'])}"
    return f"Opt-outs of {days} took longer to be applied than others, more than chance explains."


def silence(silences: Sequence[Row]) -> str | None:
    """The sources that have gone silent and have not spoken since."""
    sources = list(dict.fromkeys(row["source"] for row in silences))
    if not sources:
        return None
    longest = max(silences, key=lambda row: row["gap_days"])
    since = f"nothing since {formats.day(longest['last_on'])}"
    if len(sources) == 1:
        return f"**{texts.plain(sources[0])} is silent**: {since}, longer than its rhythm explains."
    others = formats.plural(len(sources), "source")
    return f"**{others} are silent**, longest of all {texts.plain(longest['source'])}: {since}."
