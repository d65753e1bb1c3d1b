"""What happened to this contact? Everything held about one, in time order: in words, drawn, listed, and on paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas
import streamlit as st

from dashboard import access, charts, contact_history, contact_records, contact_story, export, layout, snapshot
from dashboard.charts import Mark
from dashboard.contact_history import Held, NotReadError
from dashboard.contact_records import Record
from dashboard.words import contact as words
from dashboard.words import formats, heads, texts

AS_OF = "select as_of from run.parameters"
MARKS = 1_500
ROWS = 500
PRINTED = 2_000
TROUBLE = "contact_trouble"
PRINT_STYLE = Path(__file__).resolve().parent.parent / "printed.css"


def show() -> None:
    """Draw the page."""
    st.html(PRINT_STYLE)
    findings = texts.PAGES["findings"]
    st.page_link(findings.file, label=words.BACK, icon=":material/arrow_back:")
    layout.header("contact")
    ask()
    trouble = st.session_state.pop(TROUBLE, None)
    if trouble:
        layout.empty(
            words.NOT_LOOKED_UP, f"{texts.plain(trouble)}\n\n{words.KEY_STILL_WORKS}", icon=":material/key_off:"
        )
        return
    key = contact_history.as_key(st.query_params.get("contact"))
    if key is None:
        layout.empty(words.ASK, words.ASK_BODY, icon=":material/person_search:")
        return
    # The address was understood: linking asks the session what of it a page took.
    st.session_state["contact"] = contact_history.as_digits(key)
    access.view_contact(key)
    show_contact(key)


def ask() -> None:
    """The one field: what is typed into it becomes a key, and is gone."""
    with st.form("find", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            words.WHO, key="who", max_chars=320, width=340, help=words.WHO_HELP, autocomplete="off", type="search"
        )
        st.form_submit_button(words.SHOW, on_click=resolve, icon=":material/search:")


def resolve() -> None:
    """Put the key of what was typed into the page's address, and forget what was typed."""
    typed = str(st.session_state.get("who") or "").strip()
    st.session_state["who"] = ""
    try:
        access.choose()
    except access.NotKnownError:
        return  # the page run that follows says so
    home = snapshot.home()
    if not typed or home is None or not access.may_open("contact"):
        return
    key = contact_history.as_key(typed)
    if key is None:
        st.query_params.pop("contact", None)
        if not contact_history.is_here(home):
            st.session_state[TROUBLE] = words.NO_HISTORY_NO_ADDRESS
            return
        try:
            key = contact_history.look_up(home, typed).key
        except NotReadError as error:
            st.session_state[TROUBLE] = str(error)
            return
    st.query_params["contact"] = contact_history.as_digits(key)


def show_contact(key: int) -> None:
    """Everything about the contact of a key."""
    as_of = (snapshot.one(AS_OF) or {}).get("as_of")
    held, why = read_history(key)
    records = contact_records.from_history(held, as_of) if held else contact_records.from_snapshot(key)
    spans, found = contact_story.spans_of(key), contact_story.found_about(key)
    place = contact_story.place_of(key)
    if not records and not spans and not found:
        command = "" if held else snapshot.command_for("contact ADDRESS")
        body = words.NOTHING_IN_HISTORY if held else words.NOTHING_IN_SNAPSHOT
        layout.empty(words.NOTHING, body, command, icon=":material/person_off:")
        show_read(held)
        return
    is_printed = show_tools(key, records)
    masked = (held.masked if held else None) or (place or {}).get("contact_masked") or words.THIS_CONTACT
    show_answer(masked, key, records, spans, found)
    show_origin(held, why, records, as_of)
    show_story(key, place, found)
    show_chart(records, spans, as_of, is_printed=is_printed)
    if is_printed:
        show_paper(records)
    else:
        show_records(records)
    show_read(held)
    layout.footer()


def read_history(key: int) -> tuple[Held | None, str]:
    """What history holds about the contact; None and why where it cannot be read."""
    home = snapshot.home()
    assert home is not None
    if not contact_history.is_here(home):
        return None, words.NO_HISTORY
    try:
        with st.spinner(words.READING):
            return contact_history.about(home, key), ""
    except NotReadError as error:
        return None, words.HISTORY_FAILED.format(why=texts.plain(str(error)))


def show_tools(key: int, records: Sequence[Record]) -> bool:
    """The way out: two files and the print view; returns whether that is chosen."""
    name = f"contact-{contact_history.as_digits(key)}-{snapshot.published().run_id}"
    with st.container(horizontal=True, vertical_alignment="center", key="screen_only_tools"):
        if access.may_export("contact") and records:
            st.download_button(
                words.SAVE_CSV,
                access.on_demand(
                    "contact", len(records), lambda: export.to_csv(contact_records.exported(records)), contact_key=key
                ),
                f"{name}.csv", "text/csv", icon=":material/download:", on_click="ignore",
            )  # fmt: skip
            st.download_button(
                words.SAVE_PARQUET,
                access.on_demand(
                    "contact", len(records), lambda: export.to_parquet(contact_records.exported(records)),
                    contact_key=key,
                ),
                f"{name}.parquet", "application/vnd.apache.parquet", icon=":material/download:", on_click="ignore",
            )  # fmt: skip
        is_printed = st.toggle(words.PRINT_VIEW, key="print", bind="query-params", help=words.PRINT_HELP)
        if is_printed:
            st.caption(words.PRINT_NOW)
    return is_printed


def show_answer(
    masked: str, key: int, records: Sequence[Record], spans: list[dict[str, Any]], found: list[dict[str, Any]]
) -> None:
    """The story in sentences."""
    violations = sum(row["violation_count"] for row in found)
    messages = [one for one in contact_records.first_versions(records) if one.kind == "message"]
    verdict = words.VIOLATIONS.format(violations=formats.Counted(violations)) if violations else words.NO_VIOLATION
    st.markdown(
        words.ANSWER.format(
            contact=texts.plain(masked),
            messages=formats.Counted(len(messages)),
            verdict=verdict,
            key=contact_history.as_digits(key),
        )
    )
    cited = snapshot.citations()
    judged = [one for one in messages if one.is_judged]
    lines = [f"- {contact_story.span_words(span, judged, cited)}" for span in spans]
    st.markdown("\n".join(lines) or words.NEVER)


def show_origin(held: Held | None, why: str, records: Sequence[Record], as_of: datetime | None) -> None:
    """Which of this is from history and which from the snapshot, and what the one has that the other has not."""
    if held is None:
        st.warning(why, icon=":material/history_toggle_off:")
        return
    until = formats.instant(as_of)
    st.caption(words.FROM_HISTORY.format(run=snapshot.published().run_id, as_of=until))
    loads = len(held.load_ids - {row["load_id"] for row in snapshot.rows(contact_records.LOADS)})
    if loads:
        newer = sum(record.is_new_load for record in records)
        told = words.NEWER_LOADS.format(loads=formats.Counted(loads), records=formats.Counted(newer))
        st.warning(f"{told}\n\n`{snapshot.command_for('run')}`", icon=":material/update:")
    late = sum(not record.is_judged and not record.is_new_load for record in records)
    if late:
        st.info(words.NOT_JUDGED.format(records=formats.Counted(late), as_of=until), icon=":material/schedule:")


def show_story(key: int, place: dict[str, Any] | None, found: list[dict[str, Any]]) -> None:
    """Where the contact is, what was found, and what of it is waived."""
    if place is not None:
        st.markdown("\n".join(f"- {line}" for line in contact_story.place_words(place)))
    if found:
        lines = "\n".join(f"- {line}" for line in contact_story.found_words(found))
        st.markdown(words.FOUND.format(lines=lines))
    if any(row["waived_count"] for row in found):
        waivers = contact_story.waiver_words(key)
        if waivers:
            st.markdown(f"**{words.WAIVED}**\n\n" + "\n".join(f"- {line}" for line in waivers))


def drawn(records: Sequence[Record]) -> list[Record]:
    """The records that the chart has room for, oldest first: all that are no plain messages, then the newest."""
    timed = [record for record in contact_records.first_versions(records) if record.at]
    if len(timed) <= MARKS:
        return timed
    rank = sorted(
        timed, key=lambda one: (one.kind == "message" and not one.classes, -one.at.timestamp() if one.at else 0)
    )
    return sorted(rank[:MARKS], key=lambda one: one.at.timestamp() if one.at else 0)


def show_chart(
    records: Sequence[Record], spans: list[dict[str, Any]], as_of: datetime | None, *, is_printed: bool
) -> None:
    """Spans as bars, messages and consent events on them; on paper they are dark on white, whatever the theme."""
    marked = drawn(records)
    instants = [record.at for record in marked if record.at]
    if not instants and not spans:
        return
    last = max([*instants, *(span["begins_at"] for span in spans)])
    open_end = min(as_of or last, last + (last - min(instants)) / 4) if instants else last
    bars, lines = [], []
    for span in spans:
        ends = span["ends_at"] or max(open_end, span["begins_at"])
        name = words.BLOCK_SPAN if span["kind"] == "block" else words.OPT_OUT_SPAN
        name += f", {texts.channel(span['channel'])}" if len({one["channel"] for one in spans}) > 1 else ""
        note = words.SPAN_FROM.format(name=name, begins_at=formats.instant(span["begins_at"]))
        bars.append((span["begins_at"], ends, name, note))
        lines += [(span["processed_at"], words.APPLIED_LINE)] if span["processed_at"] else []
        if span["deadline_at"] and span["deadline_at"] <= ends:
            lines.append((span["deadline_at"], words.DEADLINE_LINE))
    channels = {record.channel for record in marked if record.kind == "message"}
    marks = [
        Mark(
            record.at,
            lane(record, len(channels)),
            f"{contact_records.what(record)}, {formats.instant(record.at)}",
            record.is_violation,
            record.kind == "message",
        )
        for record in marked
        if record.at
    ]
    figure = charts.timeline(bars, marks, lines)
    alt = words.TIMELINE.format(spans=formats.Counted(len(spans)), records=formats.Counted(len(marks)))
    if is_printed:
        figure.update_layout(template="plotly_white", paper_bgcolor="white", plot_bgcolor="white")
    st.plotly_chart(figure, theme=None if is_printed else "streamlit", config=charts.CONFIG, alt=alt)
    of_them = len([one for one in contact_records.first_versions(records) if one.at])
    if len(marks) < of_them:
        st.caption(words.CHART_CAPPED.format(drawn=formats.count(len(marks)), records=formats.Counted(of_them)))


def lane(record: Record, channels: int) -> str:
    """The lane of the chart that a record is in: messages have one for each channel."""
    if record.kind == "message" and channels > 1:
        return f"{words.LANES['message']}, {texts.channel(record.channel)}"
    return words.LANES.get(record.kind, texts.humanise(record.kind))


def show_records(records: Sequence[Record]) -> None:
    """Every record in time order, a page of them at a time, with what was found about it and where it came from."""
    if not records:
        return
    st.header(words.RECORDS, anchor=False)
    pages = math.ceil(len(records) / ROWS)
    # The newest are on the last page, as they are at the end of the story.
    page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    first = (page - 1) * ROWS
    part = records[first : first + ROWS]
    when = st.column_config.DatetimeColumn(format=formats.SECONDS_SHOWN)
    layout.frame(
        contact_records.shown(part), words.RECORDS_ALT,
        {
            heads.WHEN_UTC: when, heads.APPLIED_UTC: when, heads.FOUND: st.column_config.ListColumn(),
            heads.TEXT: st.column_config.TextColumn(width="medium"),
            heads.DETAILS: st.column_config.TextColumn(width="medium"),
        },
    )  # fmt: skip
    if pages > 1:
        st.caption(
            words.OLDEST_FIRST.format(first=first + 1, last=first + len(part), records=formats.Counted(len(records)))
        )
    with st.expander(words.FILES):
        layout.frame(pandas.DataFrame(contact_records.files_of(records)), words.FILES_ALT)


def show_paper(records: Sequence[Record]) -> None:
    """The records and their files as plain tables, which a printer draws whole."""
    st.header(words.RECORDS, anchor=False)
    part = records if len(records) <= PRINTED else list(reversed(records))[:PRINTED]
    if len(part) < len(records):
        st.markdown(words.PRINT_CAPPED.format(shown=formats.count(len(part)), records=formats.Counted(len(records))))
    lines = []
    for row in contact_records.shown(part).to_dict("records"):
        told = [
            row[heads.WHAT],
            row[heads.CHANNEL],
            row[heads.STATUS],
            row.get(heads.METHOD) or "",
            row.get(heads.CAMPAIGN) or "",
        ]
        lines.append(
            {
                heads.WHEN_UTC: f"{row[heads.WHEN_UTC]:%Y-%m-%d %H:%M:%S}"
                if row[heads.WHEN_UTC] == row[heads.WHEN_UTC]
                else "",
                heads.WHAT: texts.plain(", ".join(one for one in told if one)),
                heads.FOUND: texts.plain("; ".join(row[heads.FOUND])),
                heads.TEXT_AND_DETAILS: texts.plain(
                    "; ".join(filter(None, (row.get(heads.TEXT), row.get(heads.DETAILS))))
                ),
                heads.WHERE_FROM: texts.plain(
                    words.PLACE.format(
                        file=row[heads.FILE], row=row[heads.ROW], source=row[heads.SOURCE], record=row[heads.RECORD]
                    )
                ),
            }
        )
    with st.container(key="on_paper_records"):
        layout.table(lines, words.RECORDS_ALT)
    st.header(words.FILES, anchor=False)
    files = contact_records.files_of(records)
    with st.container(key="on_paper_files"):
        layout.table([{name: texts.plain(str(value)) for name, value in one.items()} for one in files], words.FILES_ALT)


def show_read(held: Held | None) -> None:
    """How much of history had to be read for it."""
    if held is None:
        return
    read = held.read
    megabytes = {name: f"{read[name] / 1e6:,.1f}{formats.GAP}MB" for name in ("bytes_read", "bytes_held")}
    groups = {name: formats.count(read[name]) for name in ("row_groups_read", "row_groups_held")}
    st.caption(words.READ.format(**megabytes, **groups))


show()
