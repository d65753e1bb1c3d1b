"""Who on this list may be sent to? A list uploaded, judged by the record and the rules, and given back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

import pyarrow
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard import access, export, layout, screening, snapshot
from dashboard.screening import Screened, ScreeningError
from dashboard.words import access_texts, formats, heads, texts
from dashboard.words import screen as words

PROGRAMS = """
select distinct program from (
    select program from metrics.measurements union all select program from core.opt_out_spans
) where program <> '*' and program <> 'default' order by program
"""
REPORT_TIMEZONE = "select report_timezone from run.parameters"
SHOWN = 1_000


def show() -> None:
    """Draw the page."""
    layout.header("screen")
    if not snapshot.has("core.place_zones"):
        layout.older(words.OLDER)
        layout.footer()
        return
    asked = ask()
    run_id = snapshot.published().run_id
    if asked is not None:
        st.session_state.pop(access.SCREENED, None)
        try:
            with st.spinner(words.SCREENING):
                # A click on a table or a file draws the page again: the answer stays until the page is left.
                st.session_state[access.SCREENED] = run_id, run(asked), asked["file"].name
        except ScreeningError as error:
            st.error(texts.plain(str(error)), icon=":material/error:")
    answered_on, screened, name = st.session_state.get(access.SCREENED, (None, None, ""))
    if screened is not None and answered_on == run_id:
        show_answer(screened)
        show_reasons(screened)
        show_downloads(screened, name)
        show_refused(screened)
    layout.footer()


def ask() -> dict[str, Any] | None:
    """The form; what was filled in once it is sent off, else None."""
    report_timezone = (snapshot.one(REPORT_TIMEZONE) or {}).get("report_timezone")
    zones = sorted(available_timezones())
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with st.form("screen"):
        file = st.file_uploader(
            words.FILE,
            type=[*screening.FORMATS, "gz"], key="list", help=words.KEPT,
        )  # fmt: skip
        left, right = st.columns(2)
        channel = left.selectbox(
            words.CHANNEL,
            [name for name in texts.CHANNELS if name != "*"],
            format_func=texts.channel,
            key="send_channel",
        )
        program = right.selectbox(
            words.PROGRAM, ["default", *(row["program"] for row in snapshot.rows(PROGRAMS))],
            accept_new_options=True, key="send_program", help=words.PROGRAM_HELP,
        )  # fmt: skip
        day, clock, place = st.columns(3)
        on_date = day.date_input(words.DAY, tomorrow.date(), key="send_day")
        at_time = clock.time_input(
            words.TIME, tomorrow.time().replace(hour=10, minute=0, second=0, microsecond=0), key="send_time"
        )
        zone = place.selectbox(
            words.TIME_ZONE,
            zones,
            index=zones.index(report_timezone if report_timezone in zones else "UTC"),
            key="send_zone",
        )
        with st.expander(words.MORE):
            column = st.text_input(words.COLUMN, key="column", help=words.COLUMN_HELP)
            require = st.checkbox(words.REQUIRE_CONSENT, key="require_consent")
            strict = st.checkbox(words.STRICT_TIME, key="strict_time")
        sent = st.form_submit_button(words.SCREEN, type="primary", icon=":material/checklist:")
    if not sent:
        return None
    if file is None:
        st.warning(words.NO_LIST, icon=":material/upload_file:")
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
        words.ANSWER.format(sendable=formats.count(counts["sendable"]), rows=formats.Counted(counts["read"]), at=at),
        anchor=False,
    )
    for note in counts["notes"]:
        st.warning(texts.plain(note), icon=":material/info:")


def show_reasons(screened: Screened) -> None:
    """The refused rows counted by reason, each in words."""
    lines = [
        {
            heads.REASON: f"**{words.REASONS[reason][0]}**",
            heads.WHAT_IT_MEANS: words.REASONS[reason][1],
            heads.ROWS: count,
        }
        for reason, count in screened.counts["by_reason"].items()
    ]
    if lines:
        layout.table(lines, words.REASONS_ALT, {heads.ROWS: formats.count})
    else:
        st.markdown(words.NOBODY)


def show_downloads(screened: Screened, name: str) -> None:
    """The way out: the clean list in its own format, and the refused rows."""
    stem, _, ending = name.removesuffix(".gz").rpartition(".")
    with st.container(horizontal=True):
        st.download_button(
            words.CLEAN, access.on_demand("clean_list", screened.counts["sendable"], lambda: screened.sendable),
            f"{stem}-clean.{ending}", "application/octet-stream",
            icon=":material/download:", type="primary", on_click="ignore", key="clean",
        )  # fmt: skip
        refused = for_reader(screened.refused)
        if refused.num_rows:
            st.download_button(
                words.REFUSED_CSV,
                access.on_demand("refused_rows", refused.num_rows, lambda: export.to_csv(refused)),
                f"{stem}-refused.csv", "text/csv", icon=":material/download:", on_click="ignore", key="refused",
            )  # fmt: skip
    st.caption(words.AS_THEY_WERE.format(kept=words.KEPT))


def for_reader(refused: pyarrow.Table) -> pyarrow.Table:
    """The refused rows as the reader may see them: who may not see contacts gets row numbers, reasons and laws."""
    return refused if access.may("see_contacts") else refused.select(["row_number", "reason", "rule"])


def show_refused(screened: Screened) -> None:
    """Who is refused and on what evidence; row numbers and masks, no addresses."""
    if not screened.refused.num_rows:
        return
    table = for_reader(screened.refused.slice(0, SHOWN)).to_pandas()
    citations = snapshot.citations()
    table["reason"] = [words.REASONS[reason][0] for reason in table["reason"]]
    table["rule"] = [citations.get(rule, "") for rule in table["rule"]]
    layout.frame(
        table[[name for name in ("row_number", "contact_masked", "reason", "evidence", "rule") if name in table]],
        words.REFUSED_ALT,
        {
            "row_number": st.column_config.NumberColumn(heads.ROW, help=words.ROW_HELP),
            "contact_masked": heads.CONTACT, "reason": heads.REASON,
            "evidence": st.column_config.TextColumn(heads.EVIDENCE, width="large"), "rule": heads.LAW,
        },
    )  # fmt: skip
    if not access.may("see_contacts"):
        st.caption(access_texts.ROWS_ONLY)
    if screened.refused.num_rows > SHOWN:
        st.caption(words.FIRST_SHOWN.format(shown=formats.part(SHOWN, screened.refused.num_rows)))


show()
