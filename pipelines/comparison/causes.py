"""What lies between two snapshots: loads that came, went or count more, and whatever else decides a number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars

from pipelines.comparison.reported import Reported

#: Acts that begin a span.
OPENING = ("opt_out", "complaint", "block")
#: Columns of run.parameters that say which run it was, or say again what another column says.
_NO_SETTINGS = ("run_id", "started_at", "fingerprint", "deadline_amount", "deadline_unit")
#: Those that no setting decides; every other one is set by [policy].
_NO_POLICY = ("as_of", "heed_version", "excluded_after_as_of")
#: What a rule of the book is compared by; the rest of its row is where it comes from.
_RULE_COLUMNS = (
    "is_in_force", "value", "unit", "counting", "channel", "message_class", "effective_from", "effective_to",
    "severity",
)  # fmt: skip
_WAIVER_COLUMNS = ("rule", "subject", "until", "who", "reason")
_OF_LOAD = (
    "load_id", "source", "connector", "file", "sha256", "read_count", "accepted_count", "duplicate_count",
    "quarantined_count", "loaded_at", "first_record_at", "last_record_at",
)  # fmt: skip
_DAY_KEY = ("load_id", "table_name", "event_type", "channel", "on_date")
#: The parts of run.fingerprints by the cause that they are told under.
_PARTS = {
    "policy": "policy", "sources": "sources", "rules": "rules", "waivers": "waivers",
    "version": "version", "sql": "version", "reference": "version", "code": "version", "texts": "texts",
}  # fmt: skip
#: Every cause, in the order in which they are told, in words.
WORDS = {
    "late_records": "records of that time were loaded later",
    "new_records": "records after the end of the data as it was then",
    "other_records": "records of other days or channels, or of contacts or campaigns",
    "end_of_data": "the end of the data moved",
    "policy": "the policy changed",
    "sources": "the settings of sources changed",
    "rules": "the rule book changed",
    "waivers": "waivers changed",
    "texts": "texts were taken out of history: of forgotten contacts, or past their time",
    "version": "heed itself changed",
    "not_recorded": "an earlier version of heed did not record all that decides a number",
    "unexplained": "nothing that heed records explains it",
}


@dataclass(frozen=True)
class Causes:
    """What changed between two runs.

    `loads`: one row per load that holds other records now. `days`: one row per such load, channel and day (null where
    a record has none), with is_late and is_new: whether it holds records of before the end of the data then, and of
    after it. `others`: causes that are no load, by their names in WORDS.
    """

    loads: polars.DataFrame
    days: polars.DataFrame
    late_opt_outs: polars.DataFrame
    parameters: list[dict[str, Any]]
    rules: list[dict[str, Any]]
    waivers: list[dict[str, Any]]
    others: list[str]
    not_recorded: list[str] = field(default_factory=list)

    def rows(self) -> list[dict[str, Any]]:
        """Each cause with what it comes to, in words."""
        found = []
        for change, words in (
            ("new", "new"), ("withdrawn", "withdrawn"), ("read_anew", "read anew"),
            ("counted_otherwise", "counted otherwise"),
        ):  # fmt: skip
            count = len(self.loads.filter(polars.col("change") == change))
            if count:
                found.append({"cause": "loads", "what": f"{count:,} {words} load{'' if count == 1 else 's'}"})
        return found + [{"cause": name, "what": WORDS[name]} for name in self.others]


def find(then: Reported, now: Reported) -> Causes:
    """What changed from one run to another."""
    days = _changed_days(then, now)
    loads = _loads(then, now, days)
    parameters = _parameters(then, now)
    rules, waivers = _rules(then, now), _waivers(then, now)
    others = _others(then, now, parameters, rules, waivers)
    return Causes(
        loads=loads,
        days=days.group_by("load_id", "channel", "on_date").agg(polars.col("is_late", "is_new").any()),
        late_opt_outs=_late_opt_outs(loads, days.filter(polars.col("is_late"))),
        parameters=parameters,
        rules=rules,
        waivers=waivers,
        others=others,
        not_recorded=_not_recorded(then, now),
    )


def _no_days() -> polars.DataFrame:
    texts = dict.fromkeys(("load_id", "table_name", "event_type", "channel"), polars.String())
    counts = dict.fromkeys(("row_count", "new_count"), polars.Int64())
    instants = dict.fromkeys(("first_at", "last_at"), polars.Datetime("us", "UTC"))
    return polars.DataFrame(schema={**texts, "on_date": polars.Date(), **counts, **instants})


def _changed_days(then: Reported, now: Reported) -> polars.DataFrame:
    """Rows of run.load_days that only one run has, or that count otherwise.

    With `more` and `new_count` (records, and opt-outs first seen, more now than then), is_late and is_new. On the very
    day on which the data ended, records of before and after the end are one row, which is both.
    """
    before, after = then.load_days, now.load_days
    known_then, known_now = set(then.inputs["load_id"]), set(now.inputs["load_id"])
    # What an earlier version did not write down is taken for unchanged where the load is in both.
    if before is None:
        before = after.filter(polars.col("load_id").is_in(known_then)) if after is not None else _no_days()
    if after is None:
        after = before.filter(polars.col("load_id").is_in(known_now))
    joined = before.join(after, on=list(_DAY_KEY), how="full", nulls_equal=True, suffix="_now", coalesce=True)
    changed = joined.with_columns(
        more=polars.col("row_count_now").fill_null(0) - polars.col("row_count").fill_null(0),
        new_count=polars.col("new_count_now").fill_null(0) - polars.col("new_count").fill_null(0),
        first_at=polars.coalesce("first_at_now", "first_at"),
        last_at=polars.coalesce("last_at_now", "last_at"),
    ).filter(polars.col("more") != 0)
    is_gone = polars.col("more") < 0
    is_late, is_new = is_gone, ~is_gone
    if then.as_of is not None:
        # Of a load that both have, only what lies after the end of the data then can count more now.
        is_shared = polars.col("row_count").is_not_null()
        is_late = is_gone | ((polars.col("first_at") <= then.as_of).fill_null(value=False) & ~is_shared)
        is_new = ~is_gone & (polars.col("last_at") > then.as_of).fill_null(value=False)
    return changed.with_columns(is_late=is_late, is_new=is_new).select(
        *_DAY_KEY, "more", "new_count", "is_late", "is_new"
    )


def _loads(then: Reported, now: Reported, days: polars.DataFrame) -> polars.DataFrame:
    """One row per load whose records differ: what it is, how it changed, and how many of its records came late."""
    columns = [name for name in _OF_LOAD if name in then.inputs.columns and name in now.inputs.columns]
    before, after = then.inputs.select(columns), now.inputs.select(columns)
    gone = before.join(after, on="load_id", how="anti")
    new = after.join(before, on="load_id", how="anti")
    same_file = ["source", "sha256"]
    shared = after.join(before, on="load_id", how="semi").join(days, on="load_id", how="semi")
    listed = polars.concat([
        gone.join(new, on=same_file, how="anti").with_columns(change=polars.lit("withdrawn")),
        new.join(gone, on=same_file, how="semi").with_columns(change=polars.lit("read_anew")),
        new.join(gone, on=same_file, how="anti").with_columns(change=polars.lit("new")),
        shared.with_columns(change=polars.lit("counted_otherwise")),
    ])  # fmt: skip
    late = polars.col("is_late")
    counted = days.group_by("load_id").agg(
        record_count=polars.col("more").sum(),
        late_count=polars.col("more").filter(late).sum(),
        late_opt_out_count=polars.col("new_count").filter(late & polars.col("event_type").is_in(OPENING)).sum(),
    )
    counts = ("record_count", "late_count", "late_opt_out_count")
    return (
        listed.join(counted, on="load_id", how="left")
        .with_columns(polars.col(name).fill_null(0) for name in counts)
        .select("load_id", "change", *counts, *[name for name in columns if name != "load_id"])
        .sort("load_id")
    )


def _late_opt_outs(loads: polars.DataFrame, late: polars.DataFrame) -> polars.DataFrame:
    """Opt-outs, complaints and blocks of before the end of the data then, by the month asked for and the load."""
    brought = loads.filter(polars.col("change") != "read_anew").select("load_id", "source", "file")
    month = polars.col("on_date").dt.truncate("1mo").alias("month")
    return (
        late.filter(polars.col("event_type").is_in(OPENING) & (polars.col("new_count") > 0))
        .join(brought, on="load_id")
        .group_by(month, "channel", "event_type", "load_id", "source", "file")
        .agg(opt_out_count=polars.col("new_count").sum())
        .sort("month", "channel", "event_type", "load_id")
    )


def _parameters(then: Reported, now: Reported) -> list[dict[str, Any]]:
    """Parameters that differ, with both values."""
    before, after = dict(then.parameters), dict(now.parameters)
    names = [name for name in after if name in before and name not in _NO_SETTINGS]
    if then.rules is not None and now.rules is not None:  # there was a cap to publish
        before["frequency_cap"], after["frequency_cap"] = _cap(then), _cap(now)
    return [
        {"name": name, "then": before[name], "now": after[name]}
        for name in (*names, "frequency_cap")
        if before.get(name) != after.get(name)
    ]


def _cap(reported: Reported) -> str | None:
    return next((f"{row['amount']} in {row['window_seconds']:,} s" for row in reported.caps), None)


def _rules(then: Reported, now: Reported) -> list[dict[str, Any]]:
    """Rows of the rule book that are in force in one run only, or read otherwise while in force."""
    if then.rules is None or now.rules is None:
        return []
    columns = [name for name in _RULE_COLUMNS if name in then.rules.columns and name in now.rules.columns]
    before, after = ({row["rule_id"]: row for row in book.to_dicts()} for book in (then.rules, now.rules))
    found = []
    for rule_id in sorted(before.keys() | after.keys()):
        was, is_now = before.get(rule_id, {}), after.get(rule_id, {})
        if not (was.get("is_in_force") or is_now.get("is_in_force")):
            continue
        if bool(was.get("is_in_force")) != bool(is_now.get("is_in_force")):
            came = bool(is_now.get("is_in_force"))
            found.append({"rule_id": rule_id, "change": "in_force_now" if came else "no_longer_in_force", "what": ""})
            continue
        differs = [name for name in columns if was.get(name) != is_now.get(name)]
        if differs:
            what = "; ".join(f"{name}: {was.get(name)} -> {is_now.get(name)}" for name in differs)
            found.append({"rule_id": rule_id, "change": "changed", "what": what})
    return found


def _waivers(then: Reported, now: Reported) -> list[dict[str, Any]]:
    """Rows of waivers.csv that only one run was told of."""
    if then.waivers is None or now.waivers is None:
        return []
    rows = [set(one.select(_WAIVER_COLUMNS).iter_rows()) for one in (then.waivers, now.waivers)]
    found = [("withdrawn", row) for row in rows[0] - rows[1]] + [("new", row) for row in rows[1] - rows[0]]
    return [
        {"change": change, **dict(zip(_WAIVER_COLUMNS, row, strict=True))}
        for change, row in sorted(found, key=lambda one: (one[0], *map(str, one[1])))
    ]


def _others(
    then: Reported,
    now: Reported,
    parameters: list[dict[str, Any]],
    rules: list[dict[str, Any]],
    waivers: list[dict[str, Any]],
) -> list[str]:
    """The causes that are no load, as far as both snapshots tell."""
    named = {row["name"] for row in parameters}
    found = {
        "end_of_data": "as_of" in named,
        "policy": bool(named - {*_NO_POLICY}),
        "rules": bool(rules),
        "waivers": bool(waivers),
        "version": "heed_version" in named,
        "not_recorded": then.fingerprints is None or now.fingerprints is None,
    }
    if then.fingerprints is not None and now.fingerprints is not None:
        for part, cause in _PARTS.items():
            found[cause] = found.get(cause, False) or then.fingerprints.get(part) != now.fingerprints.get(part)
    return [name for name in WORDS if found.get(name)]


def _not_recorded(then: Reported, now: Reported) -> list[str]:
    """What an earlier version of heed did not publish and cannot be compared, a sentence each."""
    found = []
    for relation, absent in (
        ("which load holds records of which day", [one.load_days is None for one in (then, now)]),
        ("all that decides a number (run.fingerprints)", [one.fingerprints is None for one in (then, now)]),
        ("the rule book", [one.rules is None for one in (then, now)]),
        ("waivers", [one.waivers is None for one in (then, now)]),
    ):
        if any(absent):
            who = "Neither run" if all(absent) else f"Run {(then if absent[0] else now).run_id}"
            found.append(
                f"{who} did not publish {relation}.".replace("Neither run did not publish", "Neither run published")
            )
    return found
