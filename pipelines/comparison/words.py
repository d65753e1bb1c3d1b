"""A comparison in words and tables, for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.comparison.causes import WORDS
from pipelines.output import as_table, terminal_safe
from pipelines.snapshots import plain

SHOWN = 20
_COLUMNS = (
    "metric", "definition", "grain", "period_start", "channel", "program", "campaign_id", "reason", "then", "now",
    "difference", "change", "why", "loads",
)  # fmt: skip
_DURATIONS = ((86_400, "days"), (3_600, "h"), (60, "min"))
_CHANGES = {"changed": "changed", "only_now": "not reported then", "only_then": "not known now", "same": "same"}
_LOADS = {
    "new": "new", "withdrawn": "withdrawn", "read_anew": "read anew", "counted_otherwise": "counted otherwise",
}  # fmt: skip


def in_words(compared: dict[str, Any]) -> str:
    """What `compare` gives, as text."""
    return "\n".join(_lines(compared)) + "\n"


def _lines(compared: dict[str, Any]) -> Iterator[str]:
    for name, words in (("then", "Then"), ("now", "Now ")):
        run = compared[name]
        until = f"data up to {plain(run['as_of'])}" if run["as_of"] else "no records"
        yield terminal_safe(f"{words}  run {run['run_id']}, {until}, heed {run['heed_version']}: {run['verdict']}")
    yield ""
    yield answer(compared["counts"])
    yield from _section("What changed", [row["what"] for row in compared["causes"]] or ["Nothing that is recorded."])
    yield from _loads(compared["loads"])
    yield from _listed(
        "Settings, then and now",
        [f"{row['name']}: {plain(row['then'])} -> {plain(row['now'])}" for row in compared["parameters"]],
    )
    yield from _listed(
        "Rules", [f"{row['rule_id']}: {row['change'].replace('_', ' ')} {row['what']}" for row in compared["rules"]]
    )
    yield from _listed(
        "Waivers", [f"{row['change']}: {row['rule']}, {row['subject']}, by {row['who']}" for row in compared["waivers"]]
    )
    yield from _numbers(compared)
    yield from _findings(compared)
    yield from _verdicts(compared["verdicts"])
    yield from _listed("Left out", compared["left_out"])


def answer(counts: dict[str, int]) -> str:
    """How much of what was reported is otherwise now, in a sentence or two."""
    restated, later = counts["restated"], counts["not_over_then"]
    if restated:
        verb = "is" if restated == 1 else "are"
        said = (
            f"{_counted(restated, 'number')} of periods that were over then {verb} restated,"
            f" {counts['late_records'] or 'none'} of them by records that were loaded later."
        )
    else:
        said = "No number of a period that was over then is restated."
    if later:
        said += f" {_counted(later, 'number')} changed because {'its' if later == 1 else 'their'} period was not over."
    only = [f"{counts[name]:,} {words}" for name, words in (("only_now", "new"), ("only_then", "gone")) if counts[name]]
    said += f" {' and '.join(only)}; {counts['same']:,} the same." if only else f" {counts['same']:,} the same."
    if counts["unexplained"]:
        said += f" {_counted(counts['unexplained'], 'change')} cannot be explained."
    return said


def _number(row: dict[str, Any], side: str) -> str | None:
    """A number of one side as people read it, with what it was counted from."""
    value, over, under = (row[f"{name}_{side}"] for name in ("value", "numerator", "denominator"))
    counted = f"({over:,.6g} of {under:,.6g})" if over is not None and under is not None else ""
    if value is None:
        return f"- {counted}".strip() if counted else None
    return f"{_written(value, row['unit'])} {counted}".strip()


def _difference(row: dict[str, Any]) -> str | None:
    if row["difference"] is None:
        return None
    sign = "-" if row["difference"] < 0 else "+"
    written = _written(abs(row["difference"]), row["unit"])
    return sign + (written.replace(" %", " points") if row["unit"] == "share" else written)


def _written(value: float, unit: str) -> str:
    if unit == "share":
        return f"{value * 100:.4g} %"
    if unit == "seconds":
        size, name = next((one for one in _DURATIONS if abs(value) >= one[0]), (1, "s"))
        return f"{value / size:.4g} {name}"
    return f"{value:,.6g}"


def _loads(loads: list[dict[str, Any]]) -> Iterator[str]:
    rows = []
    for row in loads:
        late = f"{row['late_count']:,} late" if row["late_count"] > 0 else ""
        opt_outs = f"{row['late_opt_out_count']:,} late" if row["late_opt_out_count"] > 0 else ""
        rows.append([
            _LOADS[row["change"]], row["load_id"], row["source"], row["file"], f"{row['record_count']:+,}", late,
            opt_outs, str(row.get("sha256") or "")[:12],
        ])  # fmt: skip
    if rows:
        columns = ("load", "load_id", "source", "file", "records", "of which", "opt-outs", "sha256")
        yield from _table("Loads", columns, rows)


def _numbers(compared: dict[str, Any]) -> Iterator[str]:
    rows = [
        [
            *(row[name] for name in _COLUMNS[:8]), _number(row, "then"), _number(row, "now"), _difference(row),
            _CHANGES[row["change"]] + (", period was not over" if row["change"] == "changed" and not row["is_restated"]
                                       else ""),
            ", ".join(row["why"]), f"{len(row['loads'])}" if row["loads"] else None,
        ]
        for row in compared["numbers"]
    ]  # fmt: skip
    if rows:
        # A dimension that is `*` throughout says nothing.
        shown = [
            place for place, name in enumerate(_COLUMNS)
            if name not in ("program", "campaign_id", "reason") or any(row[place] != "*" for row in rows)
        ]  # fmt: skip
        cut = [[row[place] for place in shown] for row in rows]
        yield from _table("Numbers", [_COLUMNS[place] for place in shown], cut)
        causes = dict.fromkeys(name for row in compared["numbers"] for name in row["why"])
        yield from (f"  {name}: {WORDS[name]}" for name in causes)
    if compared["numbers_left_out"]:
        yield f"  and {_counted(compared['numbers_left_out'], 'more number')} (--all-rows, or --format csv)"


def _findings(compared: dict[str, Any]) -> Iterator[str]:
    columns = ("rule", "finding_class", "then_count", "now_count", "new_count", "gone_count", "from_other_class_count")
    rows = [
        [row[name] for name in columns]
        for row in compared["findings"]
        if row["new_count"] or row["gone_count"] or row["from_other_class_count"] or row["to_other_class_count"]
    ]
    if rows:
        yield from _table("Findings", ("rule", "class", "then", "now", "new", "gone", "from other class"), rows)


def _verdicts(verdicts: list[dict[str, Any]]) -> Iterator[str]:
    rows = [
        [row["period_start"] or "whole record", row["channel"], row["source"], row["verdict_then"], row["verdict_now"],
         row["violations_then"], row["violations_now"]]
        for row in verdicts if row["verdict_then"] != row["verdict_now"]
    ]  # fmt: skip
    if rows:
        columns = ("period", "channel", "source", "then", "now", "violations then", "violations now")
        yield from _table("Verdicts", columns, rows)


def _table(title: str, columns: Any, rows: list[list[Any]]) -> Iterator[str]:
    yield ""
    yield title
    yield from (f"  {line}" for line in as_table(columns, rows).splitlines())


def _section(title: str, lines: list[str]) -> Iterator[str]:
    yield ""
    yield title
    yield from (f"  {terminal_safe(line).rstrip()}" for line in lines)


def _listed(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield from _section(title, lines)


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
