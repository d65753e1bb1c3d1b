"""Text to typed canonical rows, each with the one reason why it cannot be used, if there is one.

The checks are the same for every connector. Reason codes:

required_value_missing, value_not_allowed, value_too_long, timestamp_unreadable, timestamp_without_zone,
timestamp_ambiguous, timestamp_nonexistent, timestamp_implausible, number_unreadable, boolean_unreadable; from the
readers: malformed_row, malformed_json, nested_too_deep, not_utf8, row_too_long; and whatever codes a connector gives
its own refusals.
"""

from __future__ import annotations

from datetime import UTC, datetime

import polars

from pipelines import zones
from pipelines.canonical import PHONE_CHANNELS, SYNONYMS, Column, Table
from pipelines.engines.duckdb import DuckDBEngine, quoted
from pipelines.identity import SCHEMES
from pipelines.settings import Source
from pipelines.settings_limits import Limits

_SPACES = (" ", "\t", "\n", "\r", "\u00a0")
_SPACE = " || ".join(f"chr({ord(space)})" for space in _SPACES)
_DAY_AND_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?"
# Offsets lie between -15 and +15 hours: DuckDB would take +99:99 for four days.
_ZONED = rf"^{_DAY_AND_TIME} ?([Zz]|UTC|GMT|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)$"
_LOCAL = rf"^{_DAY_AND_TIME}$"
_OF = ":"  # between a reason and the column it is of
_EARLIEST = "timestamptz '2000-01-01 00:00:00+00'"
_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0")
DEFAULT_LIMITS = Limits()


def _words(values: tuple[str, ...]) -> str:
    return "(" + ", ".join(quoted(value) for value in values) + ")"


def _is_none_of(name: str, words: tuple[str, ...]) -> str:
    """Whether a text is no such word. DuckDB makes a join of a long list behind `in`, which loses the file's order."""
    return f"(try_cast({name} as enum {_words(words)}) is null)"


def _cleaned(column: Column, kind: str) -> str:
    """One column as clean text: trimmed, empty is null, words folded; instants that came typed stay as they are."""
    name = column.name
    if kind == "TIMESTAMP WITH TIME ZONE":
        return name
    if column.kind == "free_text":
        return f"nullif({name}, '') as {name}"
    # Trimming takes ten times as long as seeing that there is nothing to trim: a visible sign of ASCII in front, and
    # no space behind.
    ends = " or ".join(f"suffix({name}, chr({ord(space)}))" for space in _SPACES)
    is_clean = f"{name} >= '!' and {name} < chr(127) and not ({ends})"
    trimmed = f"nullif(trim({name}, {_SPACE}), '')"
    if column.kind == "contact":
        is_clean = f"{is_clean} and not suffix({name}, ':')"
        trimmed = f"case when not regexp_full_match({trimmed}, '(?i:{SCHEMES}):') then {trimmed} end"
    text = f"case when {is_clean} then {name} else {trimmed} end"
    if column.kind in ("word", "boolean"):
        text = f"lower({text})"
        if synonyms := SYNONYMS.get(name):
            cases = " ".join(f"when {quoted(theirs)} then {quoted(ours)}" for theirs, ours in synonyms.items())
            text = f"case {text} {cases} else {text} end"
    return f"{text} as {name}"


def _instant(name: str, kind: str, pattern: str) -> str:
    """A time text as the timestamp type `kind`, where it matches the pattern."""
    # The slow spelling (no seconds, decimal comma, lower case, a space before the offset) is tried on what is left.
    plain = f"replace(replace(upper({name}), ',', '.'), ' UTC', 'Z')"
    plain = f"regexp_replace(replace({plain}, ' GMT', 'Z'), '[ ]([+-])', '\\1')"
    plain = rf"regexp_replace({plain}, '^([0-9-]{{10}}[T ][0-9]{{2}}:[0-9]{{2}})([Z+-]|$)', '\1:00\2')"
    return (
        f"case when regexp_matches({name}, {quoted(pattern)})"
        f" then coalesce(try_cast({name} as {kind}), try_cast({plain} as {kind})) end"
    )


def _problem(column: Column, is_typed: bool, source: Source, latest: str, limits: Limits) -> list[str]:
    """`case` branches giving a reason code for one column."""
    name, branches = column.name, []
    if column.required:
        branches.append(f"when {name} is null then 'required_value_missing'")
    if column.kind in ("text", "free_text", "contact"):
        branches.append(f"when strlen({name}) > {limits.field_size} then 'value_too_long'")
    if column.words:
        branches.append(f"when {name} is not null and {_is_none_of(name, column.words)} then 'value_not_allowed'")
    if column.kind == "number":
        branches.append(
            f"when {name} is not null and not coalesce(isfinite(try_cast({name} as double)), false)"
            " then 'number_unreadable'"
        )
    if column.kind == "boolean":
        branches.append(f"when {name} is not null and {_is_none_of(name, _TRUE + _FALSE)} then 'boolean_unreadable'")
    if column.kind == "instant":
        if not is_typed:
            branches.append(
                f"when {name} is not null and {name}_zoned is null and {name}_local is null then 'timestamp_unreadable'"
            )
            if source.timezone is None:
                branches.append(f"when {name}_zoned is null and {name}_local is not null then 'timestamp_without_zone'")
            elif source.fixed_offset_seconds is None:
                branches.append(
                    f"when {name}_zoned is null and {name}_zone_problem is not null then {name}_zone_problem"
                )
        # A local time before the zone's first period has no instant at all.
        outside = f"{name}_at < {_EARLIEST} or {name}_at > {latest} or ({name} is not null and {name}_at is null)"
        branches.append(f"when {outside} then 'timestamp_implausible'")
    return branches


def stage(
    engine: DuckDBEngine,
    select: str,
    table: Table,
    source: Source,
    target: str,
    loaded_at: datetime,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[str, ...]:
    """Build view `target` over temp table `{target}_rows` from a connector's select; returns the columns it gives.

    Columns: record (its place in the table), row_number, raw (only where refused and the connector gave it), problem
    (null where the row is usable), its parts reason and reason_column, is_phone_channel, and every canonical column
    typed; `contact` is still the address as written.
    """
    types = engine.columns(select)
    present = [column for column in table.columns if column.name in types]
    typed = {name for name, kind in types.items() if kind == "TIMESTAMP WITH TIME ZONE"}
    named_zone = source.timezone if source.timezone and source.fixed_offset_seconds is None else None

    refusals = [name for name in ("reject_reason", "reject_column") if name in types]
    cleaned = ["raw", *refusals, *(_cleaned(column, types[column.name]) for column in present)]
    texts = [column.name for column in present if column.kind == "instant" and column.name not in typed]
    zoned = ["*", *(f"{_instant(name, 'timestamptz', _ZONED)} as {name}_zoned" for name in texts)]
    # Only what carries no offset is looked at again.
    local = [
        f"case when {name}_zoned is null then {_instant(name, 'timestamp', _LOCAL)} end as {name}_local"
        for name in texts
    ]
    read = ["*", *local]

    joins, resolved = "", ["read_times.*"]
    if named_zone and texts:
        _zone_table(engine, named_zone)
    for column in present:
        name = column.name
        if column.kind != "instant":
            continue
        if name in typed:
            resolved.append(f"{name} as {name}_at")
        elif named_zone:
            joins += (
                f"\nasof left join local_periods as {name}_zone on read_times.{name}_local >= {name}_zone.local_from"
            )
            resolved.append(f"{name}_zone.problem as {name}_zone_problem")
            resolved.append(
                f"coalesce({name}_zoned,"
                f" make_timestamptz(epoch_us({name}_local) - {name}_zone.offset_microseconds)) as {name}_at"
            )
        elif source.fixed_offset_seconds is not None:
            micros = source.fixed_offset_seconds * 1_000_000
            resolved.append(f"coalesce({name}_zoned, make_timestamptz(epoch_us({name}_local) - {micros})) as {name}_at")
        else:
            resolved.append(f"{name}_zoned as {name}_at")

    latest = f"timestamptz {quoted(loaded_at.astimezone(UTC).isoformat())} + interval 1 day"
    problems = []
    if "reject_reason" in refusals:
        column_name = "coalesce(reject_column, '')" if "reject_column" in refusals else "''"
        problems.append(f"when reject_reason is not null then concat(reject_reason, '{_OF}', {column_name})")
    for column in table.columns:
        if column in present:
            branches = _problem(column, column.name in typed, source, latest, limits)
        else:
            branches = ["when true then 'required_value_missing'"] if column.required else []
        for branch in branches:
            condition, reason = branch.rsplit(" then ", 1)
            problems.append(f"{condition} then concat({reason}, '{_OF}{column.name}')")

    final, absent = [], []
    for column in table.columns:
        name = column.name
        if column not in present:
            kind = "VARCHAR" if column.kind == "contact" else column.sql_type
            absent.append(f"cast(null as {kind}) as {name}")
        elif column.kind == "instant":
            final.append(f"{name}_at as {name}")
        elif column.kind == "number":
            final.append(f"try_cast({name} as double) as {name}")
        elif column.kind == "boolean":
            final.append(
                f"case when not {_is_none_of(name, _TRUE)} then true"
                f" when not {_is_none_of(name, _FALSE)} then false end"
                f" as {name}"
            )
        else:
            final.append(name)
    has_channel = "channel" in types
    phone = f"channel is null or not {_is_none_of('channel', (*PHONE_CHANNELS, '*'))}" if has_channel else "true"

    def made_of(delivered: str, *number: str) -> str:
        return f"""
        create or replace temp table {target}_rows as
        with
        delivered as ({delivered}),
        cleaned as (select {", ".join([*number, *cleaned])} from delivered),
        read_zoned as (select {", ".join(zoned)} from cleaned),
        read_times as (select {", ".join(read)} from read_zoned),
        resolved as (select {", ".join(resolved)} from read_times {joins}),
        judged as (select *, {_case(problems)} as problem from resolved)
        select
            {", ".join([*number, "case when problem is not null then raw end as raw"])}, problem,
            {", ".join([f"{phone} as is_phone_channel", *final])}
        from judged"""

    numbered = ["row_number"] if "row_number" in types else []
    statement = made_of(select, *numbered)
    if not numbered and not engine.keeps_order(statement):
        # A join, as with a zone's offsets, would lose the file's order: the rows are counted before it, by one thread.
        numbered = ["row_number"]
        statement = made_of(f"select row_number() over () as row_number, * from ({select})", *numbered)
    engine.execute(statement, relation=f"{table.name} of {source.name}")
    # A table made of a file without counting its rows has them in the file's order.
    number = "row_number" if numbered else "rowid + 1 as row_number"
    engine.execute(
        f"""
        create or replace temp view {target} as
        select
            rowid as record, {number}, raw, problem, split_part(problem, '{_OF}', 1) as reason,
            nullif(split_part(problem, '{_OF}', 2), '') as reason_column, is_phone_channel,
            {", ".join([*(column.name for column in present), *absent])}
        from {target}_rows"""
    )
    return tuple(column.name for column in present)


def _case(branches: list[str]) -> str:
    return f"case {' '.join(branches)} end" if branches else "cast(null as varchar)"


def _zone_table(engine: DuckDBEngine, timezone: str) -> None:
    periods = zones.local_periods(timezone)
    frame = polars.DataFrame(
        {
            "local_from": [start for start, _, _ in periods],
            "offset_microseconds": [None if offset is None else offset * 1_000_000 for _, offset, _ in periods],
            "problem": [problem for _, _, problem in periods],
        },
        schema={"local_from": polars.Datetime("us"), "offset_microseconds": polars.Int64, "problem": polars.String},
    )
    engine.create_from_frame("run.incoming_periods", frame)
    engine.execute("create or replace temp table local_periods as select * from run.incoming_periods")
    engine.execute("drop table run.incoming_periods")
