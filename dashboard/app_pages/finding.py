"""What happened here, and how do we know? One finding: in words, its rule, the records, their files, and its SQL."""

from __future__ import annotations

import re
from typing import Any

import pandas
import streamlit as st

from dashboard import access, charts, finding_evidence, layout, replay, snapshot
from dashboard.charts import Mark
from dashboard.finding_evidence import Evidence
from dashboard.words import finding as words
from dashboard.words import finding_story, formats, heads, rule_texts, texts

Row = dict[str, Any]
#: Where the list of findings keeps the ids it shows, and the address it was read at.
LIST, LINK = "findings_shown", "findings_link"
SQL_HEIGHT = 420


def show() -> None:
    """Draw the page."""
    findings = texts.PAGES["findings"]
    st.page_link(
        findings.file, label=words.BACK, icon=":material/arrow_back:",
        query_params=st.session_state.get(LINK, {}),
    )  # fmt: skip
    layout.header("finding")
    if "finding_id" not in snapshot.columns("audits.findings"):
        layout.older(words.OLDER)
        layout.footer()
        return
    finding_id = str(st.query_params.get("finding_id", "")).strip().lower()
    st.session_state["finding_id"] = finding_id  # the page takes it from the address, as a widget would
    evidence = finding_evidence.read(finding_id) if re.fullmatch(r"[0-9a-f]{16}", finding_id) else None
    if evidence is None:
        ask(bool(finding_id))
        layout.footer()
        return
    if evidence.finding["contact_key"] is not None:
        access.view_contact(evidence.finding["contact_key"], "finding")
    show_neighbours(finding_id)
    show_words(evidence)
    show_facts(evidence)
    show_rule(evidence)
    if evidence.finding["contact_key"] is not None:
        show_around(evidence)
    show_lineage(evidence)
    show_sql(evidence)
    layout.footer(words.FINDING_OF.format(id=finding_id))


def ask(is_wrong: bool) -> None:
    """No finding, or none of that id: how to come to one."""
    title, body = (words.NOT_FOUND, words.NOT_FOUND_BODY) if is_wrong else (words.NONE_CHOSEN, words.NONE_CHOSEN_BODY)
    layout.empty(title, body, icon=":material/search:")
    text = st.text_input(words.ID, max_chars=16, width=260, key="finding_asked_for")
    if text:
        st.query_params["finding_id"] = text
        st.rerun()


def show_neighbours(finding_id: str) -> None:
    """The findings before and after it on the page of the list that the reader came from."""
    listed: list[str] = st.session_state.get(LIST, [])
    if finding_id not in listed:
        return
    place = listed.index(finding_id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for label, icon, other in (
            (words.PREVIOUS, ":material/chevron_left:", place - 1), (words.NEXT, ":material/chevron_right:", place + 1),
        ):  # fmt: skip
            is_there = 0 <= other < len(listed)
            st.button(
                label, icon=icon, type="tertiary", disabled=not is_there, key=f"go_{label.lower()}",
                on_click=go, args=(listed[other] if is_there else finding_id,),
            )  # fmt: skip
        st.caption(words.PLACE_IN_LIST.format(place=place + 1, findings=len(listed)))


def go(finding_id: str) -> None:
    """Show another finding: the address says which."""
    st.query_params["finding_id"] = finding_id


def show_words(evidence: Evidence) -> None:
    """The class and its weight, then what happened, in sentences."""
    finding = evidence.finding
    name = rule_texts.class_name(finding["rule"], finding["finding_class"])
    waived = words.WAIVED_BADGE if finding["waived_by"] else ""
    st.header(f"{texts.plain(name)} {layout.severity_badge(finding['severity'])}{waived}", anchor=False)
    first, *more = finding_story.happened(finding, evidence.known)
    st.markdown(f"**{first}**" + (f" {' '.join(more)}" if more else ""))
    if finding["waived_by"]:
        waiver = evidence.waiver or {}
        why = texts.plain(rule_texts.without_addresses(waiver.get("reason")))
        until = words.UNTIL.format(until=formats.day(waiver["until"])) if waiver.get("until") else ""
        st.markdown(
            words.WAIVED.format(who=texts.plain(finding["waived_by"]), until=until, why=f": {why}" if why else "")
        )
    elif finding["severity"] in ("critical", "high"):
        st.markdown(words.COUNTS)


def show_facts(evidence: Evidence) -> None:
    """What the list says of it, and the span that it cites."""
    finding, span = evidence.finding, evidence.known.span
    left = [
        *(
            [words.CONTACT.format(contact=texts.plain(finding["contact_masked"]))]
            if finding["contact_key"] is not None
            else []
        ),
        words.CHANNEL.format(channel=texts.channel(finding["channel"])),
        *([words.PROGRAM.format(program=texts.plain(texts.program(finding["program"])))] if finding["program"] else []),
        *([words.CAMPAIGN.format(campaign=texts.plain(finding["campaign_id"]))] if finding["campaign_id"] else []),
        *([words.WHERE.format(where=where(finding))] if finding["jurisdiction"] else []),
        words.SOURCE.format(source=texts.plain(finding["source"])),
        *([words.MESSAGE.format(message=texts.plain(finding["message_id"]))] if finding["message_id"] else []),
        *([words.EVENT.format(event=texts.plain(finding["event_id"]))] if finding["event_id"] else []),
    ]
    with st.grid(2, min_column_width=300, gap="medium"):
        with st.container(border=True, height="stretch"):
            st.markdown("  \n".join(left))
        if span:
            with st.container(border=True, height="stretch"):
                st.markdown("  \n".join(finding_story.span_told(span, snapshot.citations())))


def where(finding: Row) -> str:
    """Whose rules apply to the contact, and how well that is known."""
    certainty = rule_texts.CERTAINTY.get(finding["jurisdiction_certainty"] or "", "")
    return texts.plain(rule_texts.place(finding["jurisdiction"])) + (f", {certainty}" if certainty else "")


def show_rule(evidence: Evidence) -> None:
    """The rule as its file says it, the row of law, and what to do."""
    finding, rule, law = evidence.finding, evidence.rule, evidence.law
    name = rule_texts.audit_name(finding["rule"])
    st.header(words.RULE, anchor=False)
    with st.container(border=True, gap="small"):
        parts = [(heads.RULE, rule.get("says")), (heads.WHY, rule.get("why")), (heads.WHAT_TO_DO, rule.get("remedy"))]
        st.markdown(f"**{texts.plain(name)}** · `{finding['rule']}`")
        told = [f"**{label}.** {texts.plain(said[:1].upper() + said[1:])}" for label, said in parts if said]
        st.markdown("\n\n".join(told))
        if law:
            cited = rule_texts.link(law["citation"], law["source_url"])
            said = f" {texts.plain(law['in_words'])}" if law["in_words"] else ""
            st.markdown(words.JUDGED_BY.format(law=cited, said=said, grade=texts.plain(rule_texts.grade(law["grade"]))))
        elif finding["deadline_at"]:
            st.markdown(words.OWN_POLICY)
        page = texts.PAGES["rules"]
        st.page_link(page.file, label=words.READ_RULE, icon=page.icon, query_params={"rule": name})
    st.caption(rule_texts.NOT_ADVICE)


def show_around(evidence: Evidence) -> None:
    """The contact's records 30 days before and after, drawn and listed, and the way to all of them."""
    finding, span = evidence.finding, evidence.known.span
    events, is_cut = finding_evidence.around(finding)
    st.header(words.AROUND, anchor=False)
    first = finding["occurred_at"] - finding_evidence.AROUND
    # Nothing is known of the time after the data's end: no bar reaches into it.
    last = min(finding["occurred_at"] + finding_evidence.AROUND, snapshot.published().as_of)
    bars, lines = [], [(finding["occurred_at"], words.THIS_FINDING)]
    if span:
        bars = [bar(span, first, last)] if (span["ends_at"] or last) > first else []
        lines += [
            (at, label) for at, label in ((span["processed_at"], words.APPLIED), (span["deadline_at"], words.DEADLINE))
            if at and first <= at <= last and at != finding["occurred_at"]
        ]  # fmt: skip
    marks = [
        Mark(
            event["occurred_at"], words.LANES[event["kind"]],
            f"{texts.what_happened(event['what'])}, {formats.instant(event['occurred_at'])}",
            event["is_violation"], event["kind"] == "message",
        )
        for event in events
    ]  # fmt: skip
    alt = words.AROUND_ALT.format(at=formats.instant(finding["occurred_at"]), records=formats.Counted(len(events)))
    table = pandas.DataFrame([listed(event, finding) for event in events])
    if bars or marks:
        layout.chart(charts.timeline(bars, marks, lines), alt, table, COLUMNS)
    else:
        st.markdown(words.NOTHING_AROUND)
    if is_cut:
        st.caption(words.NEAREST.format(shown=formats.count(finding_evidence.MOST_EVENTS)))
    page = texts.PAGES["contact"]
    key = f"{finding['contact_key'] & ((1 << 64) - 1):016x}"
    st.page_link(page.file, label=words.EVERYTHING, icon=page.icon, query_params={"contact": key})


COLUMNS = {heads.WHEN_UTC: st.column_config.DatetimeColumn(format=formats.SECONDS_SHOWN)}


def bar(span: Row, first: Any, last: Any) -> tuple[Any, Any, str, str]:
    """The part of a span that lies within what is drawn."""
    name = words.BLOCK_SPAN if span["kind"] == "block" else words.OPT_OUT_SPAN
    begins, ends = max(span["begins_at"], first), min(span["ends_at"] or last, last)
    note = words.SPAN_FROM.format(name=name, begins_at=formats.instant(span["begins_at"]))
    return begins, max(begins, ends), name, note


def listed(event: Row, finding: Row) -> Row:
    """A record as a row of the table behind the timeline."""
    is_it = event["record_id"] == (finding["message_id"] or finding["event_id"])
    return {
        heads.WHEN_UTC: event["occurred_at"],
        heads.WHAT: texts.what_happened(event["what"]),
        heads.CHANNEL: texts.channel(event["channel"]),
        heads.STATUS: texts.humanise(event["status"] or ""),
        heads.FOUND: heads.THIS_FINDING if is_it else heads.VIOLATION if event["is_violation"] else "",
        heads.RECORD: event["record_id"],
    }


def show_lineage(evidence: Evidence) -> None:
    """Where each record came from, to the file, the row and its bytes, and how to check that by hand."""
    st.header(words.LINEAGE, anchor=False)
    if not evidence.records:
        st.markdown(
            words.CAMPAIGNS_TABLE if evidence.finding["contact_key"] is None
            else words.NO_RECORD
        )  # fmt: skip
        return
    st.markdown("\n".join(origin(row) for row in evidence.records))
    commands = finding_evidence.commands(evidence.records)
    if commands:
        with st.expander(words.BY_HAND):
            st.markdown(words.BY_HAND_HOW)
            st.code(commands, language="bash", wrap_lines=True)


def origin(row: Row) -> str:
    """A record as an item: what it is, then its file and row, the file's SHA-256, and its load."""
    file = f"`{row['file'].replace('`', '')}`" if row["file"] else words.UNKNOWN_FILE
    place = words.FILE_ROW.format(file=file, row=formats.count(row["row_number"]))
    return words.ORIGIN.format(
        what=texts.what_happened(row["what"]),
        at=formats.instant(row["occurred_at"]),
        place=place,
        sha256=row["sha256"] or formats.MISSING,
        loaded=formats.instant(row["loaded_at"]),
        load=texts.plain(row["load_id"]),
    )


def show_sql(evidence: Evidence) -> None:
    """The SQL that found it, and a button that runs it again."""
    st.header(words.SQL, anchor=False)
    published = snapshot.published()
    if not evidence.rule.get("sql") or not snapshot.has("core.messages"):
        layout.older(words.NO_REPLAY)
        return
    finding = evidence.finding
    key = f"replay {published.run_id} {finding['finding_id']}"
    if st.button(words.REPLAY, icon=":material/replay:", help=words.REPLAY_HELP, key="replay"):
        with st.spinner(words.RUNNING):
            st.session_state[key] = replay.replay(published, finding)
    if key in st.session_state:
        show_result(st.session_state[key], finding)
    st.code(evidence.rule["sql"], language="sql", height=SQL_HEIGHT)
    st.caption(words.SQL_USED.format(rule=finding["rule"], run=published.run_id))


def show_result(result: replay.Replay, finding: Row) -> None:
    """What came of it, in words, and the row it gave beside the one that was published."""
    told = words.replayed(result, finding)
    if result.is_same and result.again_count == result.published_count and not result.other_count:
        st.success(told, icon=":material/check_circle:")
    else:
        st.error(told, icon=":material/error:")
    if result.found is not None:
        rows = [
            {heads.COLUMN: name, heads.AS_PUBLISHED: shown(finding[name]), heads.NOW: shown(value)}
            for name, value in result.found.items()
        ]
        with st.expander(words.ROW_GIVEN):
            layout.frame(pandas.DataFrame(rows), words.THEN_AND_NOW)


def shown(value: Any) -> str:
    """A value of a finding as text."""
    return "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)


show()
