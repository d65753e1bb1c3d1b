"""Why a text says somebody left: the SQL that heed reads reasons with, on texts that one gives it.

The reading itself is `sql/core/reason_*.sql` over the rows of `data/reference/reason_*.csv`; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars

from pipelines import build, sqlfiles
from pipelines.engines.duckdb import DuckDBEngine

#: The relations that turn the texts of history.consent_events into reasons, in the order in which they are built.
RELATIONS = ("core.reason_texts", "core.reason_words", "core.reason_readings")


@dataclass(frozen=True)
class Reading:
    """Why one text says somebody left.

    `reason` is one of reason_list.csv. `phrase` is the row of reason_phrases.csv that decided, empty where none is in
    the text. `language` is the guessed one (en, es, ...), empty where no word is known.
    """

    text: str
    reason: str
    phrase: str
    language: str


def build_readings(engine: DuckDBEngine) -> None:
    """Build RELATIONS from history.consent_events (columns reason_code and reason_text) and schema reference."""
    for relation in RELATIONS:
        engine.create(relation, sqlfiles.read(relation).text)


def read_reasons(texts: Sequence[str]) -> list[Reading]:
    """One Reading per text, in order; a text without anything in it is unspecified."""
    frame = polars.DataFrame(
        {"reason_code": [None] * len(texts), "reason_text": list(texts)}, schema=dict.fromkeys(_COLUMNS, polars.String)
    )
    with DuckDBEngine() as engine:
        build.write_reference(engine)
        engine.create_from_frame("history.consent_events", frame)
        build_readings(engine)
        # The texts are lowered where they are read: no other lowering is quite the same.
        rows = engine.rows(
            "select e.reason_text, r.reason, r.phrase, r.language from history.consent_events as e"
            " join core.reason_readings as r on r.text = lower(trim(e.reason_text))"
        )
    found = {text: Reading(text, reason, phrase or "", language or "") for text, reason, phrase, language in rows}
    return [found.get(text, Reading(text, "unspecified", "", "")) for text in texts]


_COLUMNS = ("reason_code", "reason_text")
