"""What did we report then, and what do we know now? Two kept snapshots side by side, and the loads between them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas
import streamlit as st

from dashboard import charts, filters, layout, restating, snapshot
from dashboard.charts import Share
from dashboard.restating import RestatingError
from dashboard.words import formats, heads, rule_texts, texts
from dashboard.words import restated as words

HISTORY = "select run_id, as_of, started_at from run.history"
SHOWN = 500
NUMBER = st.column_config.NumberColumn


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("restated", chosen)
    home = snapshot.home()
    assert home is not None
    runs = restating.kept(home)
    if len(runs) < 2:
        layout.empty(words.ONE_SNAPSHOT, words.KEEP, snapshot.command_for("run"), icon=":material/difference:")
        layout.footer()
        return
    then, now = choose(runs)
    only = ("--channel", chosen.channel) if chosen.channel else ()
    try:
        with st.spinner(words.COMPARING):
            compared = restating.compare(home, then, now, "--rows", str(SHOWN), *only)
            rates = restating.compare(
                home, then, now, "--metric", "opt_out_rate", "--definition", "heed", "--grain", "month",
                "--channel", chosen.channel_or_all, "--all-rows",
            )  # fmt: skip
    except RestatingError as error:
        st.error(texts.plain(str(error)), icon=":material/error:")
        layout.footer()
        return
    show_answer(compared)
    show_headline(compared["headline"])
    show_rates(rates["numbers"])
    show_causes(compared)
    show_numbers(compared)
    show_findings(compared)
    show_way_out(then, now, *only)
    layout.footer()


def choose(runs: Sequence[str]) -> tuple[str, str]:
    """The two runs to compare, the earlier first: unless others are chosen, the newest and the one before it."""
    history = {row["run_id"]: row for row in snapshot.rows(HISTORY)}

    def label(run_id: str) -> str:
        row = history.get(run_id)
        return (
            words.RUN.format(as_of=formats.instant(row["as_of"]), run=run_id[:8], tail=run_id[9:13]) if row else run_id
        )

    current = snapshot.published().run_id
    newest = runs.index(current) if current in runs else 0
    left, right = st.columns(2)
    then = left.selectbox(
        words.THEN, runs, index=min(newest + 1, len(runs) - 1), format_func=label, key="then", bind="query-params"
    )
    now = right.selectbox(words.NOW, runs, index=newest, format_func=label, key="now", bind="query-params")
    return then, now


def show_answer(compared: dict[str, Any]) -> None:
    """How much of what was reported is otherwise now, and whether it can be explained."""
    counts = compared["counts"]
    until = formats.instant(instant(compared["then"]["as_of"]))
    if counts["restated"]:
        late = counts["late_records"]
        said = words.RESTATED.format(
            numbers=formats.Counted(counts["restated"]),
            until=until,
            late=formats.count(late),
        )
    else:
        said = words.STANDS.format(until=until)
    rest = [
        f"{formats.count(counts[name])} {told}"
        for name, told in (
            ("not_over_then", words.NOT_OVER_THEN), ("only_now", words.ONLY_NOW),
            ("only_then", words.ONLY_THEN), ("same", words.SAME),
        ) if counts[name]
    ]  # fmt: skip
    others = words.OTHERS.format(others=", ".join(rest)) if rest else ""
    st.markdown(f"{said} {texts.plain(others)}")
    if counts["unexplained"]:
        st.warning(
            words.UNEXPLAINED.format(changes=formats.Counted(counts["unexplained"])),
            icon=":material/help:",
        )
    verdicts = compared["then"]["verdict"], compared["now"]["verdict"]
    badges = words.VERDICT_THEN.join(layout.verdict_badge(verdict) for verdict in verdicts)
    st.markdown(words.VERDICT.format(badges=badges))
    st.caption(words.WHAT_IT_IS)


def show_headline(rows: Sequence[dict[str, Any]]) -> None:
    """The first page's numbers of then, and what is known of the same month now."""
    for column, row in zip(st.columns(max(len(rows), 1)), rows, strict=False):
        with column:
            if row["unit"] is None:
                layout.card(row["label"], str(row["now"]), texts.plain(row["now_period"]), row["then"])
            else:
                period = texts.plain(row["then_period"])
                layout.card(
                    row["label"], number(row["value_now"], row["unit"]), words.AS_KNOWN_NOW.format(period=period),
                    number(row["value_then"], row["unit"]),
                )  # fmt: skip


def show_rates(rows: Sequence[dict[str, Any]]) -> None:
    """The opt-out rate by month, as reported then and as known now."""
    months = sorted(
        (row for row in rows if row["program"] == row["campaign_id"] == row["reason"] == "*"),
        key=lambda row: str(row["period_start"]),
    )
    if not any(row["value_now"] is not None for row in months):
        return
    st.header(words.RATES, anchor=False)
    shares = {side: [share(row, side) for row in months] for side in ("now", "then")}
    changed = [row for row in months if row["change"] == "changed"]
    reported = [one for one in shares["then"] if one.value is not None]
    figure = charts.share_bars(shares["now"], before=reported, names=(words.NOW, words.THEN))
    table = pandas.DataFrame([
        {
            heads.MONTH: formats.month(date.fromisoformat(row["period_start"])),
            heads.THEN: written(row, "then"), heads.NOW: written(row, "now"), heads.WHY: why(row),
        }
        for row in months
    ])  # fmt: skip
    alt = words.RATES_ALT.format(months=formats.Counted(len(months)), changed=formats.count(len(changed)))
    layout.chart(figure, alt, table)


def share(row: dict[str, Any], side: str) -> Share:
    """One month of one side."""
    month = formats.month(date.fromisoformat(row["period_start"]))
    name = words.KNOWN_NOW if side == "now" else words.REPORTED_THEN
    note = f"{month}, {name}: {written(row, side)}, {formats.interval(row[f'lower_{side}'], row[f'upper_{side}'])}"
    return Share(month, row[f"value_{side}"], row[f"lower_{side}"], row[f"upper_{side}"], note)


def show_causes(compared: dict[str, Any]) -> None:
    """What lies between the two runs: loads, late opt-outs, settings, rules, waivers."""
    st.header(words.CAUSES_HEAD, anchor=False)
    causes = [texts.plain(row["what"]) for row in compared["causes"]]
    st.markdown("\n".join(f"- {cause[:1].upper()}{cause[1:]}" for cause in causes) or words.NO_CAUSE)
    late = compared["late_opt_outs"]
    if late:
        count = sum(row["opt_out_count"] for row in late)
        st.markdown(words.LATE.format(opt_outs=formats.Counted(count)))
        lines = [
            {
                heads.ASKED_FOR_IN: formats.month(date.fromisoformat(row["month"])),
                heads.CHANNEL: texts.channel(row["channel"]), heads.WHAT: texts.what_happened(row["event_type"]),
                heads.COUNT: row["opt_out_count"], heads.LOADED_WITH: texts.plain(row["file"].rpartition("/")[2]),
            }
            for row in late
        ]  # fmt: skip
        layout.table(lines, words.LATE_ALT, {heads.COUNT: formats.count})
    if compared["loads"]:
        st.markdown(words.LOADS_HEAD)
        layout.frame(
            pandas.DataFrame([{**row, "change": words.LOADS[row["change"]]} for row in compared["loads"]]),
            words.LOADS_ALT,
            column_order=(
                "change", "file", "source", "record_count", "late_count", "late_opt_out_count", "sha256", "load_id",
            ),
            columns={
                "change": heads.LOAD, "file": heads.FILE, "source": heads.SOURCE,
                "record_count": NUMBER(heads.RECORDS, format="localized", help=words.MORE_NOW),
                "late_count": NUMBER(heads.LATE_RECORDS, format="localized", help=words.OF_BEFORE),
                "late_opt_out_count": NUMBER(heads.LATE_OPT_OUTS, format="localized"),
                "sha256": heads.SHA256, "load_id": heads.LOAD_ID,
            },
        )  # fmt: skip
    settings = [
        f"- {texts.plain(texts.humanise(row['name']))}: {setting(row['then'])} → {setting(row['now'])}"
        for row in compared["parameters"]
    ]
    settings += [
        words.RULE.format(
            rule=texts.plain(row["rule_id"]), change=row["change"].replace("_", " "), what=texts.plain(row["what"])
        )
        for row in compared["rules"]
    ]
    settings += [
        words.WAIVER.format(
            change=row["change"], rule=texts.plain(rule_texts.audit_name(row["rule"])), who=texts.plain(row["who"])
        )
        for row in compared["waivers"]
    ]
    if settings:
        with st.expander(words.SETTINGS.format(settings=len(settings))):
            st.markdown("\n".join(settings))
    for sentence in compared["left_out"]:
        st.caption(words.LEFT_OUT.format(sentence=texts.plain(sentence)))


def setting(value: Any) -> str:
    """A setting's value as text."""
    return formats.MISSING if value is None else texts.plain(str(value))


def show_numbers(compared: dict[str, Any]) -> None:
    """Every number that differs, the restated ones first."""
    rows = compared["numbers"]
    if not rows:
        return
    st.header(words.NUMBERS, anchor=False)
    table = pandas.DataFrame([
        {
            heads.RESTATED: texts.YES if row["is_restated"] else texts.NO,
            heads.NUMBER: texts.humanise(row["metric"]), heads.DEFINITION: row["definition"],
            heads.PERIOD: period(row), heads.CHANNEL: texts.channel(row["channel"]), heads.PROGRAM: row["program"],
            heads.CAMPAIGN: row["campaign_id"], heads.REASON: row["reason"], heads.THEN: written(row, "then"),
            heads.NOW: written(row, "now"), heads.WHY: why(row), heads.LOADS: len(row["loads"]),
        }
        for row in rows
    ])  # fmt: skip
    layout.frame(table, words.NUMBERS_ALT)
    if compared["numbers_left_out"]:
        st.caption(words.MORE_NUMBERS.format(more_numbers=formats.Counted(compared["numbers_left_out"])))


def show_findings(compared: dict[str, Any]) -> None:
    """Findings that came, went or changed class, and verdicts that changed."""
    lines = [
        {
            heads.RULE: texts.plain(rule_texts.audit_name(row["rule"])),
            heads.CLASS: texts.plain(texts.humanise(row["finding_class"])), heads.THEN: row["then_count"],
            heads.NOW: row["now_count"], heads.NEW: row["new_count"], heads.GONE: row["gone_count"],
            heads.FROM_ANOTHER_CLASS: row["from_other_class_count"],
        }
        for row in compared["findings"]
        if row["new_count"] or row["gone_count"] or row["from_other_class_count"] or row["to_other_class_count"]
    ]  # fmt: skip
    if lines:
        st.header(words.FINDINGS, anchor=False)
        counted = (heads.THEN, heads.NOW, heads.NEW, heads.GONE, heads.FROM_ANOTHER_CLASS)
        layout.table(lines, words.FINDINGS_ALT, dict.fromkeys(counted, formats.count))
    verdicts = [
        {
            heads.MONTH: formats.month(date.fromisoformat(row["period_start"]))
            if row["period_start"] else texts.ALL_PERIODS,
            heads.CHANNEL: texts.channel(row["channel"]),
            heads.SOURCE: words.EVERY_SOURCE if row["source"] == "*" else texts.plain(row["source"]),
            heads.THEN: row["verdict_then"] or formats.MISSING, heads.NOW: row["verdict_now"] or formats.MISSING,
        }
        for row in compared["verdicts"]
        if row["verdict_then"] != row["verdict_now"] and row["verdict_then"]
    ]  # fmt: skip
    if verdicts:
        st.header(words.VERDICTS, anchor=False)
        layout.table(verdicts, words.VERDICTS_ALT)


def show_way_out(then: str, now: str, *options: str) -> None:
    """The command that prints all of it."""
    st.markdown(words.ALL_OF_IT)
    command = " ".join(["compare", then, now, *options, "--format csv"])
    st.code(snapshot.command_for(command), language=None, wrap_lines=True)


def instant(text: str | None) -> datetime | None:
    """An instant as the command prints it."""
    return datetime.fromisoformat(text) if text else None


def number(value: float | None, unit: str | None) -> str:
    """A number in its unit."""
    if unit == "share":
        return formats.share(value)
    if unit == "seconds":
        return formats.duration(value)
    return formats.MISSING if value is None else f"{value:,.6g}"


def written(row: dict[str, Any], side: str) -> str:
    """A number of one side with what it was counted from."""
    text = number(row[f"value_{side}"], row["unit"])
    over, under = row[f"numerator_{side}"], row[f"denominator_{side}"]
    return text if over is None or under is None else f"{text} ({formats.part(over, under)})"


def why(row: dict[str, Any]) -> str:
    """The causes of a change, in words."""
    return ", ".join(words.CAUSES.get(name, texts.humanise(name)) for name in row["why"])


def period(row: dict[str, Any]) -> str:
    """A number's period in words."""
    if row["period_start"] is None:
        return texts.ALL_PERIODS
    start = date.fromisoformat(row["period_start"])
    if row["grain"] == "month":
        return formats.month(start)
    return (
        formats.day(start)
        if row["grain"] == "day"
        else words.GRAIN_OF.format(grain=texts.humanise(row["grain"]), start=formats.day(start))
    )


show()
