"""What a contact's text asks for: the SQL that heed reads inbound messages with, on texts that one gives it.

The reading itself is `sql/core/reply_*.sql` over the rows of `data/reference/reply_*.csv`; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars

from pipelines import build, sqlfiles
from pipelines.engines.duckdb import DuckDBEngine

#: The relations that turn core.inbound_messages into readings, in the order in which they are built.
RELATIONS = (
    "core.reply_texts",
    "core.reply_sentences",
    "core.reply_readings",
    "core.inbound_readings",
)


@dataclass(frozen=True)
class Reply:
    """How each regime reads one text.

    `reading` is a reasonable person's: certain, possible or not. `rule` is the rule of reply_rules.csv that decided,
    empty where none applies. `exact_keyword`: the text is a provider's keyword to the letter. `legal_list`: it is a
    word of a law's or an industry's list, marks aside.
    """

    text: str
    reading: str
    rule: str
    exact_keyword: bool
    legal_list: bool


def build_readings(engine: DuckDBEngine) -> None:
    """Build RELATIONS from core.inbound_messages (columns source, inbound_id, body, button) and schema reference."""
    for relation in RELATIONS:
        engine.create(relation, sqlfiles.read(relation).text)


def read_replies(texts: Sequence[str]) -> list[Reply]:
    """One Reply per text, in order; a text without anything in it reads as not."""
    frame = polars.DataFrame({"inbound_id": [str(number) for number in range(len(texts))], "body": list(texts)})
    nothing = polars.lit(None, dtype=polars.String)
    with DuckDBEngine() as engine:
        build.write_reference(engine)
        given = frame.with_columns(
            source=polars.lit("texts"), button=nothing, body=polars.col("body").cast(polars.String)
        )
        engine.create_from_frame("core.inbound_messages", given)
        build_readings(engine)
        rows = engine.rows(
            "select inbound_id, reading, reply_rule, exact_keyword, legal_list from core.inbound_readings"
        )
    found = {number: values for number, *values in rows}
    replies = []
    for number, text in enumerate(texts):
        reading, rule, exact_keyword, legal_list = found.get(str(number), ("not", None, False, False))
        replies.append(Reply(text, reading, rule or "", exact_keyword, legal_list))
    return replies
