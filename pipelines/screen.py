"""`heed screen`: reads a list, has it judged, and puts the sendable and the refused rows where they are wanted."""

from __future__ import annotations

import argparse
import gzip
import io
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from pipelines import audience, output, screening
from pipelines.errors import UsageError
from pipelines.screening import Request, Screened

if TYPE_CHECKING:
    import polars

Write = Callable[[BinaryIO], None]


def run(options: argparse.Namespace) -> int:
    """Screen as the command line says; returns how many rows were refused. Raises a HeedError with its exit code."""
    out: Path | None = options.out
    refused: Path | None = options.refused
    _check_targets(options.audience, options.input_format, out, refused)
    request = Request(
        audience=options.audience,
        channel=options.channel,
        program=options.program,
        at=options.at,
        column=options.column,
        input_format=options.input_format,
        require_consent=options.require_consent,
        strict_time=options.strict_time,
    )
    screened = screening.screen(options.home, request, sys.stdin.buffer)
    files: dict[Path, Write] = {}
    if out is not None:
        files[out] = partial(_write_sendable, screened, is_packed=out.suffix.lower() == ".gz")
    if refused is not None:
        files[refused] = partial(_write_refused, screened.refused, str(audience.format_of(refused.name)))
    _write_whole(files)
    if out is None:
        _print_list(screened)
    elif refused is None and not options.json:
        _print_refused(screened.refused, options.format)
    counts = output.json_text(screened.counts()) if options.json else output.terminal_safe_lines(screened.words())
    # With the list itself on standard output, its counts are narration in either form.
    print(counts, file=sys.stdout if options.json and out is not None else sys.stderr)
    return len(screened.refused)


def _check_targets(listed: str, form: str | None, out: Path | None, refused: Path | None) -> None:
    """Raise UsageError for a target that cannot be meant, before minutes are spent on a list."""
    for option, path in (("--out", out), ("--refused", refused)):
        if path is None:
            continue
        if not path.parent.is_dir() or path.is_dir():
            raise UsageError(f"{option} is {path}, which cannot be a file.", "Name a file in a folder that is there.")
        if listed != "-" and path.exists() and Path(listed).exists() and path.samefile(listed):
            raise UsageError(f"{option} is {path}, the list itself.", "Name another file: the list is kept as it is.")
    if out is not None and refused is not None and out.resolve() == refused.resolve():
        raise UsageError(f"--out and --refused are both {out}.", "Name two files.")
    if refused is not None and (audience.format_of(refused.name) is None or refused.suffix.lower() == ".gz"):
        raise UsageError(f"--refused is {refused}.", "Name it .csv, .jsonl or .parquet.")
    read_as = form or (audience.format_of(listed) if listed != "-" else None)
    written_as = audience.format_of(out.name) if out is not None else None
    if read_as and written_as and read_as != written_as:
        raise UsageError(
            f"--out is {out}, but the list is {read_as} and its rows are given back unchanged.",
            f"Name it .{read_as}.",
        )


def _write_sendable(screened: Screened, file: BinaryIO, *, is_packed: bool) -> None:
    if not is_packed:
        screened.audience.write(screened.keep, file)
        return
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=5, mtime=0) as packed:
        screened.audience.write(screened.keep, cast(BinaryIO, packed))


def _write_refused(refused: polars.DataFrame, form: str, file: BinaryIO) -> None:
    """The refused rows as CSV, JSON Lines or Parquet; in CSV no cell is a formula."""
    import polars

    if form == "parquet":
        refused.write_parquet(file)
        return
    since = polars.col("since").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
    texts = refused.with_columns(since.str.replace(r"\.0+Z$", "Z"))
    if form == "jsonl":
        texts.write_ndjson(file)
        return
    for name in texts.select(polars.col(polars.String)).columns:
        text = polars.col(name)
        is_formula = text.str.slice(0, 1).is_in(list("=+-@\t\r"))
        if texts.select(is_formula.any()).item():
            texts = texts.with_columns(polars.when(is_formula).then("'" + text).otherwise(text).alias(name))
    texts.write_csv(file)


def _write_whole(files: dict[Path, Write]) -> None:
    """Write every file beside its place, then put all of them there: a reader finds the whole of one or none."""
    unfinished: dict[Path, Path] = {}
    try:
        for path, write in files.items():
            if path.exists() and not path.is_file():  # a pipe or a terminal has no place beside it
                with path.open("wb") as file:
                    write(file)
                continue
            unfinished[path] = path.with_name(f".{path.name}.{os.getpid()}.partial")
            with unfinished[path].open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
        for path, whole in unfinished.items():
            whole.replace(path)
    finally:
        for leftover in unfinished.values():
            leftover.unlink(missing_ok=True)


def _print_list(screened: Screened) -> None:
    if not sys.stdout.isatty():
        sys.stdout.flush()
        screened.audience.write(screened.keep, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    if screened.audience.form == "parquet":
        raise UsageError("Parquet is not text.", "Say where it goes: --out clean.parquet")
    shown = io.BytesIO()
    screened.audience.write(screened.keep, shown)
    sys.stdout.write(output.terminal_safe_lines(shown.getvalue().decode("utf-8", errors="replace")))


def _print_refused(refused: polars.DataFrame, form: str) -> None:
    """Refused rows on standard output; as a table with what a reader wants to know, the evidence in full."""
    if form != "table":
        output.write_rows(refused.columns, refused.rows(), form)
        return
    for number, masked, reason, evidence in refused.select(
        "row_number", "contact_masked", "reason", "evidence"
    ).iter_rows():
        print(output.terminal_safe(f"row {number:<8} {masked or '':<24} {reason:<20} {evidence}"))
