"""Which number is which? One month under every definition, an example that explains the differences, the sources."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import streamlit as st

from dashboard import definitions, filters, layout, snapshot
from dashboard.definitions import Definition
from dashboard.words import definitions as words
from dashboard.words import formats, heads, texts
from dashboard.words.definitions_example import ANSWERS, CAMPAIGNS, MONTH, PEOPLE, Answer, Person

NUMBERS = """
select metric, definition, numerator, denominator, value, lower, upper from metrics.measurements
where
    metric in (
        'opt_out_rate', 'opt_out_rate_without_machines', 'opt_out_rate_per_message', 'list_churn', 'unattributed_share'
    )
    and grain = 'month' and period_start = ? and channel = ? and program = '*' and campaign_id = '*'
"""
LAST_MONTH = """
select cast(date_trunc('month', timezone(report_timezone, as_of)) - interval 1 month as date) as month
from run.parameters
"""
METRICS = tuple(words.QUESTIONS)
Numbers = dict[tuple[str, str], dict[str, Any]]


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    month: date = chosen.period or (snapshot.one(LAST_MONTH) or {"month": None})["month"] or date.min
    layout.header("definitions", replace(chosen, period=month))
    if not snapshot.has("metrics.definitions"):
        layout.older(words.OLDER)
        layout.footer()
        return
    listed = definitions.offered(METRICS)
    rows = snapshot.rows(NUMBERS, [month, chosen.channel_or_all])
    numbers = {(row["metric"], row["definition"]): row for row in rows}
    show_answer(listed, numbers, month)
    show_numbers(listed, numbers)
    show_example(listed)
    show_sources(listed)
    layout.footer(words.EVERY_NUMBER)


def show_answer(listed: list[Definition], numbers: Numbers, month: date) -> None:
    """How far the definitions are apart, as a sentence."""

    def values(metric: str, own: bool) -> list[float]:
        found = [
            numbers.get((one.metric, one.definition)) for one in listed if one.metric == metric and one.is_own == own
        ]
        return [row["value"] for row in found if row and row["value"] is not None]

    told = ("opt_out_rate", "opt_out_rate_per_message", "list_churn")
    rate, message, churn = (values(metric, own=True) for metric in told)
    others = values("opt_out_rate_per_message", own=False)
    said = [words.OF_REACHED.format(rate=percent(rate[0]))] if rate else []
    said += [words.PER_MESSAGE.format(rate=percent(message[0]))] if message else []
    said += [words.OF_LIST.format(rate=percent(churn[0]))] if churn else []
    if not said:
        layout.empty(words.NO_NUMBERS.format(month=formats.month(month)), words.NOBODY_REACHED)
        return
    spread = ""
    if others:
        low, high = percent(min(others)), percent(max(others))
        spread = words.SPREAD.format(low=low, high=high)
    st.markdown(words.ANSWER.format(month=formats.month(month), said=", ".join(said), spread=spread))


def show_numbers(listed: list[Definition], numbers: Numbers) -> None:
    """One table per question: the month under each definition."""
    if not numbers:
        return
    for metric, (title, question) in words.QUESTIONS.items():
        lines = [line(one, numbers) for one in listed if one.metric == metric]
        st.header(f"{title}: {question}", anchor=False)
        layout.table(lines, words.BY_DEFINITION.format(title=title), {heads.VALUE: percent})
        if metric == "opt_out_rate_per_message":
            st.caption(words.UNATTRIBUTED)
    page = texts.PAGES["trends"]
    st.page_link(page.file, label=words.OVER_TIME, icon=page.icon)


def line(one: Definition, numbers: Numbers) -> dict[str, Any]:
    """A definition with its numbers of the month."""
    row = numbers.get((one.metric, one.definition), {})
    missing = numbers.get(("unattributed_share", one.definition), {})
    name = texts.plain(one.name)
    told = {
        heads.DEFINITION: words.OWN_NAME.format(name=name) if one.is_own else name,
        heads.VALUE: row.get("value"),
        heads.INTERVAL: between(row.get("lower"), row.get("upper")),
        heads.COUNTED: f"{formats.count(row.get('numerator'))} / {formats.count(row.get('denominator'))}",
    }
    if one.metric == "opt_out_rate_per_message":
        told[heads.UNATTRIBUTED] = formats.share(missing.get("value"))
    return told


def show_example(listed: list[Definition]) -> None:
    """The made-up month: what happened, and what each definition makes of it."""
    st.header(words.EXAMPLE, anchor=False)
    sent = ", ".join(words.SENT.format(name=name, day=formats.day(at), at=at) for name, at in CAMPAIGNS.items())
    count = sum(len(person.campaigns) for person in PEOPLE)
    lost = sum(len(person.campaigns) for person in PEOPLE if not person.is_confirmed)
    st.markdown(
        words.MADE_UP.format(
            month=formats.month(MONTH), contacts=len(PEOPLE), sent=sent, messages=count, confirmed=count - lost
        )
    )
    layout.table([happened(person) for person in PEOPLE], words.EXAMPLE_ALT)
    names = {(one.metric, one.definition): one for one in listed}
    known = [answer for answer in ANSWERS if (answer.metric, answer.definition) in names]
    layout.table(
        [arithmetic(answer, names[answer.metric, answer.definition]) for answer in known],
        words.ANSWERS_ALT,
    )
    st.caption(words.TESTED)


def happened(person: Person) -> dict[str, str]:
    """One contact of the example in words."""
    unconfirmed = words.UNCONFIRMED if person.campaigns and not person.is_confirmed else ""
    acts = [f"{act.at.day} {act.at:%b %H:%M}: {act.words}" for act in person.acts]
    return {
        heads.CONTACT: person.name,
        heads.WAS_SENT: (", ".join(person.campaigns) or words.NOTHING_SENT) + unconfirmed,
        heads.DID: "; ".join(acts) or words.STAYS,
    }


def arithmetic(answer: Answer, one: Definition) -> dict[str, str]:
    """What a definition makes of the example."""
    name = texts.plain(one.name)
    value = formats.share(answer.numerator / answer.denominator)
    opt_outs = sum(act.event_type == "opt_out" for person in PEOPLE for act in person.acts)
    left_out = (
        ""
        if answer.unattributed is None
        else words.LEFT_OUT.format(unattributed=answer.unattributed, opt_outs=opt_outs)
    )
    return {
        heads.DEFINITION: f"**{name}**" if one.is_own else name,
        heads.RESULT: f"{answer.numerator} / {answer.denominator} = **{value}**".replace(" ", formats.GAP),
        heads.BECAUSE: f"{answer.why}{left_out}",
    }


def percent(value: float | None) -> str:
    """A ratio to two digits: rates per message are small, and it is their differences that matter here."""
    return formats.MISSING if value is None else f"{value * 100:.2f}{formats.GAP}%"


def between(lower: float | None, upper: float | None) -> str:
    """A 95 % interval as finely, never broken over lines."""
    if lower is None or upper is None:
        return formats.MISSING
    return f"{lower * 100:.2f}–{formats.JOINER}{percent(upper)}"


def show_sources(listed: list[Definition]) -> None:
    """What each definition counts, and where that is written."""
    st.header(words.SOURCES, anchor=False)
    for one in listed:
        with st.expander(texts.plain(one.name)):
            st.markdown(definitions.caption(one))
            link = (
                f"[{texts.plain(one.source)}](<{one.source}>)"
                if one.source.startswith("https://")
                else f"`{one.source}`"
            )
            checked = words.CHECKED.format(on=one.checked_on) if one.checked_on else ""
            grade = words.GRADES.get(one.grade, one.grade)
            if one.source:
                st.caption(words.SOURCE.format(note=texts.plain(one.note), link=link, grade=grade, checked=checked))


show()
