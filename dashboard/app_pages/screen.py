"""Who on this list may be sent to? A list uploaded, judged by the record and the rules, and given back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

import pyarrow
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard import access, access_texts, export, formats, layout, screening, snapshot, texts
from dashboard.screening import Screened, ScreeningError

PROGRAMS = """
select distinct program from (
    select program from metrics.measurements union all select program from core.opt_out_spans
) where program <> '*' and program <> 'default' order by program
"""
REPORT_TIMEZONE = "select report_timezone from run.parameters"
SHOWN = 1_000
# What each reason means, for somebody who is about to send.
REASONS = {
    "unreadable_address": ("No usable address", "The row has no address that this channel can be sent to."),
    "duplicate": ("Listed twice", "An earlier row has the same address. Once is enough."),
    "opted_out": ("Opted out", "The contact opted out, complained or blocked you, and has not come back."),
    "pending_confirmation": ("Not confirmed", "The contact asked to join and never confirmed it."),
    "no_consent": ("No consent", "The law asks for consent here, and no opt-in is on record."),
    "quiet_hours": ("Quiet hours", "At that time it is too early or too late where the contact is."),
    "over_cap": ("Over the cap", "The contact would get more messages than are allowed in that time."),
}
KEPT = "Your file is read in memory, and neither it nor the clean list is stored or sent anywhere."


def show() -> None:
    """Draw the page."""
    layout.header("screen")
    if not snapshot.has("core.place_zones"):
        layout.older("screening")
        layout.footer()
        return
    asked = ask()
    if asked is not None:
        try:
            with st.spinner("Screening"):
                screened = run(asked)
        except ScreeningError as error:
            st.error(texts.plain(str(error)), icon=":material/error:")
        else:
            show_answer(screened)
            show_reasons(screened)
            show_downloads(screened, asked["file"].name)
            show_refused(screened)
    layout.footer()


def ask() -> dict[str, Any] | None:
    """The form; what was filled in once it is sent off, else None."""
    report_timezone = (snapshot.one(REPORT_TIMEZONE) or {}).get("report_timezone")
    zones = sorted(available_timezones())
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with st.form("screen"):
        file = st.file_uploader(
            "List (CSV, JSON Lines or Parquet, with a column of addresses)",
            type=[*screening.FORMATS, "gz"], key="list", help=KEPT,
        )  # fmt: skip
        left, right = st.columns(2)
        channel = left.selectbox(
            "Channel", [name for name in texts.CHANNELS if name != "*"], format_func=texts.channel, key="send_channel"
        )
        program = right.selectbox(
            "Program", ["default", *(row["program"] for row in snapshot.rows(PROGRAMS))],
            accept_new_options=True, key="send_program", help="The list, brand or topic that the message belongs to.",
        )  # fmt: skip
        day, clock, place = st.columns(3)
        on_date = day.date_input("Day", tomorrow.date(), key="send_day")
        at_time = clock.time_input(
            "Time", tomorrow.time().replace(hour=10, minute=0, second=0, microsecond=0), key="send_time"
        )
        zone = place.selectbox(
            "Time zone",
            zones,
            index=zones.index(report_timezone if report_timezone in zones else "UTC"),
            key="send_zone",
        )
        with st.expander("More"):
            column = st.text_input("Column of addresses", key="column", help="Empty: found by its name.")
            require = st.checkbox("Refuse everybody without an opt-in on record", key="require_consent")
            strict = st.checkbox(
                "Refuse where the time zone is not known and it may be too early or too late", key="strict_time"
            )
        sent = st.form_submit_button("Screen", type="primary", icon=":material/checklist:")
    if not sent:
        return None
    if file is None:
        st.warning("Choose a list first.", icon=":material/upload_file:")
        return None
    return {
        "file": file, "channel": channel, "program": program or "default", "day": on_date, "time": at_time,
        "zone": zone, "column": column.strip(), "require_consent": require, "strict_time": strict,
    }  # fmt: skip


def run(asked: dict[str, Any]) -> Screened:
    """Have the list screened."""
    file: UploadedFile = asked["file"]
    home = snapshot.home()
    assert home is not None
    at = screening.instant(asked["day"], asked["time"], asked["zone"])
    options = [f"--channel={asked['channel']}", f"--program={asked['program']}", f"--at={at.isoformat()}"]
    options += [f"--column={asked['column']}"] if asked["column"] else []
    options += ["--require-consent"] if asked["require_consent"] else []
    options += ["--strict-time"] if asked["strict_time"] else []
    return screening.screen(home, file.getvalue(), screening.file_format(file.name), *options)


def show_answer(screened: Screened) -> None:
    """How many may be sent to, and what the reader has to know about that."""
    counts = screened.counts
    at = formats.instant(datetime.fromisoformat(counts["at"]))
    st.header(
        f"{formats.count(counts['sendable'])} of {formats.plural(counts['read'], 'row')} may be sent to at {at}",
        anchor=False,
    )
    for note in counts["notes"]:
        st.warning(texts.plain(note), icon=":material/info:")


def show_reasons(screened: Screened) -> None:
    """The refused rows counted by reason, each in words."""
    lines = [
        {"Reason": f"**{REASONS[reason][0]}**", "What it means": REASONS[reason][1], "Rows": count}
        for reason, count in screened.counts["by_reason"].items()
    ]
    if lines:
        layout.table(lines, "Refused rows by reason", {"Rows": formats.count})
    else:
        st.markdown("Nobody is refused.")


def show_downloads(screened: Screened, name: str) -> None:
    """The way out: the clean list in its own format, and the refused rows."""
    stem, _, ending = name.removesuffix(".gz").rpartition(".")
    with st.container(horizontal=True):
        st.download_button(
            "Clean list", access.on_demand("clean_list", screened.counts["sendable"], lambda: screened.sendable),
            f"{stem}-clean.{ending}", "application/octet-stream",
            icon=":material/download:", type="primary", on_click="ignore", key="clean",
        )  # fmt: skip
        refused = for_reader(screened.refused)
        if refused.num_rows:
            st.download_button(
                "Refused rows as CSV",
                access.on_demand("refused_rows", refused.num_rows, lambda: export.to_csv(refused)),
                f"{stem}-refused.csv", "text/csv", icon=":material/download:", on_click="ignore", key="refused",
            )  # fmt: skip
    st.caption(f"{KEPT} The clean list holds the rows exactly as they were, in their order.")


def for_reader(refused: pyarrow.Table) -> pyarrow.Table:
    """The refused rows as the reader may see them: who may not see contacts gets row numbers, reasons and laws."""
    return refused if access.may("see_contacts") else refused.select(["row_number", "reason", "rule"])


def show_refused(screened: Screened) -> None:
    """Who is refused and on what evidence; row numbers and masks, no addresses."""
    if not screened.refused.num_rows:
        return
    table = for_reader(screened.refused.slice(0, SHOWN)).to_pandas()
    citations = snapshot.citations()
    table["reason"] = [REASONS[reason][0] for reason in table["reason"]]
    table["rule"] = [citations.get(rule, "") for rule in table["rule"]]
    st.dataframe(
        table[[name for name in ("row_number", "contact_masked", "reason", "evidence", "rule") if name in table]],
        hide_index=True, placeholder="", alt="Refused rows with the reason and the evidence",
        column_config={
            "row_number": st.column_config.NumberColumn("Row", help="The first row below the header is 1."),
            "contact_masked": "Contact", "reason": "Reason",
            "evidence": st.column_config.TextColumn("Evidence", width="large"), "rule": "Law",
        },
    )  # fmt: skip
    if not access.may("see_contacts"):
        st.caption(access_texts.ROWS_ONLY)
    if screened.refused.num_rows > SHOWN:
        st.caption(f"The first {formats.count(SHOWN)} of {formats.count(screened.refused.num_rows)}; the file has all.")


show()
