"""Reads CSV, JSON Lines and Parquet files into text columns, without losing a row.

Each reader gives a select of `row_number`, `raw` and the file's own columns as text. Rows that do not parse are
not in it; `rejects` names them once the select has run.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipelines.engines.duckdb import DuckDBEngine, identifier, path_text, quoted
from pipelines.errors import EngineError, HeedError, UnreadableInputError
from pipelines.limits import check_header, check_parquet, nested_too_deep
from pipelines.settings_limits import Limits
from pipelines.shapes import column_names, without_quotes
from pipelines.text_lines import Lines, lines_of, opened

_DELIMITERS = ",;\t|"
_HEADER_BYTES = 1 << 20
#: What the parser calls a refused row, worst first, and our reason code; anything else is malformed_row.
_REASONS = {"LINE SIZE OVER MAXIMUM": "row_too_long", "INVALID ENCODING": "not_utf8"}
_OWN_NAMES = ("row_number", "raw", "reject_reason")
_EPOCH_MICROSECONDS = {"s": "1e6", "ms": "1e3"}
_SHAPE_LINES = 20
_BLANKS = "chr(32) || chr(9) || chr(13) || chr(10) || chr(65279)"
_LARGEST_OBJECT = 1 << 30
_serial = itertools.count(1)


@dataclass(frozen=True)
class RawRows:
    """A file's rows as text columns: `columns` are the file's own names, in order; `column` names one in `select`.

    `row_number` in `select` counts the rows that parse; in `rejects`, a select of row_number, reason and raw to run
    afterwards, it counts all of them. Where `raw` is null in `select`, `raws` is a select of `row_number` and `raw`, to
    run only for rows that are refused. `in_order`, where there is one, is `select` without row_number: a table made of
    it has its rows in the file's order, and is made with all threads, while counting rows takes one. `lines` is how the
    file's lines are cut, where that was looked at.
    """

    select: str
    columns: tuple[str, ...]
    rejects: str | None = None
    raws: str | None = None
    in_order: str | None = None
    lines: Lines | None = None


def file_format(path: Path) -> str:
    """csv, jsonl or parquet, by the file's name (a final .gz is compression)."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes = suffixes[:-1]
    last = suffixes[-1] if suffixes else ""
    formats = {
        ".csv": "csv",
        ".tsv": "csv",
        ".txt": "csv",
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
        ".json": "jsonl",
        ".parquet": "parquet",
        ".pq": "parquet",
    }
    if last not in formats:
        raise UnreadableInputError(
            f"{path.name} has no format heed knows by its name.",
            "Name it .csv, .jsonl or .parquet (.csv.gz and .jsonl.gz are read too).",
        )
    return formats[last]


def column_name(name: str) -> str:
    """What a file's column is called in a reader's select: `their_` goes before a name that the reader itself uses."""
    return f"their_{name}" if name.lower() in _OWN_NAMES else name


def column(name: str) -> str:
    """The SQL identifier of a file's column in a reader's select."""
    return identifier(column_name(name))


def epoch_text(expression: str, unit: str) -> str:
    """SQL for seconds ("s") or milliseconds ("ms") since 1970 as ISO 8601 text; text that is no number stays as it is.

    A number beyond the calendar becomes its first or last day, which load finds implausible.
    """
    number = f"try_cast({expression} as double)"
    micros = f"cast(round(greatest(-6.2e16, least(2.5e17, {number} * {_EPOCH_MICROSECONDS[unit]}))) as bigint)"
    iso = f"strftime(make_timestamp({micros}), '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"case when {number} is null then {expression} else {iso} end"


def _head(path: Path) -> bytes:
    with opened(path) as file:
        return file.read(_HEADER_BYTES)


def _refuse_utf16(path: Path, data: bytes) -> None:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:4]:
        raise UnreadableInputError(f"{path.name} is UTF-16 text.", "Deliver it as UTF-8; nothing of it was loaded.")


def _text(path: Path, data: bytes) -> str:
    _refuse_utf16(path, data)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableInputError(
            f"{path.name} is not UTF-8: byte {error.start + 1} of its header cannot be read.",
            "Deliver it as UTF-8; nothing of it was loaded.",
        ) from error


def csv_header(path: Path) -> tuple[str, list[str]]:
    """The delimiter and the column names of a CSV file; no names for an empty file."""
    data = _head(path)
    end = data.find(b"\n")
    line = _text(path, data if end < 0 else data[: end + 1])
    if line.count('"') % 2:  # a quoted line break inside a column name
        line = _text(path, data[: data.rfind(b"\n") + 1] or data)
    if not line.strip():
        return ",", []
    delimiter = max(_DELIMITERS, key=line.count)
    names = [name.strip() for name in next(csv.reader(io.StringIO(line, newline=""), delimiter=delimiter))]
    return delimiter, names


def _checked(path: Path, names: list[str]) -> list[str]:
    check_header(path, names)
    lowered = [name.lower() for name in names]
    for name in names:
        if name and lowered.count(name.lower()) > 1:
            raise UnreadableInputError(
                f"{path.name} has two columns called {column_names([name])}.",
                "Remove or rename one; nothing of it was loaded.",
            )
    return [name or f"column_{position}" for position, name in enumerate(names, start=1)]


def _rejects(table: str, header_count: int) -> str:
    """One row per row the parser refused, whatever number of reasons it had: row_number, reason, raw.

    `row_number` counts the file's rows after its header, whether they parse or not.
    """
    kinds = [f"when bool_or(error_type = {quoted(kind)}) then {quoted(reason)}" for kind, reason in _REASONS.items()]
    return (
        f"select line - {header_count} as row_number, case {' '.join(kinds)} else 'malformed_row' end as reason,"
        f" coalesce(ltrim(arg_max(csv_line, length(csv_line)), chr(10)), '') as raw from {table} group by line"
    )


def _scan(path: Path, names: list[str], options: str, *, has_header: bool) -> tuple[str, str]:
    """A scan of text columns, and the select of what it refused."""
    table = f"rejected_rows_{next(_serial)}"
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in names)
    scan = (
        f"read_csv({path_text(path)}, auto_detect=false, all_varchar=true, columns={{{columns}}},"
        f" header={str(has_header).lower()}, {options},"
        f" null_padding=false, store_rejects=true, rejects_limit=0,"
        f" rejects_table={quoted(table)}, rejects_scan={quoted(table + '_scan')})"
    )
    return scan, _rejects(table, int(has_header))


def csv_rows(path: Path, work: Path, limits: Limits) -> RawRows | None:
    """The rows of a CSV file with a header line, plain or gzip; None for a file without even a header.

    Handles a byte-order mark, quoted line breaks and any of comma, semicolon, tab and bar. Mixed line
    ends, which the parser refuses, are read from a copy in `work` with one kind of line end.
    """
    delimiter, names = csv_header(path)
    if not names:
        return None
    names = _checked(path, names)
    longest = f", max_line_size={limits.line_size}" if limits.line_size else ""
    options = f"""delim={quoted(delimiter)}, quote='"', escape='"', nullstr=''{longest}"""
    lines = lines_of(path)
    if lines.has_mixed_ends:
        path = _with_one_kind_of_line_end(path, work)
    scan, rejects = _scan(path, names, options, has_header=True)
    listed = ", ".join(f"{identifier(name)} as {column(name)}" for name in names)
    in_order = f"select cast(null as varchar) as raw, {listed} from {scan}"
    select = f"select row_number() over () as row_number, * from ({in_order})"
    return RawRows(select, tuple(names), rejects, _raws(select, names), in_order, lines)


def _raws(select: str, names: Iterable[str]) -> str:
    """The cells of each row as one JSON object, by their own names."""
    packed = ", ".join(f"{identifier(name)} := {column(name)}" for name in names)
    return f"select row_number, cast(to_json(struct_pack({packed})) as varchar) as raw from ({select})"


def _with_one_kind_of_line_end(path: Path, work: Path) -> Path:
    copy = work / f"line_ends_{next(_serial)}.csv"
    with opened(path) as file, copy.open("wb") as out:
        held = b""
        while block := file.read(1 << 22):
            block = held + block
            held = b"\r" if block.endswith(b"\r") else b""
            block = block[: len(block) - len(held)]
            out.write(block.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        out.write(b"\n" if held else b"")
    return copy


def _line_scan(path: Path, limits: Limits) -> tuple[str, str]:
    _refuse_utf16(path, _head(path)[:4])
    # With '' as null a blank line is a row, as it must be for line numbers to be right; otherwise it is skipped.
    options = f"delim='\x01', quote='', escape='', nullstr='', strict_mode=false, max_line_size={limits.json_line_size}"
    return _scan(path, ["line"], options, has_header=False)


def line_rows(path: Path, limits: Limits) -> RawRows:
    """The lines of a text file, plain or gzip, one row each: `row_number` is the line number, `raw` its text."""
    scan, rejects = _line_scan(path, limits)
    return RawRows(f"select row_number() over () as row_number, coalesce(line, '') as raw from {scan}", (), rejects)


def _json_shape(path: Path, list_key: str | None) -> str:
    """lines, lists (one a line), list or pages, by how the file begins."""
    text = _head(path).decode("utf-8-sig", errors="replace").lstrip()
    lines = [line for line in text.split("\n") if line.strip()][:_SHAPE_LINES]
    if text.startswith("["):
        return "lists" if len(lines) > 1 and _is_json(lines[0], list) else "list"
    if list_key and lines and re.search(rf'"{re.escape(list_key)}"\s*:\s*\[', lines[0]):
        return "pages"
    # An object over several lines; one that was cut off stands above whole ones.
    is_open = text.startswith("{") and len(lines) > 1 and lines[0].rstrip().endswith(("{", "[", ","))
    return "pages" if is_open and not any(line.startswith("{") and _is_json(line, dict) for line in lines) else "lines"


def _is_named_json_lines(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson"))


def _is_json(line: str, kind: type) -> bool:
    try:
        return isinstance(json.loads(line), kind)
    except (ValueError, RecursionError):
        return False


def json_objects(engine: DuckDBEngine, path: Path, limits: Limits, list_key: str | None = None) -> RawRows:
    """The objects of a JSON file, plain or gzip: `row_number`, the object's text as `raw`, and `reject_reason`.

    A file called .jsonl or .ndjson holds one object a line (`row_number` is the line; blank lines are no rows). Any
    other holds that too, or, as its beginning tells, a list, one list a line, or pages, which are objects with a list
    called `list_key` (`row_number` counts through the file). What is no JSON object is refused as malformed_json; one
    list over several lines, or a page, that is not valid JSON as a whole is an EngineError once the select runs.
    """
    shape = "lines" if _is_named_json_lines(path) else _json_shape(path, list_key)
    if shape in ("lines", "lists"):
        lines = line_rows(path, limits)
        rejects = lines.rejects
        found = f"""
            select row_number, case when row_number = 1 then ltrim(raw, chr(65279)) else raw end as raw
            from ({lines.select}) where trim(raw, {_BLANKS}) <> ''"""
        if shape == "lists":
            items = "cast(json_extract(raw, '$[*]') as varchar[])"
            items = f"case when json_type(try_cast(raw as json)) = 'ARRAY' then {items} else [raw] end"
            found = (
                f"select row_number() over () as row_number, raw from (select unnest({items}) as raw from ({found}))"
            )
    else:
        rejects = None
        layout = "array" if shape == "list" else "unstructured"
        largest = min(max(16 << 20, path.stat().st_size * (20 if path.suffix.lower() == ".gz" else 1)), _LARGEST_OBJECT)
        options = f"format={quoted(layout)}, maximum_object_size={largest}"
        found = f"select json as raw from read_json_objects({path_text(path)}, {options})"
        if list_key:
            listed, each = quoted(f'$."{list_key}"'), quoted(f'$."{list_key}"[*]')
            several = f"json_extract(raw, {each})"
            items = f"case when json_type(raw, {listed}) = 'ARRAY' then {several} else [raw] end"
            found = f"select unnest({items}) as raw from ({found})"
        found = f"select row_number() over () as row_number, cast(raw as varchar) as raw from ({found})"
    select = f"""
        select row_number, raw,
            case when {nested_too_deep(engine, "raw", limits)} then 'nested_too_deep'
                when not coalesce(json_valid(raw) and json_type(try_cast(raw as json)) = 'OBJECT', false)
                then 'malformed_json' end as reject_reason
        from ({found})"""
    return RawRows(select, (), rejects)


def jsonl_rows(engine: DuckDBEngine, path: Path, keys: Iterable[str], limits: Limits) -> RawRows:
    """The values of `keys`, as text, in the objects of a JSON file (see `json_objects`)."""
    names = tuple(keys)
    objects = json_objects(engine, path, limits)
    paths = "[" + ", ".join(quoted(f'$."{name}"') for name in names) + "]"
    listed = ", ".join(f"found[{position}] as {column(name)}" for position, name in enumerate(names, start=1))
    select = f"""
        select row_number, raw, reject_reason, {listed}
        from (
            select *, case when reject_reason is null then json_extract_string(raw, {paths}) end as found
            from ({objects.select})
        )"""
    return RawRows(select, names, objects.rejects)


def parquet_rows(engine: DuckDBEngine, path: Path, limits: Limits) -> RawRows:
    """The rows of a Parquet file: every column as text, except instants, which keep their type."""
    scan = f"read_parquet({path_text(path)}, file_row_number=true)"
    try:
        check_parquet(engine, path, limits)
        types = engine.columns(f"select * from {scan}")
    except EngineError as error:
        raise UnreadableInputError(
            f"{path.name} is not a whole Parquet file ({without_quotes(error.what.splitlines()[0])}).",
            "Deliver it again; nothing of it was loaded.",
        ) from error
    types.pop("file_row_number", None)
    listed = ", ".join(
        f"{identifier(name)} as {column(name)}"
        if kind == "TIMESTAMP WITH TIME ZONE"
        else f"cast({identifier(name)} as varchar) as {column(name)}"
        for name, kind in types.items()
    )
    select = f"select file_row_number + 1 as row_number, cast(null as varchar) as raw, {listed} from {scan}"
    return RawRows(select, tuple(types), None, _raws(select, types))


def unreadable(label: str, error: EngineError) -> HeedError:
    """What an engine's error while reading the file `label` is to its user: the file's fault, unless the machine's."""
    if error.blames_machine:
        return error
    problem = without_quotes(error.what.splitlines()[0]).removeprefix("Invalid Input Error: ").rstrip(". ")
    return UnreadableInputError(f"{label} cannot be read: {problem}.", "Deliver it again; nothing of it was loaded.")


def json_keys(engine: DuckDBEngine, objects: str, label: str) -> tuple[str, ...]:
    """The names of the values in the objects that a select of `raw` and `reject_reason` gives, sorted.

    Raises UnreadableInputError, naming `label`, when the file cannot be parsed.
    """
    try:
        rows = engine.rows(
            f"select distinct unnest(json_keys(raw)) from ({objects}) where reject_reason is null order by 1"
        )
    except EngineError as error:
        raise unreadable(label, error) from error
    return tuple(str(row[0]) for row in rows)


def rows_of(engine: DuckDBEngine, path: Path, work: Path, keys: Iterable[str], limits: Limits) -> RawRows | None:
    """The rows of a CSV, JSON Lines or Parquet file by its name; `keys` are what to take from JSON objects."""
    kind = file_format(path)
    if kind == "csv":
        return csv_rows(path, work, limits)
    if kind == "parquet":
        return parquet_rows(engine, path, limits)
    return jsonl_rows(engine, path, keys, limits)


def kept(engine: DuckDBEngine, rows: RawRows, label: str = "The file") -> RawRows:
    """The same rows, parsed once into the working database: for files that say several things in one row.

    They stay until the next file is kept. Raises UnreadableInputError, naming `label`, when the file cannot be parsed.
    """
    try:
        with engine.whole_rows():
            engine.execute(f"create or replace temp table parsed_rows as {rows.select}", relation="parsed_rows")
    except EngineError as error:
        raise unreadable(label, error) from error
    return RawRows("select * from parsed_rows", rows.columns, rows.rejects, rows.raws)


def row_count(engine: DuckDBEngine, path: Path, limits: Limits, lines: Lines | None = None) -> int | None:
    """How many rows a file holds, counted apart from reading them; None where only reading can tell.

    That is a CSV file with quotes (a line break may be part of a value) or mixed line ends, and a JSON document.
    `lines` spares a second look at a file of which no row was refused.
    """
    kind = file_format(path)
    if kind == "parquet":
        return int(engine.value(f"select sum(num_rows) from parquet_file_metadata({path_text(path)})"))
    if kind == "jsonl" and not _is_named_json_lines(path):
        return None
    if kind == "csv" and lines and (lines.are_rows or lines.has_quotes or lines.has_mixed_ends):
        return max(lines.count - 1, 0) if lines.are_rows else None
    scan, rejects = _line_scan(path, limits)
    # Most lines begin with something: only the others are looked at whole.
    is_filled = f"line[1] between '!' and '~' or trim(line, {_BLANKS}) <> ''"
    filled, has_quotes = engine.rows(
        f"select count(*) filter (where {is_filled}), coalesce(bool_or(contains(line, '\"')), false) from {scan}"
    )[0]
    refused = int(engine.value(f"select count(*) from ({rejects})"))
    if kind == "jsonl":
        return int(filled) + refused
    if has_quotes or refused or lines_of(path).has_mixed_ends:
        return None
    return max(int(filled) - 1, 0)
