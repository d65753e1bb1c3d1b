"""What did we report then, and what do we know now? Two kept snapshots side by side, and the loads between them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas
import streamlit as st

from dashboard import charts, filters, formats, layout, restating, rule_texts, snapshot, texts
from dashboard.charts import Share
from dashboard.restating import RestatingError

HISTORY = "select run_id, as_of, started_at from run.history"
SHOWN = 500
CAUSES = {
    "late_records": "records of that time came later",
    "new_records": "records after the data's end then",
    "other_records": "records of other days or channels, or of contacts or campaigns",
    "end_of_data": "the data's end moved",
    "policy": "the policy changed",
    "sources": "the settings of sources changed",
    "rules": "the rule book changed",
    "waivers": "waivers changed",
    "version": "heed itself changed",
    "not_recorded": "an earlier version did not record why",
    "unexplained": "unexplained",
}
LOADS = {
    "new": "New", "withdrawn": "Withdrawn", "read_anew": "Read anew", "counted_otherwise": "Counted otherwise",
}  # fmt: skip
WHAT_IT_IS = (
    "Opt-outs and delivery reports arrive late, and then the past looks different. A number is **restated** when its "
    "period was over at the time of the report and the number is another one now. Numbers of a period that was not "
    "over are counted apart: they had to change."
)
KEEP = (
    "To compare, there must be two. Each run publishes one; `keep_snapshots` under `[policy]` in `heed.toml` says how "
    "many are kept (5 unless set). The next run leaves this one beside its own:"
)
NUMBER = st.column_config.NumberColumn


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("restated", chosen)
    home = snapshot.home()
    assert home is not None
    runs = restating.kept(home)
    if len(runs) < 2:
        layout.empty("Only one snapshot is kept", KEEP, snapshot.command_for("run"), icon=":material/difference:")
        layout.footer()
        return
    then, now = choose(runs)
    only = ("--channel", chosen.channel) if chosen.channel else ()
    try:
        with st.spinner("Comparing"):
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
        return f"Data up to {formats.instant(row['as_of'])} · run {run_id[:8]} {run_id[9:13]}" if row else run_id

    current = snapshot.published().run_id
    newest = runs.index(current) if current in runs else 0
    left, right = st.columns(2)
    then = left.selectbox(
        "Reported then", runs, index=min(newest + 1, len(runs) - 1), format_func=label, key="then", bind="query-params"
    )
    now = right.selectbox("Known now", runs, index=newest, format_func=label, key="now", bind="query-params")
    return then, now


def show_answer(compared: dict[str, Any]) -> None:
    """How much of what was reported is otherwise now, and whether it can be explained."""
    counts = compared["counts"]
    until = formats.instant(instant(compared["then"]["as_of"]))
    if counts["restated"]:
        late = counts["late_records"]
        said = (
            f"**{formats.plural(counts['restated'], 'number of a finished period', 'numbers of finished periods')} "
            f"reported with data up to {until} "
            f"{'is' if counts['restated'] == 1 else 'are'} different now; {formats.count(late)} of them because "
            "records of that time came later.**"
        )
    else:
        said = f"**Every number of a finished period reported with data up to {until} still stands.**"
    rest = [
        f"{formats.count(counts[name])} {words}"
        for name, words in (
            ("not_over_then", "changed because their period was not over"), ("only_now", "are new"),
            ("only_then", "are gone"), ("same", "are the same"),
        ) if counts[name]
    ]  # fmt: skip
    st.markdown(f"{said} {texts.plain('Of the others, ' + ', '.join(rest) + '.') if rest else ''}")
    if counts["unexplained"]:
        st.warning(
            f"**{formats.plural(counts['unexplained'], 'change')} cannot be explained** by loads, the data's end, "
            "policy, rules or heed's version. Report it with both snapshots.",
            icon=":material/help:",
        )
    verdicts = compared["then"]["verdict"], compared["now"]["verdict"]
    badges = " then, ".join(layout.verdict_badge(verdict) for verdict in verdicts)
    st.markdown(f"Verdict of the whole record: {badges} now.")
    st.caption(WHAT_IT_IS)


def show_headline(rows: Sequence[dict[str, Any]]) -> None:
    """The first page's numbers of then, and what is known of the same month now."""
    for column, row in zip(st.columns(max(len(rows), 1)), rows, strict=False):
        with column:
            if row["unit"] is None:
                layout.card(row["label"], str(row["now"]), texts.plain(row["now_period"]), row["then"])
            else:
                period = texts.plain(row["then_period"])
                layout.card(
                    row["label"], number(row["value_now"], row["unit"]), f"{period}, as it is known now",
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
    st.header("Opt-out rate by month", anchor=False)
    shares = {side: [share(row, side) for row in months] for side in ("now", "then")}
    changed = [row for row in months if row["change"] == "changed"]
    reported = [one for one in shares["then"] if one.value is not None]
    figure = charts.share_bars(shares["now"], before=reported, names=("Known now", "Reported then"))
    table = pandas.DataFrame([
        {
            "Month": formats.month(date.fromisoformat(row["period_start"])),
            "Then": written(row, "then"), "Now": written(row, "now"), "Why": why(row),
        }
        for row in months
    ])  # fmt: skip
    alt = (
        f"Opt-out rate of {formats.plural(len(months), 'month')} as known now with 95 % intervals, and as reported"
        f" then; {formats.count(len(changed))} differ"
    )
    layout.chart(figure, alt, table)


def share(row: dict[str, Any], side: str) -> Share:
    """One month of one side."""
    month = formats.month(date.fromisoformat(row["period_start"]))
    name = "known now" if side == "now" else "reported then"
    note = f"{month}, {name}: {written(row, side)}, {formats.interval(row[f'lower_{side}'], row[f'upper_{side}'])}"
    return Share(month, row[f"value_{side}"], row[f"lower_{side}"], row[f"upper_{side}"], note)


def show_causes(compared: dict[str, Any]) -> None:
    """What lies between the two runs: loads, late opt-outs, settings, rules, waivers."""
    st.header("What changed it", anchor=False)
    causes = [texts.plain(row["what"]) for row in compared["causes"]]
    st.markdown("\n".join(f"- {cause[:1].upper()}{cause[1:]}" for cause in causes) or "Nothing that is recorded.")
    late = compared["late_opt_outs"]
    if late:
        count = sum(row["opt_out_count"] for row in late)
        st.markdown(
            f"**{formats.plural(count, 'opt-out')} came late:** asked for before the data's end then, loaded later."
        )
        lines = [
            {
                "Asked for in": formats.month(date.fromisoformat(row["month"])),
                "Channel": texts.channel(row["channel"]), "What": texts.what_happened(row["event_type"]),
                "Count": row["opt_out_count"], "Loaded with": texts.plain(row["file"].rpartition("/")[2]),
            }
            for row in late
        ]  # fmt: skip
        layout.table(lines, "Opt-outs that came late, by month and load", {"Count": formats.count})
    if compared["loads"]:
        st.markdown("**Loads**")
        layout.frame(
            pandas.DataFrame([{**row, "change": LOADS[row["change"]]} for row in compared["loads"]]),
            "Loads whose records count now and did not then, or the other way round",
            column_order=(
                "change", "file", "source", "record_count", "late_count", "late_opt_out_count", "sha256", "load_id",
            ),
            columns={
                "change": "Load", "file": "File", "source": "Source",
                "record_count": NUMBER("Records", format="localized", help="More now than then"),
                "late_count": NUMBER("Late records", format="localized", help="Of before the data's end then"),
                "late_opt_out_count": NUMBER("Late opt-outs", format="localized"),
                "sha256": "SHA-256", "load_id": "Load id",
            },
        )  # fmt: skip
    settings = [
        f"- {texts.plain(texts.humanise(row['name']))}: {setting(row['then'])} → {setting(row['now'])}"
        for row in compared["parameters"]
    ]
    settings += [
        f"- Rule {texts.plain(row['rule_id'])}: {row['change'].replace('_', ' ')} {texts.plain(row['what'])}"
        for row in compared["rules"]
    ]
    settings += [
        f"- Waiver {row['change']}: {texts.plain(rule_texts.audit_name(row['rule']))}, by {texts.plain(row['who'])}"
        for row in compared["waivers"]
    ]
    if settings:
        with st.expander(f"Settings, rules and waivers that differ ({len(settings)})"):
            st.markdown("\n".join(settings))
    for sentence in compared["left_out"]:
        st.caption(f"Left out: {texts.plain(sentence)}")


def setting(value: Any) -> str:
    """A setting's value as text."""
    return formats.MISSING if value is None else texts.plain(str(value))


def show_numbers(compared: dict[str, Any]) -> None:
    """Every number that differs, the restated ones first."""
    rows = compared["numbers"]
    if not rows:
        return
    st.header("Numbers that differ", anchor=False)
    table = pandas.DataFrame([
        {
            "Restated": "yes" if row["is_restated"] else "no",
            "Number": texts.humanise(row["metric"]), "Definition": row["definition"],
            "Period": period(row), "Channel": texts.channel(row["channel"]), "Program": row["program"],
            "Campaign": row["campaign_id"], "Reason": row["reason"], "Then": written(row, "then"),
            "Now": written(row, "now"), "Why": why(row), "Loads": len(row["loads"]),
        }
        for row in rows
    ])  # fmt: skip
    layout.frame(table, "Numbers that differ between the two runs, restated ones first")
    if compared["numbers_left_out"]:
        st.caption(f"{formats.plural(compared['numbers_left_out'], 'more number')}: the command below prints them.")


def show_findings(compared: dict[str, Any]) -> None:
    """Findings that came, went or changed class, and verdicts that changed."""
    lines = [
        {
            "Rule": texts.plain(rule_texts.audit_name(row["rule"])),
            "Class": texts.plain(texts.humanise(row["finding_class"])), "Then": row["then_count"],
            "Now": row["now_count"], "New": row["new_count"], "Gone": row["gone_count"],
            "From another class": row["from_other_class_count"],
        }
        for row in compared["findings"]
        if row["new_count"] or row["gone_count"] or row["from_other_class_count"] or row["to_other_class_count"]
    ]  # fmt: skip
    if lines:
        st.header("Findings", anchor=False)
        counted = ("Then", "Now", "New", "Gone", "From another class")
        layout.table(lines, "Findings by rule and class, then and now", dict.fromkeys(counted, formats.count))
    verdicts = [
        {
            "Month": formats.month(date.fromisoformat(row["period_start"])) if row["period_start"] else "Whole record",
            "Channel": texts.channel(row["channel"]),
            "Source": "Every source" if row["source"] == "*" else texts.plain(row["source"]),
            "Then": row["verdict_then"] or formats.MISSING, "Now": row["verdict_now"] or formats.MISSING,
        }
        for row in compared["verdicts"]
        if row["verdict_then"] != row["verdict_now"] and row["verdict_then"]
    ]  # fmt: skip
    if verdicts:
        st.header("Verdicts that changed", anchor=False)
        layout.table(verdicts, "Verdicts that changed, by month, channel and source")


def show_way_out(then: str, now: str, *options: str) -> None:
    """The command that prints all of it."""
    st.markdown("All of it, for a spreadsheet:")
    words = " ".join(["compare", then, now, *options, "--format csv"])
    st.code(snapshot.command_for(words), language=None, wrap_lines=True)


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
    return text if over is None or under is None else f"{text} ({formats.count(over)} of {formats.count(under)})"


def why(row: dict[str, Any]) -> str:
    """The causes of a change, in words."""
    return ", ".join(CAUSES.get(name, texts.humanise(name)) for name in row["why"])


def period(row: dict[str, Any]) -> str:
    """A number's period in words."""
    if row["period_start"] is None:
        return texts.ALL_PERIODS
    start = date.fromisoformat(row["period_start"])
    if row["grain"] == "month":
        return formats.month(start)
    return formats.day(start) if row["grain"] == "day" else f"{texts.humanise(row['grain'])} of {formats.day(start)}"


show()
