"""The rows that were set aside: by reason and column with an example's shape, and where each of them is."""

from __future__ import annotations

from typing import Any

import pandas
import streamlit as st

from dashboard import layout, snapshot
from dashboard.words import data as words
from dashboard.words import formats, heads, texts

REASONS = """
select reason, column_name, sum(row_count)::bigint as row_count, count(distinct load_id) as file_count
from run.quarantine group by reason, column_name order by row_count desc, reason, column_name
"""
EXAMPLES = """
select e.reason, e.column_name, e.shape, e.row_number, i.source, i.file, e.load_id
from run.quarantine_examples as e
join run.inputs as i on i.load_id = e.load_id
order by e.reason, e.column_name, e.load_id, e.row_number
"""
QUARANTINE = """
select reason, column_name, row_count, source, file, first_rows, load_id from run.quarantine
order by row_count desc, file
"""
LONGEST_SHAPE = 90
EXAMPLES_SHOWN = 200


def show() -> None:
    """The quarantine: how many rows, of what kind, with examples, and where they are."""
    st.header(words.QUARANTINE, anchor=False)
    reasons = snapshot.rows(REASONS)
    if not reasons:
        st.markdown(words.NO_QUARANTINE)
        return
    count = sum(row["row_count"] for row in reasons)
    st.markdown(words.REFUSED.format(rows=formats.Counted(count)))
    st.markdown(words.QUARANTINE_WHAT.format(folder=f"{snapshot.home()}/private/quarantine/"))
    examples = snapshot.rows(EXAMPLES) if snapshot.has("run.quarantine_examples") else []
    first = {(row["reason"], row["column_name"]): row for row in reversed(examples)}
    lines = []
    for row in reasons:
        line = {
            heads.REASON: texts.humanise(row["reason"]),
            heads.COLUMN: texts.plain(row["column_name"]),
            heads.ROWS: row["row_count"],
        }
        if examples:
            line |= example(first.get((row["reason"], row["column_name"])))
        lines.append(line)
    layout.table(lines, words.REFUSED_ALT, {heads.ROWS: formats.count})
    if examples:
        show_examples(examples)
    show_places()


def example(row: dict[str, Any] | None) -> dict[str, str]:
    """One refused row of a kind: what it looks like and where it is."""
    if row is None:
        return {heads.LOOKS_LIKE: formats.MISSING, heads.FOR_EXAMPLE: formats.MISSING}
    shape = row["shape"] if len(row["shape"]) <= LONGEST_SHAPE else f"{row['shape'][: LONGEST_SHAPE - 1]}…"
    file = row["file"].rpartition("/")[2]
    return {
        heads.LOOKS_LIKE: texts.plain(shape),
        heads.FOR_EXAMPLE: texts.plain(words.PLACE.format(file=file, row=row["row_number"])),
    }


def show_examples(examples: list[dict[str, Any]]) -> None:
    """More examples of each kind, in full."""
    shown = examples[:EXAMPLES_SHOWN]
    with st.expander(words.EXAMPLES.format(shown=formats.count(len(shown)))):
        layout.frame(
            pandas.DataFrame([{**row, "reason": texts.humanise(row["reason"])} for row in shown]),
            words.EXAMPLES_ALT,
            {
                "reason": heads.REASON, "column_name": heads.COLUMN,
                "shape": st.column_config.TextColumn(heads.LOOKS_LIKE, width="large"),
                "row_number": heads.ROW, "source": heads.SOURCE, "file": heads.FILE, "load_id": heads.LOAD,
            },
        )  # fmt: skip


def show_places() -> None:
    """The files and row numbers of all of them."""
    rows = snapshot.frame(QUARANTINE)
    rows["reason"] = rows["reason"].map(texts.humanise)
    with st.expander(words.PLACES):
        layout.frame(
            rows,
            words.PLACES_ALT,
            {
                "reason": heads.REASON, "column_name": heads.COLUMN,
                "row_count": st.column_config.NumberColumn(heads.ROWS, format="localized"),
                "source": heads.SOURCE, "file": heads.FILE, "first_rows": heads.FIRST_ROW_NUMBERS,
                "load_id": heads.LOAD,
            },
        )  # fmt: skip
